"""`POST /batches`: many files, or a ZIP of them."""

from typing import Any

from litestar import Request, Response, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec

from app.batches.batches import BatchProgress
from app.batches.taking import Sender
from app.http.access.gate import Gate
from app.http.openapi import problems
from app.http.request_context import context_of
from app.http.requests.batch_upload import read_batch
from app.http.requests.idempotency import InFlight, idempotency_key
from app.http.requests.options.asked import IN_QUERY
from app.http.requests.prefer import WaitSeconds, preference_applied, seconds_to_wait, while_connected
from app.http.requests.strict import MORE_QUERY
from app.http.requests.trace_context import traceparent_of
from app.http.responses.batches import BatchDetailView, batch_detail_view
from app.http.routes.batches.operation import BatchOperation
from app.service import Service

AnyRequest = Request[Any, Any, State]


@post(
    "/",
    status_code=202,
    operation_class=BatchOperation,
    opt={MORE_QUERY: IN_QUERY},
    request_max_body_size=None,  # what is read is counted, against another limit than that of single files
    responses={
        200: ResponseSpec(BatchDetailView, generate_examples=False, description="It was waited for, and has ended."),
        **problems(400, 401, 403, 404, 408, 409, 410, 413, 415, 422, 429, 500, 503, 507),
    },
    summary="Upload many files",
    description="Each becomes a job, or has its `problem` in the answer; options hold for all. Where none becomes a "
    "job, the request is refused and nothing kept.",
)
async def submit_batch(
    request: AnyRequest, service: NamedDependency[Service], wait: WaitSeconds = 0
) -> Response[BatchDetailView]:
    """Accepts the files: 202 with the batch, its jobs and problems."""
    context = context_of(request.scope)
    gate: Gate = request.app.state.gate
    in_flight: InFlight = request.app.state.in_flight
    sender = Sender(
        owner=context.owner,
        client=context.client,
        idempotency_key=idempotency_key(request.headers.getall("idempotency-key", [])),
        traceparent=traceparent_of(request.headers.getall("traceparent", [])),
    )
    with in_flight.only(sender.owner, sender.idempotency_key):
        batch_id = await service.batches.taking.submit(
            lambda parcel: read_batch(request, parcel, service.settings, service.fetcher),
            sender,
            lambda count: gate.admit_more(request, count),
        )
    most = service.settings.max_batch_files
    progress = await service.batches.progress(batch_id, None, limit=most)
    if context.may_read:
        progress = await waited_for(request, service, progress, wait, most)
    else:
        progress = progress.as_accepted()
    return shown(progress, wait, {"Location": f"/batches/{batch_id}"})


async def waited_for(
    request: AnyRequest, service: Service, progress: BatchProgress, wait: int, limit: int, after: int = 0
) -> BatchProgress:
    """The batch once it has ended, or as it stands when its client has waited for as long as it wanted, or is gone."""
    seconds = seconds_to_wait(request, wait)
    if not seconds or progress.state.status.terminal:
        return progress
    batch_id, viewer = progress.state.batch.id, context_of(request.scope).viewer
    ending = service.batches.progress(batch_id, viewer, after=after, limit=limit, seconds=seconds)
    return await while_connected(request, ending) or progress


def shown(progress: BatchProgress, wait: int, headers: dict[str, str]) -> Response[BatchDetailView]:
    """The batch: 200 once it has ended, 202 with Retry-After before."""
    headers |= preference_applied(progress.waited, wait)
    if progress.state.status.terminal:
        return Response(batch_detail_view(progress), status_code=200, headers=headers)
    headers |= {"Retry-After": str(progress.retry_after)}
    return Response(batch_detail_view(progress), status_code=202, headers=headers)
