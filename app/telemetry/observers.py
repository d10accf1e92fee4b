"""Everything that observes the service: the log, the metrics and, where they are wanted, traces."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from app.delivery.courier import DeliveryEvents
from app.jobs.events import JobEvents
from app.telemetry import log
from app.telemetry.metrics import Metrics
from ocr_engine.workers.pool import PoolEvent

if TYPE_CHECKING:  # opentelemetry is an extra
    from app.telemetry.tracing import Tracing


class Observers:
    """What the parts call back; none of them needs to know who listens."""

    def __init__(self, metrics: Metrics, tracing: "Tracing | None", code_of: Callable[[Exception], str]) -> None:
        """`code_of`: the code under which an error is known to clients, and counted."""
        self.metrics = metrics
        self._tracing = tracing
        self._code_of = code_of

    @property
    def of_jobs(self) -> Sequence[JobEvents]:
        """Those who hear of jobs."""
        told: list[JobEvents] = [log.JobLog(), self.metrics]
        return told if self._tracing is None else [*told, self._tracing]

    @property
    def of_deliveries(self) -> Sequence[DeliveryEvents]:
        """Those who hear of webhooks."""
        return [log.DeliveryLog(), self.metrics.webhooks]

    def pool_changed(self, event: PoolEvent) -> None:
        """Something happened to a worker."""
        log.pool_changed(event)
        self.metrics.pool_changed(event)

    def upload_refused(self, media_type: str, error: Exception) -> None:
        """An upload ended with this error; `media_type` as its bytes say, or `unknown`."""
        self.metrics.upload_refused(media_type, self._code_of(error))

    def store_used(self, operation: str, seconds: float) -> None:
        """An operation of the store has ended."""
        self.metrics.store_used(operation, seconds)
        if self._tracing is not None:
            self._tracing.store_used(operation, seconds)

    def traceparent(self) -> str:
        """The W3C trace context of the request under way; empty where nothing is traced."""
        return "" if self._tracing is None else self._tracing.traceparent()
