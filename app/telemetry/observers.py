"""Who is told of what happens: the log, the metrics and, where they are wanted, traces."""

from typing import TYPE_CHECKING

from app.telemetry import log
from app.telemetry.metrics import Metrics
from ocr_engine.workers.pool import PoolEvent
from persistence.job import Job

if TYPE_CHECKING:  # opentelemetry is an extra
    from app.telemetry.tracing import Tracing


class Observers:
    """What the parts call back; none of them needs to know who listens."""

    def __init__(self, metrics: Metrics, tracing: "Tracing | None") -> None:
        self.metrics = metrics
        self._tracing = tracing

    def job_changed(self, old: Job, job: Job) -> None:
        """A transition was stored."""
        log.job_changed(old, job)
        self.metrics.job_changed(old, job)
        if self._tracing is not None:
            self._tracing.job_changed(old, job)

    def outcome_dropped(self, job: Job) -> None:
        """An attempt's outcome was not stored; `job` as it was claimed."""
        if self._tracing is not None:
            self._tracing.outcome_dropped(job)

    def pool_changed(self, event: PoolEvent) -> None:
        """Something happened to a worker."""
        log.pool_changed(event)
        self.metrics.pool_changed(event)

    def store_used(self, operation: str, seconds: float) -> None:
        """An operation of the store has ended."""
        self.metrics.store_used(operation, seconds)
        if self._tracing is not None:
            self._tracing.store_used(operation, seconds)

    def traceparent(self, job_id: str) -> str:
        """The W3C trace context under which the job comes in; empty where nothing is traced."""
        return "" if self._tracing is None else self._tracing.traceparent(job_id)
