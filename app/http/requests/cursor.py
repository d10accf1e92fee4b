"""Places in lists as clients carry them from one answer to the next request."""

from datetime import UTC, datetime
from typing import TypeVar
from urllib.parse import urlencode

import msgspec
from litestar import Response

from app.http.problems import ApiError
from persistence.cursor import Cursor

T = TypeVar("T")


def cursor_text(cursor: Cursor) -> str:
    """Opaque to clients."""
    # Z, not +00:00: in a query that nobody encoded a plus is a space
    moment = cursor.updated_at.astimezone(UTC).replace(tzinfo=None)
    return f"{moment.isoformat()}Z~{cursor.id}"


def cursor_of(text: str, name: str) -> Cursor:
    """What `cursor_text` gave. Raises ApiError; `name` is what the client calls it."""
    moment, _, last_id = text.partition("~")
    try:
        # without a zone it is taken as ours; at the ends of the calendar another zone may have no such moment in UTC
        return Cursor(updated_at=msgspec.convert(moment, datetime).astimezone(UTC), id=last_id)
    except (msgspec.ValidationError, OverflowError, ValueError):
        raise ApiError("malformed_request", f"{name} is none that an answer gave") from None


def place_after(after: str | None) -> Cursor | None:
    """The place that a client's `after` names; None: the beginning. Raises ApiError."""
    return cursor_of(after, "`after`") if after else None


def following(place: Cursor | None) -> str | None:
    """The `after` of the next page; None where nothing follows."""
    return cursor_text(place) if place else None


def linked(view: T, path: str, after: str | None, **asked: object) -> Response[T]:
    """A page of a list, its `Link` leading to the next one, which `after` begins; `asked`: the query but for that."""
    if after is None:
        return Response(view)
    query = {name: value for name, value in {**asked, "after": after}.items() if value is not None}
    return Response(view, headers={"Link": f'<{path}?{urlencode(query)}>; rel="next"'})
