"""The one table of errors: code -> HTTP status and title; and how any exception becomes problem+json (RFC 9457)."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Annotated, Any

from litestar import Request, Response
from litestar.exceptions import HTTPException, MethodNotAllowedException, NotFoundException, ValidationException
from loguru import logger
from msgspec import UNSET, Meta, Struct, UnsetType

from app.batches.refusals import (
    ArchiveTooLarge,
    BadArchive,
    BatchGone,
    BatchNotFound,
    BatchTooLarge,
    EmptyFile,
    LockedEntry,
    NothingTaken,
    RefusedFile,
    TooManyFiles,
)
from app.delivery.fetcher import UrlNotAllowed, UrlUnreachable
from app.delivery.streams import TooManyStreams
from app.delivery.webhooks import CallbackRefused, NoSuchDelivery, WebhooksOff
from app.http.request_context import context_of
from app.jobs.admission import MemoryShort, QuotaExceeded
from app.jobs.cancellation import AlreadyEnded
from app.jobs.dead_letters import NotADeadLetter
from app.jobs.incoming import IncomingFull
from app.jobs.page_selection import BadSelection
from app.jobs.received import IdempotencyKeyReused
from app.results.lookup import JobGone, JobNotFound
from app.results.stored_pages import PagesLost
from app.results.stored_run import NoResult, NoSuchPages, ResultUnfinished
from app.results.upload_uses import UploadExpired
from ocr_engine.errors import OcrError
from persistence.queue import QueueFull, QueueStopped
from persistence.store import StoreError, StoreFull

PROBLEM_JSON = "application/problem+json"
STORE_RETRY_SECONDS = 5
"""After which a client may ask again whose request met a store out of order: a database is restarted by then."""

STREAM_RETRY_SECONDS = 30
"""After which another event stream may find room: they last for as long as jobs and clients do."""


class ErrorKind(Struct, frozen=True):
    """What a code stands for."""

    status: int
    title: str


ERRORS: Mapping[str, ErrorKind] = MappingProxyType(
    {
        # requests
        "malformed_request": ErrorKind(400, "The request cannot be understood"),
        "unknown_parameter": ErrorKind(400, "A parameter or form field is not known"),
        "digest_mismatch": ErrorKind(400, "The body is not what its Content-Digest says"),
        "missing_file": ErrorKind(400, "The upload holds no image"),
        "unauthorized": ErrorKind(401, "A valid API key is needed"),
        "forbidden": ErrorKind(403, "This key may not do that"),
        "url_not_allowed": ErrorKind(403, "Nothing is fetched from this URL"),
        "not_found": ErrorKind(404, "There is nothing here"),
        "job_not_found": ErrorKind(404, "No such job"),
        "delivery_not_found": ErrorKind(404, "No such delivery"),
        "batch_not_found": ErrorKind(404, "No such batch"),
        "method_not_allowed": ErrorKind(405, "This method is not allowed here"),
        "not_acceptable": ErrorKind(406, "A result does not come in this format"),
        "upload_timeout": ErrorKind(408, "The upload took too long"),
        "not_a_dead_letter": ErrorKind(409, "The job is not a dead letter"),
        "already_ended": ErrorKind(409, "The job has already ended"),
        "result_unfinished": ErrorKind(409, "Not all that was asked for is read yet"),
        "no_result": ErrorKind(409, "The job ended without a result"),
        "request_in_flight": ErrorKind(409, "The first request with this key is not answered yet"),
        "job_gone": ErrorKind(410, "The job was deleted"),
        "batch_gone": ErrorKind(410, "The batch was deleted"),
        "upload_expired": ErrorKind(410, "The uploaded file is not kept any more"),
        "image_too_large": ErrorKind(413, "The upload is too large"),
        "archive_too_large": ErrorKind(413, "The ZIP unpacks to too much"),
        "too_many_files": ErrorKind(413, "The batch has too many files"),
        "too_many_pixels": ErrorKind(413, "The image has too many pixels"),
        "too_many_pages": ErrorKind(413, "The image has too many pages"),
        "unsupported_media_type": ErrorKind(415, "Not an image type that is read here"),
        "invalid_image": ErrorKind(422, "The image cannot be decoded"),
        "invalid_archive": ErrorKind(422, "The ZIP, or a file in it, cannot be unpacked"),
        "invalid_document": ErrorKind(422, "The document cannot be read"),
        "page_too_costly": ErrorKind(422, "The page takes too long to be drawn"),
        "no_such_page": ErrorKind(422, "The file has no such page"),
        "url_unreachable": ErrorKind(422, "No file could be fetched from this URL"),
        "password_required": ErrorKind(422, "The document needs its password"),
        "idempotency_key_reused": ErrorKind(422, "The Idempotency-Key stands for another upload"),
        "callback_refused": ErrorKind(422, "The callback URL must not be called"),
        "webhooks_off": ErrorKind(422, "This service sends no webhooks"),
        "rate_limited": ErrorKind(429, "Too many requests"),
        "quota_exceeded": ErrorKind(429, "Too many unfinished jobs for this key"),
        # the service's own state
        "internal": ErrorKind(500, "Something broke inside the service"),
        "too_many_streams": ErrorKind(503, "Too many event streams are open"),
        "queue_full": ErrorKind(503, "The queue is full"),
        "overloaded": ErrorKind(503, "The machine is short of memory"),
        "stopping": ErrorKind(503, "The service is stopping"),
        "store_unavailable": ErrorKind(503, "The store cannot be written"),
        "storage_full": ErrorKind(507, "No room left to store the image"),
        "pool_unavailable": ErrorKind(503, "No OCR worker is available"),
        # what a job may fail with
        "timeout": ErrorKind(504, "Recognition took too long"),
        "worker_crashed": ErrorKind(500, "The OCR process died"),
        "out_of_memory": ErrorKind(500, "The OCR process was short of memory"),
        "engine_error": ErrorKind(500, "The OCR engine failed"),
        "image_missing": ErrorKind(500, "The stored image is gone"),
    }
)

_STORE_UNAVAILABLE = (
    "the store cannot be used now; nothing was kept, unless a shared database was lost just while it was committing"
)
_BY_STATUS = {
    400: "malformed_request",
    404: "not_found",
    405: "method_not_allowed",
    413: "image_too_large",
    415: "unsupported_media_type",
}


class FileProblem(Struct, frozen=True, kw_only=True):
    """Why one file of a batch became no job."""

    number: Annotated[int, Meta(description="Its place in the batch, from 1.")]
    name: str
    type: str
    title: str
    status: int
    code: str
    detail: str


class Problem(Struct, frozen=True, kw_only=True):
    """An error as clients see it: RFC 9457, with a stable `code`."""

    type: Annotated[str, Meta(description="The page of this service that says what the problem means.")]
    title: str
    status: int
    code: str
    detail: str
    request_id: str | None = None
    problems: Annotated[
        Sequence[FileProblem] | UnsetType, Meta(description="Of each file of a batch that was refused as a whole.")
    ] = UNSET


class ApiError(Exception):
    """Raised by handlers: becomes the problem of its code."""

    def __init__(
        self,
        code: str,
        detail: str,
        *,
        retry_after: int | None = None,
        headers: Mapping[str, str] | None = None,
        problems: Sequence[FileProblem] | UnsetType = UNSET,
    ) -> None:
        super().__init__(detail)
        self.code = code
        self.problems = problems
        self.detail = detail
        self.headers = dict(headers or {})
        if retry_after is not None:
            self.headers["Retry-After"] = str(retry_after)


def problem(
    code: str, detail: str, request: str | None = None, problems: Sequence[FileProblem] | UnsetType = UNSET
) -> Problem:
    """The problem that a code stands for; `request` is the request's id, `problems` those of its files."""
    kind = ERRORS.get(code, ERRORS["internal"])
    return Problem(
        type=f"/problems/{code}",
        title=kind.title,
        status=kind.status,
        code=code,
        detail=detail,
        request_id=request,
        problems=problems,
    )


def code_of(error: Exception) -> str:
    """The code that a client is told for this error."""
    named = api_error(error, 1)
    return named.code if named else "internal"


def api_error(error: Exception, retry_after: int) -> ApiError | None:
    """What an error of the rooms below means to a client; None where it has no name.

    `retry_after`: seconds after which there may be room again.
    """
    match error:
        case ApiError():
            return error
        case OcrError():
            return ApiError(error.code, error.detail)
        case QueueFull():
            return ApiError("queue_full", "too many jobs are waiting; try again later", retry_after=retry_after)
        case QueueStopped():
            return ApiError("stopping", "the service takes no new jobs; try again later", retry_after=retry_after)
        case QuotaExceeded():
            return ApiError("quota_exceeded", str(error), retry_after=retry_after)
        case IncomingFull():
            return ApiError("overloaded", "too many uploads at the same time; try again later", retry_after=retry_after)
        case TooManyStreams():
            return ApiError("too_many_streams", str(error), retry_after=STREAM_RETRY_SECONDS)
        case MemoryShort():
            return ApiError("overloaded", "little memory is left; try again later", retry_after=retry_after)
        case NotADeadLetter():
            return ApiError("not_a_dead_letter", str(error))
        case AlreadyEnded():
            return ApiError("already_ended", str(error))
        case BadSelection():
            return ApiError("malformed_request", str(error))
        case ResultUnfinished():
            return ApiError("result_unfinished", str(error), retry_after=retry_after)
        case UploadExpired():
            return ApiError("upload_expired", str(error))
        case NoResult():
            return ApiError("no_result", str(error))
        case NoSuchPages():
            return ApiError("no_such_page", str(error))
        case StoreFull():
            return ApiError("storage_full", "no room left on the device; nothing was stored", retry_after=60)
        case StoreError():
            return ApiError("store_unavailable", _STORE_UNAVAILABLE, retry_after=STORE_RETRY_SECONDS)
        case IdempotencyKeyReused():
            return ApiError("idempotency_key_reused", str(error))
        case CallbackRefused():
            return ApiError("callback_refused", str(error))
        case WebhooksOff():
            return ApiError("webhooks_off", str(error))
        case NoSuchDelivery():
            return ApiError("delivery_not_found", str(error))
        case JobNotFound():
            return ApiError("job_not_found", str(error))
        case JobGone() | PagesLost():
            return ApiError("job_gone", str(error))
        case BatchNotFound():
            return ApiError("batch_not_found", str(error))
        case BatchGone():
            return ApiError("batch_gone", str(error))
        case NothingTaken():
            return ApiError(error.first.code, str(error), problems=tuple(map(_file_problem, error.refused)))
        case TooManyFiles():
            return ApiError("too_many_files", str(error))
        case ArchiveTooLarge():
            return ApiError("archive_too_large", str(error))
        case BadArchive():
            return ApiError("invalid_archive", str(error))
        case LockedEntry():
            return ApiError("password_required", str(error))
        case BatchTooLarge():
            return ApiError("image_too_large", str(error))
        case UrlNotAllowed():
            return ApiError("url_not_allowed", str(error))
        case UrlUnreachable():
            return ApiError("url_unreachable", str(error))
        case EmptyFile():
            return ApiError("missing_file", str(error))
        case ValidationException(extra=[*faults]):
            # Litestar's own detail says no more than that something is wrong
            return ApiError("malformed_request", "; ".join(f"{one.get('key')}: {one['message']}" for one in faults))
        case NotFoundException():
            return ApiError("not_found", "there is no such route; /docs describes those there are")
        case MethodNotAllowedException():
            told = "the Allow header names the methods of this route; an image is sent by POST /images; see /docs"
            return ApiError("method_not_allowed", told)
        case HTTPException():
            return ApiError(_BY_STATUS.get(error.status_code, "malformed_request"), error.detail)
        case _:
            return None


def _file_problem(refused: RefusedFile) -> FileProblem:
    means = problem(refused.why.code, refused.why.detail)
    return FileProblem(
        number=refused.number,
        name=refused.name,
        type=means.type,
        title=means.title,
        status=means.status,
        code=means.code,
        detail=means.detail,
    )


def on_exception(request: Request[Any, Any, Any], error: Exception) -> Response[Problem]:
    """Litestar's exception handler for everything, 404 and 405 included."""
    identity = context_of(request.scope).request_id
    service = getattr(request.app.state, "service", None)  # absent while the service starts
    named = api_error(error, service.retry_after() if service is not None else 1)
    unexpected = named is None or (isinstance(error, HTTPException) and error.status_code >= 500)
    if named is None or unexpected:
        logger.bind(event="request.failed", request_id=identity).opt(exception=error).error(
            "unexpected error in a request"
        )
        named = ApiError("internal", "the service met an unexpected error; the log has it under this request id")
    body = problem(named.code, named.detail, identity, named.problems)
    headers = named.headers
    if isinstance(error, HTTPException) and error.headers:
        headers |= {name: value for name, value in error.headers.items() if name.lower() == "allow"}
    return Response(body, status_code=body.status, media_type=PROBLEM_JSON, headers=headers)
