"""The in-process JobQueue of a node on SQLite: units that wait in a fair order, on the event loop."""

import asyncio
import contextlib
from collections.abc import Iterable

from app.jobs.queueing.fair_order import FairOrder
from persistence.queue import REDELIVERY_SECONDS, Ahead, Handler, Reservations, Unit, handle_safely


class LocalQueue:
    """JobQueue inside this process. Unbounded inside and bounded at `reserve`.

    With a bounded asyncio.Queue, N dispatchers that put retried pages back would wait for each other for ever.
    """

    window: int | None = None

    def __init__(self, limit: int, redelivery_seconds: float = REDELIVERY_SECONDS) -> None:
        """`limit`: units that may wait before `reserve` refuses."""
        self._redelivery_seconds = redelivery_seconds
        self._reservations = Reservations(limit)
        self._ready = FairOrder()
        self._delayed: dict[asyncio.TimerHandle, Unit] = {}
        self._handled: set[str] = set()
        self._stopped = False
        self._news = asyncio.Event()

    def reserve(self) -> contextlib.AbstractContextManager[None]:
        """See JobQueue."""
        return self._reservations.hold(depth=self.depth(), stopped=self._stopped)

    async def put_new(self, units: Iterable[Unit]) -> None:
        """See JobQueue."""
        for unit in units:
            await self.put(unit)

    async def put(self, unit: Unit, *, delay: float = 0.0) -> bool:
        """See JobQueue."""
        if self._stopped:
            return False  # the store has it; a rescue finds it
        if unit in self._ready:
            return False
        if delay <= 0:
            self._add(unit)
            return True

        def due() -> None:
            self._add(self._delayed.pop(timer))

        timer = asyncio.get_running_loop().call_later(delay, due)
        self._delayed[timer] = unit
        return True

    async def discard(self, job_id: str) -> None:
        """See JobQueue."""
        self._ready.discard(job_id)
        for timer in [timer for timer, unit in self._delayed.items() if unit.job_id == job_id]:
            timer.cancel()
            del self._delayed[timer]

    async def run(self, handler: Handler, *, concurrency: int) -> None:
        """See JobQueue."""
        async with asyncio.TaskGroup() as group:
            for number in range(1, concurrency + 1):
                group.create_task(self._dispatch(handler), name=f"dispatcher-{number}")

    def stop(self) -> None:
        """See JobQueue."""
        self._stopped = True
        for timer in self._delayed:
            timer.cancel()
        self._news.set()

    def depth(self) -> int:
        """See JobQueue."""
        return len(self._ready) + len(self._delayed)

    async def ahead(self, job_id: str) -> Ahead | None:
        """See JobQueue."""
        ahead = self._ready.ahead(job_id)
        delayed = sum(unit.job_id == job_id for unit in self._delayed.values())
        if not delayed:
            return ahead
        # who is delayed comes behind all that may be taken now, at most
        last = len(self._ready) + delayed - 1
        return Ahead(first=len(self._ready) if ahead is None else ahead.first, last=last)

    async def _dispatch(self, handler: Handler) -> None:
        while not self._stopped:
            unit = self._ready.take()
            if unit is None:
                self._news.clear()
                await self._news.wait()
                continue
            if unit.name in self._handled:
                await self.put(unit, delay=self._redelivery_seconds)
                continue
            self._handled.add(unit.name)
            try:
                delay = await handle_safely(handler, unit, self._redelivery_seconds)
            finally:
                self._handled.discard(unit.name)
            if delay is not None:
                await self.put(unit, delay=delay)

    def _add(self, unit: Unit) -> None:
        if unit not in self._ready:
            self._ready.put(unit)
        self._news.set()
