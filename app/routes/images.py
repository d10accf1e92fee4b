"""`/images`: upload an image, read its job."""

from collections.abc import Sequence
from dataclasses import dataclass

from litestar import Request, Response, Router, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import OpenAPIFormat, OpenAPIMediaType, OpenAPIType, Operation, RequestBody, Schema
from litestar.params import FromPath
from ocr_engine.image import probe

from app.errors import PROBLEM_JSON, ApiError, Problem, api_error
from app.schemas import JobView, job_view
from app.service import Service
from app.upload import read_image

IMAGE_TYPES = ("image/jpeg", "image/png", "image/webp", "image/bmp", "image/tiff", "image/gif")


def problems(*statuses: int) -> dict[int, ResponseSpec]:
    """The problem+json answers of a route, for its documentation."""
    return {
        status: ResponseSpec(
            Problem, media_type=PROBLEM_JSON, generate_examples=False, description="Problem (RFC 9457)."
        )
        for status in statuses
    }


@dataclass
class UploadOperation(Operation):
    """Documents the two forms of an upload, which a handler that reads the raw request cannot."""

    def __post_init__(self) -> None:
        """Sets the request body."""
        binary = Schema(type=OpenAPIType.STRING, format=OpenAPIFormat.BINARY)
        form = Schema(type=OpenAPIType.OBJECT, properties={"file": binary}, required=["file"])
        raw: Sequence[str] = (*IMAGE_TYPES, "application/octet-stream")
        self.request_body = RequestBody(
            required=True,
            description="An image as the multipart part `file`, or as the body itself. Its type is told by its bytes.",
            content={
                "multipart/form-data": OpenAPIMediaType(schema=form),
                **{media_type: OpenAPIMediaType(schema=binary) for media_type in raw},
            },
        )


@post(
    "/",
    status_code=202,
    operation_class=UploadOperation,
    responses=problems(400, 408, 413, 415, 422, 500, 503, 507),
    summary="Upload an image",
    description="Accepted means stored: the job survives a crash from here on. `Location` names the job.",
)
async def submit_image(request: Request[None, None, State], service: NamedDependency[Service]) -> Response[JobView]:
    """Accepts an image: 202 with the job, and where and when to look for its text."""
    try:
        with service.queue.reserve():
            pass  # refuse before the body is read, not after
        image = await read_image(request, timeout=service.settings.upload_timeout_seconds)
        info = probe(image, service.settings.max_image_pixels)
        job = await service.intake.submit(image, info)
    except Exception as error:
        named = api_error(error, service.retry_after())
        if named is None:
            raise
        raise named from error
    return Response(
        job_view(job),
        status_code=202,
        headers={"Location": f"/images/{job.id}", "Retry-After": str(service.retry_after())},
    )


@get(
    "/{job_id:str}",
    responses={
        202: ResponseSpec(JobView, generate_examples=False, description="Not finished yet; see Retry-After."),
        **problems(404, 410, 500, 503),
    },
    summary="Read a job",
    description="202 while the job is queued or processing, 200 when it has ended, well or badly: see `status`.",
)
async def read_job(job_id: FromPath[str], service: NamedDependency[Service]) -> Response[JobView]:
    """The job, with its text once it is done."""
    job = await service.store.get(job_id)
    if job is None:
        if await service.store.was_deleted(job_id):
            raise ApiError("job_gone", f"job {job_id!r} was deleted")
        raise ApiError("job_not_found", f"there is no job {job_id!r}")
    if job.status.terminal:
        return Response(job_view(job), status_code=200)
    return Response(job_view(job), status_code=202, headers={"Retry-After": str(service.retry_after())})


router = Router("/images", route_handlers=[submit_image, read_job], tags=["Images"])
