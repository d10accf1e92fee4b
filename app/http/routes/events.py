"""`/images/{id}/events` and `/events`: what becomes of jobs, told as it happens."""

import contextlib
from typing import Any

from litestar import Request, Response, Router, get
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath

from app.http.checks import checked
from app.http.openapi import problems
from app.http.request_context import context_of
from app.http.requests.cursor import cursor_of, cursor_text
from app.http.responses.event_stream import EVENT_STREAM, event_stream
from app.service import Service
from persistence.change import JobChange
from persistence.cursor import Cursor
from persistence.store import StoreError

AnyRequest = Request[Any, Any, Any]

_EVENTS = {
    200: ResponseSpec(
        str, media_type=EVENT_STREAM, generate_examples=False, description="Events until the stream ends."
    ),
}


@get(
    "/images/{job_id:str}/events",
    responses={
        **_EVENTS,
        204: ResponseSpec(None, generate_examples=False, description="Nothing comes after what Last-Event-ID names."),
        **problems(400, 401, 403, 404, 410, 429, 500, 503),
    },
    summary="Follow a job",
    description="Server-sent events: `queued`, `processing`, `page`, `done`, `dead-letter`, `cancelled`, the present "
    "state first. The stream ends with the job; with `Last-Event-ID` only what came after that is told.",
)
async def job_events(request: AnyRequest, job_id: FromPath[str], service: NamedDependency[Service]) -> Response[Any]:
    """The job's changes as they happen."""
    context = context_of(request.scope)
    seen = _revision(request.headers.get("last-event-id", ""))
    # a store that is away for a moment must not end an EventSource for ever, as any answer but a stream would
    with contextlib.suppress(StoreError):
        job = (await service.progress(job_id, context.viewer)).job
        if job.status.terminal and job.revision == seen:
            return Response(None, status_code=204)
        if seen > job.revision:  # of a store that was put back since: nothing of what is here was seen
            seen = -1
    service.streams.require_room(context.client)
    changes = service.follow(job_id, context.viewer, context.client, seen)
    return event_stream(changes, lambda change: str(change.revision), headless=context.headless)


@get(
    "/events",
    responses={**_EVENTS, **problems(400, 401, 403, 429, 500, 503)},
    summary="Follow all jobs",
    description="As for one job, of all jobs of the key, from now on; with `Last-Event-ID` also what has changed "
    "since, at least once. The stream does not end by itself.",
)
async def all_events(request: AnyRequest, service: NamedDependency[Service]) -> Response[Any]:
    """The changes of all jobs as they happen."""
    context = context_of(request.scope)
    given = request.headers.get("last-event-id", "")
    seen = cursor_of(given, "Last-Event-ID") if given else None
    service.streams.require_room(context.client)
    changes = service.streams.of_owner(context.client, context.viewer, seen)
    return event_stream(changes, _place, headless=context.headless)


def _place(change: JobChange) -> str:
    return cursor_text(Cursor(updated_at=change.updated_at, id=change.id))


def _revision(event_id: str) -> int:
    return int(event_id) if event_id.isascii() and event_id.isdigit() and len(event_id) < 10 else -1


router = Router("/", route_handlers=[job_events, all_events], before_request=checked, tags=["Events"])
