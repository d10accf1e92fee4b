"""`/images`: upload an image, read its job."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from litestar import Request, Response, Router, delete, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import (
    OpenAPIFormat,
    OpenAPIMediaType,
    OpenAPIType,
    Operation,
    Reference,
    RequestBody,
    Schema,
)
from litestar.params import FromPath, FromQuery

from app import VERSION
from app.http.access.gate import admitted
from app.http.openapi import problems
from app.http.request_context import context_of
from app.http.requests.form_options import KEPT_PATTERN, MAX_EXPIRY_SECONDS, MAX_TAG_LETTERS
from app.http.requests.idempotency import InFlight, idempotency_key
from app.http.requests.prefer import WaitSeconds, wanted_wait, while_connected
from app.http.requests.strict import known_query_only
from app.http.requests.trace_context import traceparent_of
from app.http.requests.upload import MAX_FIELD_LETTERS, read_upload
from app.http.responses.schemas import Detail, JobView, job_view, progress_view
from app.http.responses.static import PRIVATE, held
from app.http.routes.lists import list_jobs
from app.service import Progress, Service
from ocr_engine.image import MEDIA_TYPES
from ocr_engine.options import TEXT_LAYERS


@dataclass
class UploadOperation(Operation):
    """Documents the two forms of an upload, which a handler that reads the raw request cannot."""

    def __post_init__(self) -> None:
        """Sets the request body."""
        binary = Schema(type=OpenAPIType.STRING, format=OpenAPIFormat.BINARY)
        text = OpenAPIType.STRING
        properties: dict[str, Schema | Reference] = {
            "file": binary,
            "pages": Schema(
                type=text,
                pattern=r"^[0-9,\s-]*$",
                max_length=MAX_FIELD_LETTERS,
                description="Which pages of a TIFF or PDF are read, as `1-3,7,20-`; without it all are.",
            ),
            "text_layer": Schema(
                type=text,
                enum=[*TEXT_LAYERS],
                default=TEXT_LAYERS[0],
                description="`auto`: a PDF's page whose own text is sound is taken from it, unread.",
            ),
            "language": Schema(
                type=text,
                max_length=MAX_FIELD_LETTERS,
                description="Languages that it is written in, as BCP 47 tags with commas between: `de,fr`. Without it "
                "those of the service, or what is read tells. `GET /capabilities` lists them.",
            ),
            "password": Schema(
                type=text,
                max_length=MAX_FIELD_LETTERS,
                description="Opens an encrypted PDF. Kept with the file, and forgotten with it.",
            ),
            "tag": Schema(
                type=text,
                pattern=r"^[^\x00-\x1f\x7f]*$",
                max_length=MAX_TAG_LETTERS,
                description="The client's own word for the job; /images lists by it.",
            ),
            "expires_in": Schema(
                type=OpenAPIType.INTEGER,
                minimum=1,
                maximum=MAX_EXPIRY_SECONDS,
                description="Seconds after its end when the job is deleted.",
            ),
            "keep_upload": Schema(
                type=text,
                pattern=KEPT_PATTERN,
                description="Hours after its end for which the file can be had; `false` as 0.",
            ),
            "metadata": Schema(
                type=OpenAPIType.OBJECT,
                additional_properties=Schema(type=text, max_length=50),
                max_properties=3,
                description="A JSON object of texts, 500 letters at most, that is shown with the job.",
            ),
        }
        form = Schema(type=OpenAPIType.OBJECT, properties=properties, required=["file"], additional_properties=False)
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
    responses={
        200: ResponseSpec(JobView, generate_examples=False, description="It was waited for, and has ended."),
        **problems(400, 401, 403, 408, 409, 410, 413, 415, 422, 429, 500, 503, 507),
    },
    summary="Upload an image",
    description="Accepted means stored: the job survives a crash from here on. `Location` names the job. With "
    "`Prefer: wait=N` (RFC 7240) or `?wait=N` the answer is 200 with the text where the job ends within N seconds.",
)
async def submit_image(
    request: Request[Any, Any, State],
    service: NamedDependency[Service],
    wait: WaitSeconds = 0,
    detail: FromQuery[Detail] = "lines",
) -> Response[JobView]:
    """Accepts an image: 202 with the job, and where and when to look for its text."""
    context = context_of(request.scope)
    most, seconds = service.settings.max_image_bytes, service.settings.upload_timeout_seconds
    key = idempotency_key(request.headers.getall("idempotency-key", []))
    in_flight: InFlight = request.app.state.in_flight
    with in_flight.only(context.owner, key):
        progress = await service.submit(
            lambda body: read_upload(request, body, max_bytes=most, timeout=seconds, settings=service.settings),
            owner=context.owner,
            client=context.client,
            idempotency_key=key,
            traceparent=traceparent_of(request.headers.getall("traceparent", [])),
        )
    progress = await _waited_for(request, service, progress, wait)
    return shown(progress, detail, {"Location": f"/images/{progress.job.id}", **preference_applied(progress, wait)})


def accepted(progress: Progress) -> Response[JobView]:
    """202 with a job that waits from now on, and where and when to look for it."""
    return shown(progress, "lines", {"Location": f"/images/{progress.job.id}"})


def shown(progress: Progress, detail: Detail, headers: Mapping[str, str]) -> Response[JobView]:
    """The job: 200 once it has ended, 202 with Retry-After before."""
    if progress.job.status.terminal:
        return Response(progress_view(progress, detail), status_code=200, headers=headers)
    pause = {"Retry-After": str(progress.retry_after)}
    return Response(progress_view(progress, detail), status_code=202, headers={**headers, **pause})


def preference_applied(progress: Progress, wait: int) -> Mapping[str, str]:
    """Preference-Applied where the Prefer header was followed; `wait` as query parameter goes before it."""
    return {"Preference-Applied": "wait"} if progress.waited and not wait else {}


async def _waited_for(request: Request[Any, Any, State], service: Service, progress: Progress, wait: int) -> Progress:
    """The job once it has ended, or as it stands when the client has waited for as long as it wanted to, or is gone."""
    context = context_of(request.scope)
    seconds = wait or wanted_wait(request.headers.getall("prefer", []))
    if not seconds or not context.may_read or progress.job.status.terminal:
        return progress
    ending = service.progress_at_end(progress.job.id, context.viewer, seconds)
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
    detail: FromQuery[Detail] = "lines",
) -> Response[Any]:
    """The job, with its text once it is done."""
    progress = await service.progress(job_id, context_of(request.scope).viewer)
    progress = await _waited_for(request, service, progress, wait)
    headers = dict(preference_applied(progress, wait))
    if progress.job.status.terminal:
        etag = f'"{progress.job.revision}-{detail}-{VERSION}"'
        # weak: the same for an answer through gzip. Not `no-store`: who has read it need not be sent it again
        headers |= {"ETag": f"W/{etag}", "Cache-Control": PRIVATE}
        if held(request, etag):
            return Response(None, status_code=304, headers=headers)
    return shown(progress, detail, headers)


@delete(
    "/{job_id:str}",
    status_code=200,
    responses={
        200: ResponseSpec(JobView, generate_examples=False, description="It is cancelled."),
        204: ResponseSpec(None, generate_examples=False, description="It had ended, and is erased."),
        **problems(400, 401, 403, 404, 409, 410, 429, 500, 503),
    },
    summary="Cancel or erase a job",
    description="A job that has not ended is cancelled and its image forgotten; the same answer however often. One "
    "that is done or a dead letter is erased: text, image and attempts; its id answers 410 from then on.",
)
async def delete_job(
    request: Request[Any, Any, State], job_id: FromPath[str], service: NamedDependency[Service]
) -> Response[Any]:
    """The job, cancelled, or nothing of it."""
    cancelled = await service.delete(job_id, context_of(request.scope).viewer)
    return Response(job_view(cancelled), status_code=200) if cancelled else Response(None, status_code=204)


router = Router(
    "/images",
    route_handlers=[submit_image, list_jobs, read_job, delete_job],
    guards=[admitted, known_query_only],
    tags=["Images"],
)
