"""`/health/live`, `/health/ready` and `/health/ai`."""

from litestar import Response, Router, get
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec

from app.health import Grade
from app.http.openapi import problems
from app.http.responses.schemas import AiHealthView, LiveView, ReadyView, ai_health_view
from app.service import Service


@get(
    "/live",
    responses=problems(401, 500),
    summary="Is the process alive?",
    description="No OCR, no store: 200 while the event loop answers.",
)
async def live() -> LiveView:
    """Alive."""
    return LiveView()


@get(
    "/ready",
    responses={
        503: ResponseSpec(ReadyView, generate_examples=False, description="Not ready; `reasons` says why."),
        **problems(401, 500),
    },
    summary="Should it get work?",
    description="Ready: the store can be written, workers are warm, dispatchers run, the queue has room. No OCR.",
)
async def ready(service: NamedDependency[Service]) -> Response[ReadyView]:
    """Ready, or why not."""
    reasons = await service.operations.unready()
    view = ReadyView(status="unready" if reasons else "ready", reasons=tuple(reasons))
    return Response(view, status_code=503 if reasons else 200)


@get(
    "/ai",
    responses={
        503: ResponseSpec(AiHealthView, generate_examples=False, description="The verdict is `failing`."),
        **problems(401, 500),
    },
    summary="Does it read well?",
    description="Reads a known sample with the real workers and judges text, confidence and latency. Cached.",
)
async def ai(service: NamedDependency[Service]) -> Response[AiHealthView]:
    """The verdict on the sample."""
    report = await service.operations.health_report()
    return Response(ai_health_view(report), status_code=503 if report.verdict.grade is Grade.FAILING else 200)


router = Router("/health", route_handlers=[live, ready, ai], tags=["Health"])
