"""The limit of connections: how many there may be, and which one goes when there is no room for another."""

import time
from collections.abc import Callable
from typing import Protocol

from loguru import logger

from app.http.serving.log_throttle import LogThrottle

GRACE_SECONDS = 0.5
"""An idle connection is left alone for so long: its request may have come already, and not have been looked at."""


class Member(Protocol):
    """A connection, as far as the limit is concerned."""

    def leave(self) -> None:
        """Closes it at once; nothing of it is under way."""


class ConnectionLimit:
    """The connections of a server, at most `limit` of them."""

    def __init__(self, limit: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._limit = limit
        self._members: set[Member] = set()
        # since when; a dict for its order: the first is idle for the longest
        self._idle: dict[Member, float] = {}
        self._full = LogThrottle()
        self.on_room: Callable[[], None] = lambda: None
        """Called whenever a connection has ended, or could give way."""

    def makes_room(self, arriving: int = 0) -> bool:
        """May another connection come, after those that are let in already?

        Where there are too many, the one that is idle for the longest is closed for it. False where none is idle for
        GRACE_SECONDS.
        """
        if len(self._members) + arriving < self._limit:
            return True
        if self._full.due():
            logger.bind(event="connections.full", connections=len(self._members)).warning(
                "no further connection can be had: a new one takes the place of one that is idle, or waits for one"
            )
        longest, since = next(iter(self._idle.items()), (None, 0.0))
        if longest is None or self._clock() - since < GRACE_SECONDS:
            return False
        self._members.discard(longest)
        self.busy(longest)
        longest.leave()
        return True

    def came(self, member: Member) -> None:
        """A new connection, idle until its first request has come."""
        self._members.add(member)
        self._idle[member] = self._clock()

    def left(self, member: Member) -> None:
        """It has ended. Twice is harmless."""
        self._members.discard(member)
        self.busy(member)
        self.on_room()

    def busy(self, member: Member) -> None:
        """A request of it is under way."""
        self._idle.pop(member, None)

    def idle(self, member: Member) -> None:
        """It is answered. While it is idle already, or has ended: harmless."""
        if member in self._members:
            self._idle.setdefault(member, self._clock())
            self.on_room()
