"""`/images`: upload an image, read its job."""

from collections.abc import Mapping
from typing import Any

from litestar import Request, Response, Router, delete, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath, FromQuery

from app import VERSION
from app.http.checks import checked
from app.http.forgetting import forget_once_sent
from app.http.openapi import problems
from app.http.request_context import context_of
from app.http.requests.idempotency import InFlight, idempotency_key
from app.http.requests.options.asked import IN_QUERY
from app.http.requests.prefer import WaitSeconds, preference_applied, seconds_to_wait, while_connected
from app.http.requests.strict import MORE_QUERY
from app.http.requests.trace_context import traceparent_of
from app.http.requests.upload import read_upload
from app.http.responses.job_answer import job_answer, receipt
from app.http.responses.schemas import JobView
from app.http.responses.static import PRIVATE, held
from app.http.routes.lists import list_jobs
from app.http.routes.upload_operation import UploadOperation
from app.results.lookup import Progress
from app.results.stored_run import Detail
from app.service import Service


@post(
    "/",
    status_code=202,
    operation_class=UploadOperation,
    opt={MORE_QUERY: IN_QUERY},
    responses={
        200: ResponseSpec(JobView, generate_examples=False, description="It was waited for, and has ended."),
        **problems(400, 401, 403, 408, 409, 410, 413, 415, 422, 429, 500, 503, 507),
    },
    summary="Upload an image",
    description="Accepted means stored: the job survives a crash from here on. `Location` names the job. With "
    "`Prefer: wait=N` (RFC 7240) or `?wait=N` the answer is 200 with the text where the job ends within N seconds. "
    "Options may stand in the query, too: see the form.",
)
async def submit_image(
    request: Request[Any, Any, State],
    service: NamedDependency[Service],
    wait: WaitSeconds = 0,
    detail: FromQuery[Detail | None] = None,
) -> Response[JobView]:
    """Accepts an image: 202 with the job, and where and when to look for its text."""
    context = context_of(request.scope)
    most, seconds = service.settings.max_image_bytes, service.settings.upload_timeout_seconds
    key = idempotency_key(request.headers.getall("idempotency-key", []))
    in_flight: InFlight = request.app.state.in_flight
    with in_flight.only(context.owner, key):
        progress = await service.submit(
            lambda body: read_upload(
                request, body, max_bytes=most, timeout=seconds, settings=service.settings, fetcher=service.fetcher
            ),
            owner=context.owner,
            client=context.client,
            idempotency_key=key,
            traceparent=traceparent_of(request.headers.getall("traceparent", [])),
        )
    progress = await _waited_for(request, service, progress, wait)
    location = {"Location": f"/images/{progress.job.id}"}
    return await shown(request, service, progress, location | preference_applied(progress.waited, wait), detail)


async def accepted(request: Request[Any, Any, Any], service: Service, progress: Progress) -> Response[Any]:
    """202 with a job that waits from now on, and where and when to look for it."""
    return await shown(request, service, progress, {"Location": f"/images/{progress.job.id}"})


async def shown(
    request: Request[Any, Any, Any],
    service: Service,
    progress: Progress,
    headers: Mapping[str, str],
    detail: Detail | None = None,
) -> Response[Any]:
    """The job: 200 once it has ended, 202 with Retry-After before. To a key that may only upload: its receipt."""
    if not context_of(request.scope).may_read:
        progress = receipt(progress)
    forget_once_sent(request, service, progress.job)
    status_code = 200 if progress.job.status.terminal else 202
    pause = {} if progress.job.status.terminal else {"Retry-After": str(progress.retry_after)}
    return await job_answer(
        request, service, progress, status_code=status_code, detail=detail, headers={**headers, **pause}
    )


async def _waited_for(request: Request[Any, Any, State], service: Service, progress: Progress, wait: int) -> Progress:
    """The job once it has ended, or as it stands when the client has waited for as long as it wanted to, or is gone."""
    seconds = seconds_to_wait(request, wait)
    if not seconds or progress.job.status.terminal:
        return progress
    ending = service.progress_at_end(progress.job.id, context_of(request.scope).viewer, seconds)
    return await while_connected(request, ending) or progress


@get(
    "/{job_id:str}",
    responses={
        200: ResponseSpec(JobView, generate_examples=False, description="It has ended; see `status`."),
        202: ResponseSpec(JobView, generate_examples=False, description="Not finished yet; see Retry-After."),
        304: ResponseSpec(None, generate_examples=False, description="As the client has it, by its If-None-Match."),
        **problems(400, 401, 403, 404, 410, 429, 500, 503),
    },
    summary="Read a job",
    description="202 while the job is queued or processing, 200 when it has ended, well or badly: see `status`. "
    "With `Prefer: wait=N` (RFC 7240) or `?wait=N` the answer comes as soon as the job has ended, or after N seconds.",
)
async def read_job(
    request: Request[Any, Any, State],
    job_id: FromPath[str],
    service: NamedDependency[Service],
    wait: WaitSeconds = 0,
    detail: FromQuery[Detail | None] = None,
) -> Response[Any]:
    """The job, with its text once it is done."""
    progress = await service.progress(job_id, context_of(request.scope).viewer)
    progress = await _waited_for(request, service, progress, wait)
    headers = preference_applied(progress.waited, wait)
    if progress.job.status.terminal:
        etag = f'"{progress.job.revision}-{detail or progress.job.options.detail}-{VERSION}"'
        # weak: the same for an answer through gzip. Not `no-store`: who has read it need not be sent it again
        headers |= {"ETag": f"W/{etag}", "Cache-Control": PRIVATE}
        if held(request, etag):
            return Response(None, status_code=304, headers=headers)
    return await shown(request, service, progress, headers, detail)


@delete(
    "/{job_id:str}",
    status_code=200,
    responses={
        200: ResponseSpec(JobView, generate_examples=False, description="It is cancelled."),
        204: ResponseSpec(None, generate_examples=False, description="It had ended, and is erased."),
        **problems(400, 401, 403, 404, 409, 410, 429, 500, 503),
    },
    summary="Cancel or erase a job",
    description="A job that has not ended is cancelled and its image forgotten. One that is done, a dead letter or "
    "cancelled is erased: text, image and attempts; its id answers 410 from then on.",
)
async def delete_job(
    request: Request[Any, Any, State], job_id: FromPath[str], service: NamedDependency[Service]
) -> Response[Any]:
    """The job, cancelled, or nothing of it."""
    cancelled = await service.delete(job_id, context_of(request.scope).viewer)
    return await shown(request, service, cancelled, {}) if cancelled else Response(None, status_code=204)


router = Router(
    "/images",
    route_handlers=[submit_image, list_jobs, read_job, delete_job],
    before_request=checked,
    tags=["Images"],
)
