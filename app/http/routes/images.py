"""`/images`: upload an image, read its job."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from litestar import Request, Response, Router, delete, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import OpenAPIFormat, OpenAPIMediaType, OpenAPIType, Operation, RequestBody, Schema
from litestar.params import FromPath

from app.http.gate import admitted, client_of, owner_of, seen_by
from app.http.openapi import problems
from app.http.prefer import wanted_wait, while_connected
from app.http.problems import ApiError, api_error
from app.http.schemas import JobView, job_view
from app.http.upload import read_image, type_by_bytes
from app.service import Service
from ocr_engine.image import MEDIA_TYPES, probe
from persistence.job import Job

JOB_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass
class UploadOperation(Operation):
    """Documents the two forms of an upload, which a handler that reads the raw request cannot."""

    def __post_init__(self) -> None:
        """Sets the request body."""
        binary = Schema(type=OpenAPIType.STRING, format=OpenAPIFormat.BINARY)
        form = Schema(type=OpenAPIType.OBJECT, properties={"file": binary}, required=["file"])
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
    image = b""
    try:
        with service.queue.reserve():
            pass  # refuse before the body is read, not after
        with service.upload_memory.body(client_of(request)) as body:
            image = await read_image(request, body, timeout=service.settings.upload_timeout_seconds)
            info = probe(image, service.settings.max_image_pixels, service.settings.max_image_pages)
            job = await service.intake.submit(image, info, owner_of(request), service.observers.traceparent())
    except Exception as error:
        raise refusal(service, error, image) from error
    return Response(
        job_view(job),
        status_code=202,
        headers={"Location": f"/images/{job.id}", "Retry-After": str(service.retry_after())},
    )


def refusal(service: Service, error: Exception, image: bytes) -> ApiError:
    """What an upload is answered that ended with this error, counted. Raises the error itself where it has no name.

    `image`: as far as it was read.
    """
    # apart from the handler: an exception in a variable of the frame that raises it is a cycle, and keeps the image
    named = api_error(error, service.retry_after())
    if named is None:
        raise error
    service.observers.metrics.upload_refused(type_by_bytes(image), named.code)
    return named


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
    request: Request[Any, Any, State], job_id: FromPath[str], service: NamedDependency[Service]
) -> Response[JobView]:
    """The job, with its text once it is done."""
    job, headers = await own_job(request, service, job_id), {}
    seconds = min(wanted_wait(request.headers.getall("prefer", [])), service.settings.max_wait_seconds)
    if seconds and not job.status.terminal and not service.waiters.full:
        ending = service.waiters.ended(job.id, lambda: own_job(request, service, job_id), seconds)
        job = await while_connected(request, ending) or job
        headers["Preference-Applied"] = "wait"
    if job.status.terminal:
        return Response(job_view(job), status_code=200, headers=headers)
    headers["Retry-After"] = str(service.retry_after(job))
    return Response(job_view(job), status_code=202, headers=headers)


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
    cancelled = await service.cancellation.cancel(await own_job(request, service, job_id))
    return job_view(cancelled or await own_job(request, service, job_id))


async def own_job(request: Request[Any, Any, Any], service: Service, job_id: str) -> Job:
    """The job, if it is there and the request's own. Raises ApiError: a foreign job is as unknown as none."""
    owner = seen_by(request)
    job = await service.store.get(job_id) if JOB_ID.fullmatch(job_id) else None
    if job is not None and owner in (None, job.owner):
        return job
    if job is None and JOB_ID.fullmatch(job_id) and await service.store.was_deleted(job_id, owner):
        raise ApiError("job_gone", f"job {job_id} was deleted")
    raise ApiError("job_not_found", "there is no such job")


router = Router("/images", route_handlers=[submit_image, read_job, cancel_job], guards=[admitted], tags=["Images"])
