"""`/queue` for autoscalers and `/metrics` for Prometheus."""

from litestar import Response, Router, get
from litestar.di import NamedDependency

from app.http.openapi import problems
from app.http.responses.schemas import HistoryView, QueueView, history_view, queue_view
from app.service import Service

TEXT_FORMAT = "text/plain; version=0.0.4; charset=utf-8"
"""Prometheus's, in the version that every scraper takes: some refuse 1.0.0, which is the same but for quoted names."""


@get(
    "/queue",
    responses=problems(401, 500, 503),
    summary="How much work is there?",
    description="`drain_seconds` is what an autoscaler wants: the time that the work needs with the workers there are.",
)
async def queue(service: NamedDependency[Service]) -> QueueView:
    """Depth, capacity and speed."""
    return queue_view(await service.operations.queue_figures())


@get(
    "/queue/history",
    responses=problems(401, 500, 503),
    summary="What was read in the last hour?",
    description="By minute, of all nodes, oldest first; the last one is under way. Erased jobs stay counted.",
)
async def queue_history(service: NamedDependency[Service]) -> HistoryView:
    """Pages that ended in each minute, and how long they took."""
    return history_view(await service.operations.history())


@get(
    "/metrics",
    media_type=TEXT_FORMAT,
    responses=problems(401, 500, 503),
    summary="Metrics for Prometheus",
    description="Text format; every metric is described in docs/operations.md.",
)
async def metrics(service: NamedDependency[Service]) -> Response[bytes]:
    """Counters, histograms, and gauges of this moment."""
    # as a header: Litestar would add a second charset to a media type that is text
    return Response(await service.operations.metrics(), headers={"Content-Type": TEXT_FORMAT})


router = Router("/", route_handlers=[queue, queue_history, metrics], tags=["Operations"])
