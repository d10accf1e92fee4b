"""The dispatchers of this node: driven by the queue, watched, and drained at a stop."""

import asyncio
from collections.abc import Awaitable, Callable

from loguru import logger

from ocr_engine.workers.pool import ManagedPool
from persistence.queue import Handler, JobQueue


class Dispatchers:
    """Runs `concurrency` handlers of the queue's jobs; tells once when they can do their work no more."""

    def __init__(
        self,
        queue: JobQueue,
        handler: Handler,
        settle: Callable[[], Awaitable[None]],
        pool: ManagedPool,
        *,
        concurrency: int,
        drain_seconds: float,
        on_failure: Callable[[str], None],
    ) -> None:
        """`settle` waits for what handlers have left behind. `on_failure` is called once, with the reason: a dispatcher
        died, or no worker is left.
        """
        self._queue = queue
        self._handler = handler
        self._settle = settle
        self._pool = pool
        self._concurrency = concurrency
        self._drain_seconds = drain_seconds
        self._on_failure = on_failure
        self._running: asyncio.Task[None] | None = None
        self._watching: asyncio.Task[None] | None = None
        self._hurried = asyncio.Event()

    @property
    def running(self) -> bool:
        """True from the start to the end of the last one."""
        return self._running is not None and not self._running.done()

    def start(self) -> None:
        """Jobs are handled from here on."""
        self._running = asyncio.create_task(
            self._queue.run(self._handler, concurrency=self._concurrency), name="dispatchers"
        )
        self._watching = asyncio.create_task(self._watch(self._running), name="watch")

    async def drain(self) -> None:
        """Lets running jobs finish in time, then has the dispatchers put back what they are at. The queue was stopped.

        Without a start: harmless.
        """
        if self._watching is not None:
            self._watching.cancel()
        if self._running is None:
            return
        logger.bind(event="service.draining", waiting=self._queue.depth()).info("stopping: running jobs may finish")
        hurried = asyncio.create_task(self._hurried.wait(), name="hurried")
        await asyncio.wait({self._running, hurried}, timeout=self._drain_seconds, return_when=asyncio.FIRST_COMPLETED)
        hurried.cancel()
        if not self._running.done():
            # the dispatchers put their jobs back and say which
            self._running.cancel()
            await asyncio.wait({self._running})
        await self._settle()
        logger.bind(event="service.drained", waiting=self._queue.depth()).info(
            "dispatchers stopped; waiting jobs are run after the next start"
        )

    def hurry(self) -> None:
        """A drain waits for running jobs no longer: they are put back at once. Before the drain, or twice: harmless."""
        self._hurried.set()

    async def _watch(self, running: asyncio.Task[None]) -> None:
        failed = asyncio.create_task(self._pool.failed.wait())
        try:
            await asyncio.wait({running, failed}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            failed.cancel()
        if self._pool.failed.is_set():
            reason = "no OCR worker can be started"
        else:
            reason = f"the dispatchers died: {running.exception()!r}"
        logger.bind(event="service.failed").critical(reason)
        self._on_failure(reason)
