"""The queue of job ids: what every queue promises, and the asyncio queue of the embedded mode."""

import asyncio
import contextlib
import itertools
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterator
from typing import Protocol

from loguru import logger

from persistence.store import StoreError

Handler = Callable[[str], Awaitable[float | None]]
"""What is done with one id. None: finished with. Seconds: deliver it again then. An exception: again soon."""

REDELIVERY_SECONDS = 1.0
"""Pause before an id is delivered again whose handler raised."""


class QueueFull(Exception):
    """No room for another job."""


class QueueStopped(Exception):
    """The queue takes nothing more: the service is stopping."""


class JobQueue(Protocol):
    """Delivers ids at least once, and an id to one handler at a time: it comes again when that handler has ended, or
    has died together with its process. The store holds the truth: an id twice is harmless, resume finds a lost one.
    """

    def reserve(self) -> contextlib.AbstractContextManager[None]:
        """Holds a place for one job while it is stored. Raises QueueFull or QueueStopped before anything is done."""

    async def put_new(self, job_id: str) -> None:
        """As `put`, for a job that was stored this moment: a queue in the store's own database has its id by then."""

    async def put(self, job_id: str, *, delay: float = 0.0) -> bool:
        """Delivers the id, not before `delay` seconds have passed. Never refuses: `reserve` is the bound.

        False where there was nothing to do, the queue having the id or taking nothing more.
        """

    async def discard(self, job_id: str) -> None:
        """Frees the place of an id that waits, delayed or not, as well as it can: nobody is at the job any more."""

    async def run(self, handler: Handler, *, concurrency: int) -> None:
        """Drives `concurrency` named dispatchers until `stop`; cancelled, it cancels handlers and waits for them."""

    def stop(self) -> None:
        """Delivers nothing more; handlers at work may finish, then `run` returns. Before `run`, or twice: harmless."""

    def depth(self) -> int:
        """Ids that wait, delayed ones included; those being handled are not.

        Of a shared queue as it was seen last, a second ago at most.
        """

    def ahead(self, job_id: str) -> int:
        """Ids that are delivered before this one, at most: all that wait, where the queue does not know better."""


class LocalQueue:
    """JobQueue inside this process. Unbounded inside and bounded at `reserve`.

    With a bounded asyncio.Queue, N dispatchers that put retried jobs back would wait for each other for ever.
    """

    def __init__(self, limit: int) -> None:
        """`limit`: ids that may wait before `reserve` refuses."""
        self._limit = limit
        # not an asyncio.Queue: nothing can be taken out of its middle
        self._ready: OrderedDict[str, int] = OrderedDict()
        """By id, in the order of delivery: its number in the order of arrival."""
        self._order = itertools.count()
        self._delayed: dict[asyncio.TimerHandle, str] = {}
        self._handled: set[str] = set()
        self._reserved = 0
        self._stopped = False
        self._news = asyncio.Event()

    @contextlib.contextmanager
    def reserve(self) -> Iterator[None]:
        """See JobQueue."""
        if self._stopped:
            raise QueueStopped
        if self.depth() + self._reserved >= self._limit:
            raise QueueFull
        self._reserved += 1
        try:
            yield
        finally:
            self._reserved -= 1

    async def put_new(self, job_id: str) -> None:
        """See JobQueue."""
        await self.put(job_id)

    async def put(self, job_id: str, *, delay: float = 0.0) -> bool:
        """See JobQueue."""
        if self._stopped:
            return False  # the store has it; resume finds it
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
                await self.put(job_id, delay=REDELIVERY_SECONDS)
                continue
            self._handled.add(job_id)
            try:
                delay = await handle_safely(handler, job_id)
            finally:
                self._handled.discard(job_id)
            if delay is not None:
                await self.put(job_id, delay=delay)

    def _add(self, job_id: str) -> None:
        self._ready.setdefault(job_id, next(self._order))
        self._news.set()


async def handle_safely(handler: Handler, job_id: str) -> float | None:
    """What the handler answers; where it raises: that the id comes again soon."""
    try:
        return await handler(job_id)
    except StoreError as error:
        # an outage, and no fault of the program: a line and no traceback
        logger.bind(event="job.handler_failed", job_id=job_id).error(f"the job is delivered again: {error}")
        return REDELIVERY_SECONDS
    except Exception:
        logger.bind(event="job.handler_failed", job_id=job_id).exception(
            "a dispatcher failed; the job is delivered again"
        )
        return REDELIVERY_SECONDS
