"""Rate limiting: a token bucket for each client."""

import math
import time
from collections import OrderedDict
from collections.abc import Callable

from msgspec import Struct

WINDOW_SECONDS = 60
MAX_CLIENTS_KEPT = 10_000
"""Buckets in memory; the one unused for longest goes first, and is full again if it comes back."""


class Allowance(Struct, frozen=True, kw_only=True):
    """The bucket's answer."""

    granted: bool
    limit: int
    remaining: int
    reset_seconds: int
    """Until the bucket is full again; where refused, until one request is granted."""


class RateLimit:
    """So many requests a minute and client on average, all of them at once where they were saved up."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, client: str, per_minute: int) -> Allowance:
        """One request of this client, which may make so many (1 or more)."""
        now, per_second = self._clock(), per_minute / WINDOW_SECONDS
        tokens, since = self._buckets.pop(client, (float(per_minute), now))
        tokens = min(per_minute, tokens + (now - since) * per_second)
        granted = tokens >= 1
        tokens -= granted
        self._buckets[client] = (tokens, now)
        if len(self._buckets) > MAX_CLIENTS_KEPT:
            self._buckets.popitem(last=False)
        missing = (per_minute if granted else 1) - tokens
        return Allowance(
            granted=granted,
            limit=per_minute,
            remaining=int(tokens),
            reset_seconds=math.ceil(missing / per_second),
        )
