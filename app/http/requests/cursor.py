"""Places in lists of jobs as clients carry them from one answer to the next request."""

from datetime import UTC, datetime

import msgspec

from app.http.problems import ApiError
from persistence.store import Cursor


def cursor_text(cursor: Cursor) -> str:
    """Opaque to clients."""
    # Z, not +00:00: in a query that nobody encoded a plus is a space
    moment = cursor.updated_at.astimezone(UTC).replace(tzinfo=None)
    return f"{moment.isoformat()}Z~{cursor.id}"


def cursor_of(text: str, name: str) -> Cursor:
    """What `cursor_text` gave. Raises ApiError; `name` is what the client calls it."""
    moment, _, job_id = text.partition("~")
    try:
        # without a zone it is taken as ours; at the ends of the calendar another zone may have no such moment in UTC
        return Cursor(updated_at=msgspec.convert(moment, datetime).astimezone(UTC), id=job_id)
    except (msgspec.ValidationError, OverflowError, ValueError):
        raise ApiError("malformed_request", f"{name} is none that an answer gave") from None
