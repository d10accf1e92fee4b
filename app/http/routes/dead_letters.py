"""`/dead-letters`: jobs that were given up, for people to look at, requeue or delete."""

from typing import Annotated, Any

from litestar import Request, Response, Router, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, QueryParameter

from app.http.checks import checked
from app.http.openapi import problems
from app.http.problems import ERRORS, ApiError
from app.http.request_context import context_of
from app.http.requests.cursor import following, place_after
from app.http.responses.schemas import DeadLettersView, JobView, RequeuedView, job_view
from app.http.routes.images import accepted
from app.service import Service

AnyRequest = Request[Any, Any, Any]
PageSize = Annotated[int, QueryParameter(ge=1, le=200, description="Dead letters on one page.")]
ErrorCode = Annotated[str | None, QueryParameter(schema_extra={"enum": [*ERRORS]}, description="Of one error only.")]


@get(
    "/",
    responses=problems(400, 401, 403, 429, 500, 503),
    summary="List dead letters",
    description="Newest first. `next` is the `after` of the following page; null: nothing follows.",
)
async def list_dead_letters(
    request: AnyRequest,
    service: NamedDependency[Service],
    code: ErrorCode = None,
    after: FromQuery[str | None] = None,
    limit: PageSize = 50,
) -> DeadLettersView:
    """A page of dead letters, of one error code where that is asked for."""
    page = await service.dead_letters(_known(code), context_of(request.scope).viewer, place_after(after), limit)
    return DeadLettersView(items=[job_view(job) for job in page.jobs], next=following(page.next))


@get(
    "/{job_id:str}",
    responses=problems(400, 401, 403, 404, 409, 410, 429, 500, 503),
    summary="Read a dead letter",
    description="With every attempt: when, by which worker, and why it failed.",
)
async def read_dead_letter(request: AnyRequest, job_id: FromPath[str], service: NamedDependency[Service]) -> JobView:
    """One dead letter."""
    return job_view(await service.dead_letter(job_id, context_of(request.scope).viewer))


@post(
    "/{job_id:str}/requeue",
    status_code=202,
    responses=problems(400, 401, 403, 404, 409, 410, 429, 500, 503),
    summary="Requeue a dead letter",
    description="Puts it back into the queue with all attempts before it; its failures stay on record.",
)
async def requeue_dead_letter(
    request: AnyRequest, job_id: FromPath[str], service: NamedDependency[Service]
) -> Response[JobView]:
    """The job, queued again."""
    progress = await service.requeue(job_id, context_of(request.scope).viewer)
    return await accepted(request, service, progress)


@post(
    "/requeue",
    status_code=200,
    responses=problems(400, 401, 403, 429, 500, 503),
    summary="Requeue many dead letters",
    description="All, or those of one error code, as far as the queue and the key's quota have room.",
)
async def requeue_dead_letters(
    request: AnyRequest, service: NamedDependency[Service], code: ErrorCode = None
) -> RequeuedView:
    """How many were queued again, and whether some are left."""
    outcome = await service.requeue_all(_known(code), context_of(request.scope).viewer)
    return RequeuedView(requeued=outcome.requeued, remaining=outcome.remaining)


@delete(
    "/{job_id:str}",
    responses=problems(400, 401, 403, 404, 409, 410, 429, 500, 503),
    summary="Delete a dead letter",
    description="Forgets the job and its image. Its id answers 410 from then on.",
)
async def delete_dead_letter(request: AnyRequest, job_id: FromPath[str], service: NamedDependency[Service]) -> None:
    """Deleted."""
    await service.delete_dead_letter(job_id, context_of(request.scope).viewer)


def _known(code: str | None) -> str | None:
    if code is not None and code not in ERRORS:
        raise ApiError("malformed_request", f"code: {code[:64]!r} is no error code; /problems lists them")
    return code


router = Router(
    "/dead-letters",
    route_handlers=[
        list_dead_letters,
        read_dead_letter,
        requeue_dead_letter,
        requeue_dead_letters,
        delete_dead_letter,
    ],
    before_request=checked,
    tags=["Dead letters"],
)
