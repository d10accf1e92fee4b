"""The running service: its components, readiness, and graceful shutdown."""

import asyncio
import contextlib
from collections.abc import Callable

from loguru import logger

from app.background import Background
from app.cluster.node_kind import NodeKind
from app.health import Health
from app.jobs.admission import Admission
from app.jobs.cancellation import Cancellation
from app.jobs.capacity import Capacity
from app.jobs.dead_letters import DeadLetters
from app.jobs.dispatcher import Dispatcher
from app.jobs.intake import Intake
from app.jobs.retention import Retention
from app.jobs.upload_memory import UploadMemory
from app.jobs.waiting import Waiters
from app.telemetry.observers import Observers
from config.settings import Settings
from ocr_engine.workers.pool import ManagedPool, WorkerState
from persistence.job import Job, JobState
from persistence.queue import JobQueue
from persistence.store import JobStore, StoreError

RESCUE_SECONDS = 30.0
"""How often a node compares the unfinished jobs with what the shared queue has."""


class Service:
    """What routes work with. Made by the composition root; started and drained by the lifespan."""

    def __init__(
        self,
        *,
        settings: Settings,
        kind: NodeKind,
        store: JobStore,
        pool: ManagedPool,
        queue: JobQueue,
        intake: Intake,
        dispatcher: Dispatcher,
        dead_letters: DeadLetters,
        cancellation: Cancellation,
        retention: Retention,
        admission: Admission,
        upload_memory: UploadMemory,
        capacity: Capacity,
        ai_health: Health,
        observers: Observers,
        waiters: Waiters,
        on_failure: Callable[[str], None],
    ) -> None:
        """`on_failure` is called once, with the reason, when the service cannot go on."""
        self.settings = settings
        self.kind = kind
        self.store = store
        self.pool = pool
        self.queue = queue
        self.intake = intake
        self.dead_letters = dead_letters
        self.cancellation = cancellation
        self._retention = retention
        self._admission = admission
        self.upload_memory = upload_memory
        self.capacity = capacity
        self.ai_health = ai_health
        self.observers = observers
        self.waiters = waiters
        self._dispatcher = dispatcher
        self._on_failure = on_failure
        self._running: asyncio.Task[None] | None = None
        self._watching: asyncio.Task[None] | None = None
        self.background = Background()
        self._drain: asyncio.Task[None] | None = None
        self._hurried = asyncio.Event()

    async def start(self) -> None:
        """Queues what an earlier life left unfinished, then lets the dispatchers run, if the node reads."""
        await self.intake.rescue()
        if self.kind.has_neighbours:
            self.background.start("rescue", self._rescue_now_and_then())
        if self.settings.keep_finished_days:
            self.background.start("retention", self._retention.run())
        if not self.kind.reads:
            return
        self._running = asyncio.create_task(
            self.queue.run(self._dispatcher.handle, concurrency=self.settings.max_workers),
            name="dispatchers",
        )
        self._watching = asyncio.create_task(self._watch(self._running), name="watch")
        if self.settings.health_interval_seconds:
            self.background.start("self-check", self._check_itself())

    @property
    def draining(self) -> bool:
        """True once a stop was asked for."""
        return self._drain is not None

    def retry_after(self, job: Job | None = None) -> int:
        """Whole seconds after which the unfinished job may be through; without one: a job that comes in now."""
        if job is None:
            return self.capacity.retry_after(self.queue.depth() + 1)
        if job.status is JobState.PROCESSING:
            return self.capacity.rest_of(job)
        return self.capacity.retry_after(self.queue.ahead(job.id) + 1)

    async def unready(self) -> list[str]:
        """Why the service should be sent no work now, in plain words; empty when it is ready."""
        reasons = []
        if self.draining:
            reasons.append("the service is stopping")
        if self.kind.reads:
            if self._running is None or (self._running.done() and not self.draining):
                reasons.append("the dispatchers are not running")
            if not any(worker.state in (WorkerState.IDLE, WorkerState.BUSY) for worker in self.pool.workers()):
                reasons.append("no OCR worker is warm")
        reasons += [f"the loop {name!r} died" for name in self.background.dead()]
        if self.queue.depth() >= self.settings.queue_limit:
            reasons.append("the queue is full")
        try:
            await self.store.check()
            if shortage := await self._admission.short_of():
                reasons.append(str(shortage))
        except StoreError as error:
            reasons.append(f"the store cannot be written: {error}")
        return reasons

    async def drain(self) -> None:
        """Takes no new work, lets running jobs finish within DRAIN_SECONDS, puts the rest back. Twice: one drain."""
        if self._drain is None:
            self._drain = asyncio.create_task(self._drain_now(), name="drain")
        await asyncio.shield(self._drain)

    def hurry(self) -> None:
        """A drain waits for running jobs no longer: they are put back at once. Before the drain, or twice: harmless."""
        self._hurried.set()

    async def _drain_now(self) -> None:
        self.queue.stop()
        self.waiters.close()
        ending = asyncio.create_task(self.background.end(), name="end of the background")
        if self._watching is not None:
            self._watching.cancel()
        if self._running is not None:
            await self._end_dispatchers(self._running)
        await ending

    async def _end_dispatchers(self, running: asyncio.Task[None]) -> None:
        logger.bind(event="service.draining", waiting=self.queue.depth()).info("stopping: running jobs may finish")
        hurried = asyncio.create_task(self._hurried.wait(), name="hurried")
        await asyncio.wait({running, hurried}, timeout=self.settings.drain_seconds, return_when=asyncio.FIRST_COMPLETED)
        hurried.cancel()
        if not running.done():
            # the dispatchers put their jobs back and say which
            running.cancel()
            await asyncio.wait({running})
        logger.bind(event="service.drained", waiting=self.queue.depth()).info(
            "dispatchers stopped; waiting jobs are run after the next start"
        )

    async def _rescue_now_and_then(self) -> None:
        """Queues what a shared queue lost: entries that somebody deleted, or that could not be written."""
        while True:
            await asyncio.sleep(RESCUE_SECONDS)
            with contextlib.suppress(StoreError):
                await self.intake.rescue()

    async def _check_itself(self) -> None:
        """Keeps the verdict on the sample fresh, so that the metrics tell of bad reading though nobody asks."""
        while True:
            await self.ai_health.verdict()
            await asyncio.sleep(self.settings.health_interval_seconds)

    async def _watch(self, running: asyncio.Task[None]) -> None:
        """Ends the service when it cannot do its work any more: a dead dispatcher, or no worker left."""
        failed = asyncio.create_task(self.pool.failed.wait())
        try:
            await asyncio.wait({running, failed}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            failed.cancel()
        if self.pool.failed.is_set():
            reason = "no OCR worker can be started"
        else:
            reason = f"the dispatchers died: {running.exception()!r}"
        logger.bind(event="service.failed").critical(reason)
        self._on_failure(reason)
