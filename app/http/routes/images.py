"""`/images`: upload an image, read its job."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from litestar import Request, Response, Router, delete, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import OpenAPIFormat, OpenAPIMediaType, OpenAPIType, Operation, RequestBody, Schema
from litestar.params import FromPath, FromQuery

from app.http.access.gate import admitted
from app.http.openapi import problems
from app.http.request_context import context_of
from app.http.requests.prefer import wanted_wait, while_connected
from app.http.requests.strict import known_query_only
from app.http.requests.upload import read_image
from app.http.schemas import Detail, JobView, job_view
from app.service import Progress, Service
from ocr_engine.image import MEDIA_TYPES


@dataclass
class UploadOperation(Operation):
    """Documents the two forms of an upload, which a handler that reads the raw request cannot."""

    def __post_init__(self) -> None:
        """Sets the request body."""
        binary = Schema(type=OpenAPIType.STRING, format=OpenAPIFormat.BINARY)
        form = Schema(
            type=OpenAPIType.OBJECT, properties={"file": binary}, required=["file"], additional_properties=False
        )
        raw: Sequence[str] = (*MEDIA_TYPES, "application/octet-stream")
        self.request_body = RequestBody(
            required=True,
            description="An image as the multipart part `file`, or as the body itself. Its type is told by its bytes; "
            "a body sent as `application/x-www-form-urlencoded`, as curl does by itself, is taken for the image, too.",
            content={
                "multipart/form-data": OpenAPIMediaType(schema=form),
                **{media_type: OpenAPIMediaType(schema=binary) for media_type in raw},
            },
        )


@post(
    "/",
    status_code=202,
    operation_class=UploadOperation,
    responses=problems(400, 401, 408, 413, 415, 422, 429, 500, 503, 507),
    summary="Upload an image",
    description="Accepted means stored: the job survives a crash from here on. `Location` names the job.",
)
async def submit_image(request: Request[None, None, State], service: NamedDependency[Service]) -> Response[JobView]:
    """Accepts an image: 202 with the job, and where and when to look for its text."""
    context = context_of(request.scope)
    limit = service.settings.upload_timeout_seconds
    progress = await service.submit(
        lambda body: read_image(request, body, timeout=limit), owner=context.owner, client=context.client
    )
    return accepted(progress)


def accepted(progress: Progress) -> Response[JobView]:
    """202 with a job that waits from now on, and where and when to look for it."""
    headers = {"Location": f"/images/{progress.job.id}", "Retry-After": str(progress.retry_after)}
    return Response(job_view(progress.job), status_code=202, headers=headers)


@get(
    "/{job_id:str}",
    responses={
        202: ResponseSpec(JobView, generate_examples=False, description="Not finished yet; see Retry-After."),
        **problems(400, 401, 404, 410, 429, 500, 503),
    },
    summary="Read a job",
    description="202 while the job is queued or processing, 200 when it has ended, well or badly: see `status`. "
    "With `Prefer: wait=N` the answer comes as soon as the job has ended, or after N seconds (RFC 7240).",
)
async def read_job(
    request: Request[Any, Any, State],
    job_id: FromPath[str],
    service: NamedDependency[Service],
    detail: FromQuery[Detail] = "lines",
) -> Response[JobView]:
    """The job, with its text once it is done."""
    viewer, headers = context_of(request.scope).viewer, {}
    progress = await service.progress(job_id, viewer)
    seconds = wanted_wait(request.headers.getall("prefer", []))
    if seconds and not progress.job.status.terminal:
        ending = service.progress_at_end(job_id, viewer, seconds)
        progress = await while_connected(request, ending) or progress
    if progress.waited:
        headers["Preference-Applied"] = "wait"
    if progress.job.status.terminal:
        return Response(job_view(progress.job, detail), status_code=200, headers=headers)
    headers["Retry-After"] = str(progress.retry_after)
    return Response(job_view(progress.job, detail), status_code=202, headers=headers)


@delete(
    "/{job_id:str}",
    status_code=200,
    responses=problems(400, 401, 404, 409, 410, 429, 500, 503),
    summary="Cancel a job",
    description="Cancels a job that has not ended and forgets its image; the same answer however often. 409 once it is "
    "done or a dead letter.",
)
async def cancel_job(
    request: Request[Any, Any, State], job_id: FromPath[str], service: NamedDependency[Service]
) -> JobView:
    """The job, cancelled."""
    return job_view(await service.cancel(job_id, context_of(request.scope).viewer))


router = Router(
    "/images", route_handlers=[submit_image, read_job, cancel_job], guards=[admitted, known_query_only], tags=["Images"]
)
