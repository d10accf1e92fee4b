"""`/images/{job_id}/deliveries` and `/deliveries`: what became of webhooks, and to have them sent again."""

from typing import Annotated, Any

from litestar import Request, Response, Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, QueryParameter

from app.http.checks import checked
from app.http.openapi import problems
from app.http.request_context import context_of
from app.http.requests.cursor import following, linked, place_after
from app.http.responses.delivery_views import (
    DeliveriesView,
    DeliveryView,
    ResentView,
    deliveries_view,
    delivery_view,
)
from app.service import Service
from persistence.outbox.delivery import DeliveryState

AnyRequest = Request[Any, Any, Any]
PageSize = Annotated[int, QueryParameter(ge=1, le=200, description="Deliveries on one page.")]


@get(
    "/{job_id:str}/deliveries",
    responses=problems(400, 401, 403, 404, 410, 429, 500, 503),
    summary="List a job's webhooks",
    description="Oldest first, each with its attempts.",
)
async def job_deliveries(
    request: AnyRequest, job_id: FromPath[str], service: NamedDependency[Service]
) -> DeliveriesView:
    """All deliveries of the job."""
    job = await service.job(job_id, context_of(request.scope).viewer)
    return deliveries_view(await service.webhooks.of_job(job))


@post(
    "/{job_id:str}/deliveries/{delivery_id:str}/resend",
    status_code=202,
    responses=problems(400, 401, 403, 404, 410, 429, 500, 503),
    summary="Send a webhook again",
    description="Whatever became of it: at once, under the same id, with all attempts before it.",
)
async def resend_job_delivery(
    request: AnyRequest, job_id: FromPath[str], delivery_id: FromPath[str], service: NamedDependency[Service]
) -> DeliveryView:
    """The delivery, due now."""
    viewer = context_of(request.scope).viewer
    job = await service.job(job_id, viewer)
    return delivery_view(await service.webhooks.send_again(delivery_id, viewer, job))


@get(
    "/",
    responses=problems(400, 401, 403, 429, 500, 503),
    summary="List webhooks",
    description="Of all jobs of the key, an admin's of all jobs; newest first. `next`, and `Link`, lead on.",
)
async def list_deliveries(
    request: AnyRequest,
    service: NamedDependency[Service],
    status: FromQuery[DeliveryState | None] = None,
    after: FromQuery[str | None] = None,
    limit: PageSize = 50,
) -> Response[DeliveriesView]:
    """A page of deliveries."""
    page = await service.webhooks.listed(context_of(request.scope).viewer, status, place_after(after), limit)
    view = deliveries_view(page.deliveries, following(page.next))
    return linked(view, "/deliveries", view.next, status=status, limit=limit)


@post(
    "/{delivery_id:str}/resend",
    status_code=202,
    responses=problems(400, 401, 403, 404, 429, 500, 503),
    summary="Send any webhook again",
    description="A batch's, too.",
)
async def resend_delivery(
    request: AnyRequest, delivery_id: FromPath[str], service: NamedDependency[Service]
) -> DeliveryView:
    """The delivery, due now."""
    return delivery_view(await service.webhooks.send_again(delivery_id, context_of(request.scope).viewer))


@post(
    "/resend",
    status_code=200,
    responses=problems(400, 401, 403, 429, 500, 503),
    summary="Send failed webhooks again",
    description="All that were given up, after a receiver was down for long.",
)
async def resend_failed_deliveries(request: AnyRequest, service: NamedDependency[Service]) -> ResentView:
    """How many are due now."""
    return ResentView(resent=await service.webhooks.send_all_again(context_of(request.scope).viewer))


of_jobs = Router(
    "/images",
    route_handlers=[job_deliveries, resend_job_delivery],
    before_request=checked,
    tags=["Webhooks"],
)
router = Router(
    "/deliveries",
    route_handlers=[list_deliveries, resend_delivery, resend_failed_deliveries],
    before_request=checked,
    tags=["Webhooks"],
)
