"""What operators, probes and autoscalers ask of the running service: readiness, figures, metrics."""

import asyncio

from msgspec import Struct

from app import clock
from app.background import Background
from app.cluster.node_kind import NodeKind
from app.delivery.streams import Streams
from app.health import Health, Verdict
from app.jobs.admission import Admission
from app.jobs.capacity import Capacity
from app.jobs.reading.dispatchers import Dispatchers
from app.telemetry.metrics import Gauges, Metrics
from config import machine
from ocr_engine.workers.pool import ManagedPool, WorkerInfo, WorkerState
from persistence.history.minute import MINUTE, Minute, minute_of
from persistence.queue import JobQueue
from persistence.store import JobStore, StoreError

CHECK_SECONDS = 2.0
"""How long readiness waits for the store; who probes waits hardly longer."""
HISTORY_MINUTES = 60
"""How far back the history goes, the minute that is under way included."""


class QueueFigures(Struct, frozen=True, kw_only=True):
    """How much work there is, and how fast it goes."""

    depth: int
    active: int
    limit: int
    workers: int
    """Of all nodes."""
    service_seconds: float
    drain_seconds: float | None


class HealthReport(Struct, frozen=True, kw_only=True):
    """The verdict on the sample, and what else an operator wants to know then."""

    verdict: Verdict
    age_seconds: float
    queue: QueueFigures
    machine: machine.MachineLoad
    workers: tuple[WorkerInfo, ...]


class Operations:
    """Looks at the parts of a node, and changes none of them."""

    def __init__(
        self,
        *,
        kind: NodeKind,
        store: JobStore,
        pool: ManagedPool,
        queue: JobQueue,
        queue_limit: int,
        dispatchers: Dispatchers,
        background: Background,
        admission: Admission,
        capacity: Capacity,
        ai_health: Health,
        streams: Streams,
        metrics: Metrics,
        check_seconds: float = CHECK_SECONDS,
    ) -> None:
        self.stopping = False
        """Set once the service takes no new work."""
        self._kind = kind
        self._store = store
        self._pool = pool
        self._queue = queue
        self._queue_limit = queue_limit
        self._dispatchers = dispatchers
        self._background = background
        self._admission = admission
        self._capacity = capacity
        self._ai_health = ai_health
        self._streams = streams
        self._metrics = metrics
        self._check_seconds = check_seconds

    async def queue_figures(self) -> QueueFigures:
        """The queue as it stands. Raises StoreError."""
        depth = self._queue.depth()
        active = max(0, await self._store.pages_left() - depth)
        return QueueFigures(
            depth=depth,
            active=active,
            limit=self._queue_limit,
            workers=self._capacity.workers,
            service_seconds=self._capacity.service_seconds,
            drain_seconds=self._capacity.drain_seconds(depth + active),
        )

    async def history(self) -> list[Minute]:
        """The last HISTORY_MINUTES of all nodes, oldest first, those in which nothing ended too. Raises StoreError."""
        now = minute_of(clock.now())
        shown = [now - MINUTE * ago for ago in reversed(range(HISTORY_MINUTES))]
        known = {minute.begins: minute for minute in await self._store.minutes(shown[0])}
        return [known.get(begins) or Minute(begins=begins) for begins in shown]

    async def forget_history(self) -> None:
        """Forgets the minutes that are not shown any more. Raises StoreError."""
        await self._store.forget_minutes(clock.now() - MINUTE * HISTORY_MINUTES)

    async def health_report(self) -> HealthReport:
        """How well the sample is read, with the state of queue, machine and workers. Raises StoreError."""
        verdict = await self._ai_health.verdict()
        return HealthReport(
            verdict=verdict,
            age_seconds=self._ai_health.age(verdict),
            queue=await self.queue_figures(),
            machine=machine.load(),
            workers=tuple(self._pool.workers()),
        )

    def backend(self) -> str:
        """What runs the models of this node's workers; empty until one is warm, and where there are none."""
        return next((worker.backend for worker in self._pool.workers() if worker.backend), "")

    async def metrics(self) -> bytes:
        """Everything in Prometheus' text format, gauges taken at this moment. Raises StoreError."""
        return self._metrics.exposition(
            Gauges(
                ready=not await self.unready(),
                jobs=await self._store.counts(),
                backlog=await self._store.backlog(),
                queue_depth=self._queue.depth(),
                queue_limit=self._queue_limit,
                free_bytes=await self._store.free_bytes(),
                workers=tuple(self._pool.workers()),
                event_streams=self._streams.count,
                undelivered=await self._store.outbox.undelivered(),
                at=clock.now(),
            )
        )

    async def unready(self) -> list[str]:
        """Why the service should be sent no work now, in plain words; empty when it is ready."""
        reasons = []
        if self.stopping:
            reasons.append("the service is stopping")
        if self._kind.reads:
            if not self._dispatchers.running and not self.stopping:
                reasons.append("the dispatchers are not running")
            if not any(worker.state in (WorkerState.IDLE, WorkerState.BUSY) for worker in self._pool.workers()):
                reasons.append("no OCR worker is warm")
        reasons += [f"the loop {name!r} died" for name in self._background.dead()]
        if self._queue.depth() >= self._queue_limit:
            reasons.append("the queue is full")
        try:
            async with asyncio.timeout(self._check_seconds):
                await self._store.check()
                if shortage := await self._admission.short_of():
                    reasons.append(str(shortage))
        except StoreError as error:
            reasons.append(f"the store cannot be written: {error}")
        except TimeoutError:
            reasons.append(f"the store does not answer within {self._check_seconds:g} s")
        return reasons
