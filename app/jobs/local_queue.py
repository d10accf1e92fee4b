"""The in-process JobQueue of a node on SQLite: an ordered set on the event loop."""

import asyncio
import contextlib
import itertools
from collections import OrderedDict

from persistence.queue import REDELIVERY_SECONDS, Handler, Reservations, handle_safely


class LocalQueue:
    """JobQueue inside this process. Unbounded inside and bounded at `reserve`.

    With a bounded asyncio.Queue, N dispatchers that put retried jobs back would wait for each other for ever.
    """

    def __init__(self, limit: int, redelivery_seconds: float = REDELIVERY_SECONDS) -> None:
        """`limit`: ids that may wait before `reserve` refuses."""
        self._redelivery_seconds = redelivery_seconds
        self._reservations = Reservations(limit)
        # not an asyncio.Queue: nothing can be taken out of its middle
        self._ready: OrderedDict[str, int] = OrderedDict()
        """By id, in the order of delivery: its number in the order of arrival."""
        self._order = itertools.count()
        self._delayed: dict[asyncio.TimerHandle, str] = {}
        self._handled: set[str] = set()
        self._stopped = False
        self._news = asyncio.Event()

    def reserve(self) -> contextlib.AbstractContextManager[None]:
        """See JobQueue."""
        return self._reservations.hold(depth=self.depth(), stopped=self._stopped)

    async def put_new(self, job_id: str) -> None:
        """See JobQueue."""
        await self.put(job_id)

    async def put(self, job_id: str, *, delay: float = 0.0) -> bool:
        """See JobQueue."""
        if self._stopped:
            return False  # the store has it; a rescue finds it
        if job_id in self._ready:
            return False
        if delay <= 0:
            self._add(job_id)
            return True

        def due() -> None:
            self._add(self._delayed.pop(timer))

        timer = asyncio.get_running_loop().call_later(delay, due)
        self._delayed[timer] = job_id
        return True

    async def discard(self, job_id: str) -> None:
        """See JobQueue."""
        self._ready.pop(job_id, None)
        for timer in [timer for timer, waiting in self._delayed.items() if waiting == job_id]:
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

    def ahead(self, job_id: str) -> int:
        """See JobQueue."""
        if job_id not in self._ready:
            return self.depth()
        return self._ready[job_id] - next(iter(self._ready.values()))

    async def _dispatch(self, handler: Handler) -> None:
        while not self._stopped:
            if not self._ready:
                self._news.clear()
                await self._news.wait()
                continue
            job_id, _ = self._ready.popitem(last=False)
            if job_id in self._handled:
                await self.put(job_id, delay=self._redelivery_seconds)
                continue
            self._handled.add(job_id)
            try:
                delay = await handle_safely(handler, job_id, self._redelivery_seconds)
            finally:
                self._handled.discard(job_id)
            if delay is not None:
                await self.put(job_id, delay=delay)

    def _add(self, job_id: str) -> None:
        self._ready.setdefault(job_id, next(self._order))
        self._news.set()
