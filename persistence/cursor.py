"""Places in lists that are read page by page."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeVar

from msgspec import Struct

T = TypeVar("T")


class Cursor(Struct, frozen=True, kw_only=True):
    """Where a page ended: the next one goes on after this job, batch or delivery, whatever became of it meanwhile."""

    updated_at: datetime
    """Or its `created_at`, where a list is ordered by that."""
    id: str


def cut(found: Sequence[T], limit: int, place: Callable[[T], Cursor]) -> tuple[tuple[T, ...], Cursor | None]:
    """The first `limit` of what was found, of which there is one more where anything follows; and where to go on."""
    shown = tuple(found[:limit])
    return shown, place(shown[-1]) if len(found) > limit else None
