"""One open stream: what it has still to tell, and how far behind it may fall."""

import asyncio
import contextlib
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence

from msgspec import Struct

from persistence.change import JobChange
from persistence.store import StoreError


class StreamLimits(Struct, frozen=True, kw_only=True):
    """How many may follow, and how far one may fall behind."""

    streams: int = 1000
    """At the same time; each keeps a connection and some 20 kB."""
    of_client: int = 100
    pending: int = 1000
    """Jobs whose change one stream has still to tell; one that is further behind is ended, and comes back."""
    heartbeat_seconds: float = 15.0
    """Between two signs of life: proxies close what is silent for a minute, some for half of it."""


class Subscription:
    """What one stream has still to tell: of each job its latest change."""

    def __init__(self, wants: Callable[[JobChange], bool], limits: StreamLimits) -> None:
        self.wants = wants
        self.pending: OrderedDict[str, JobChange] = OrderedDict()
        self.in_doubt = False
        self.ended = False
        self._limits = limits
        self._told: OrderedDict[str, int] = OrderedDict()
        self._bell = asyncio.Event()

    def tell(self, change: JobChange) -> None:
        """Unless it, or a later one of that job, was told before, or the stream is to end."""
        if self.ended or change.revision <= self._told.get(change.id, -1):
            return
        self._told[change.id] = change.revision
        self._told.move_to_end(change.id)
        if len(self._told) > self._limits.pending:
            self._told.popitem(last=False)
        self.pending[change.id] = change
        self.pending.move_to_end(change.id)
        if len(self.pending) > self._limits.pending:
            self.end()
        self._bell.set()

    def doubt(self) -> None:
        """Something may have been missed."""
        self.in_doubt = True
        self._bell.set()

    @contextlib.contextmanager
    def looking(self) -> Iterator[None]:
        """Within, the doubt is cleared up; it stays where the store cannot be read."""
        self.in_doubt = False
        try:
            yield
        except StoreError:
            self.in_doubt = True

    def end(self) -> None:
        """What is pending is told, and nothing after it."""
        self.ended = True
        self._bell.set()

    async def rung(self) -> bool:
        """True when there may be something to tell; False after the time of a heartbeat."""
        try:
            async with asyncio.timeout(self._limits.heartbeat_seconds):
                await self._bell.wait()
        except TimeoutError:
            return False
        self._bell.clear()
        return True

    def take(self) -> Sequence[JobChange]:
        """What is pending, oldest first."""
        taken = list(self.pending.values())
        self.pending.clear()
        return taken
