"""Server-sent events (WHATWG HTML, section 9.2): changes of jobs as an EventSource reads them."""

from collections.abc import AsyncIterator, Callable, Mapping
from datetime import datetime
from typing import Annotated, Any, TypeVar

import msgspec
from litestar import Response
from litestar.response import Stream
from msgspec import Meta, Struct

from persistence.change import JobChange
from persistence.job import JobState

T = TypeVar("T")

EVENT_STREAM = "text/event-stream"
RETRY_MILLISECONDS = 2000
"""After which a client whose stream has ended comes back."""
_HEADERS = {"X-Accel-Buffering": "no"}  # a proxy that gathers answers would hold events back


class EventView(Struct, frozen=True, kw_only=True):
    """What an event says of a job; its text is to be fetched."""

    id: str
    status: JobState
    timestamp: Annotated[datetime, Meta(description="When the job last changed its state (RFC 3339, UTC).")]
    pages_total: Annotated[int | None, Meta(description="Pages to be read; null until the file was opened.")]
    pages_done: Annotated[int, Meta(description="Pages that were read.")]
    pages_failed: Annotated[int, Meta(description="Pages that were given up.")]
    code: Annotated[str | None, Meta(description="Why a dead letter is one; null otherwise.")]
    tag: str
    metadata: Mapping[str, str]


def event_view(change: JobChange) -> EventView:
    """The change as clients see it."""
    return EventView(
        id=change.id,
        status=change.status,
        timestamp=change.updated_at,
        pages_total=change.pages_total or None,
        pages_done=change.pages_done,
        pages_failed=change.pages_failed,
        code=change.error_code or None,
        tag=change.tag,
        metadata=change.metadata,
    )


def event_name(change: JobChange) -> str:
    """The job's state, or `page` while pages of it are settled one after the other."""
    under_way = change.status is JobState.PROCESSING and change.pages_done + change.pages_failed > 0
    return "page" if under_way else change.status.value


def event_stream(
    changes: AsyncIterator[JobChange | None], event_id: Callable[[JobChange], str], *, headless: bool
) -> Response[Any]:
    """The answer that tells of changes as they come, with a comment for each None."""
    return stream_of(
        changes, lambda change: event(event_id(change), event_name(change), event_view(change)), headless=headless
    )


def stream_of(told: AsyncIterator[T | None], encoded: Callable[[T], bytes], *, headless: bool) -> Response[Any]:
    """The answer that tells of these things as they come, each as the event that `encoded` makes of it."""
    if headless:
        return Response(b"", media_type=EVENT_STREAM, headers=_HEADERS)
    return Stream(_encoded(told, encoded), media_type=EVENT_STREAM, headers=_HEADERS)


def event(identity: str, name: str, data: Struct) -> bytes:
    """One event, its data as JSON."""
    return f"id: {identity}\nevent: {name}\ndata: {msgspec.json.encode(data).decode()}\n\n".encode()


async def _encoded(told: AsyncIterator[T | None], encoded: Callable[[T], bytes]) -> AsyncIterator[bytes]:
    silence = b"retry: %d\n\n" % RETRY_MILLISECONDS
    async for each in told:
        if each is None:
            yield silence
            silence = b":\n\n"
        else:
            yield encoded(each)
