"""Jobs, pages and deliveries as rows of SQLite, which has no type for moments, and back."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from persistence import rows
from persistence.change import JobChange
from persistence.job import Job
from persistence.outbox.delivery import Delivery
from persistence.page import Page

MOMENTS = frozenset({"created_at", "updated_at", "due_at", "started_at", "expires_at", "claimed_until"})
"""Columns that are text here, of any table."""


def to_row(job: Job) -> dict[str, Any]:
    """The columns' values by name."""
    return _with_texts(rows.to_row(job))


def from_row(row: Sequence[Any]) -> Job:
    """The job of a row that was selected by COLUMNS."""
    return rows.from_row(_named(rows.COLUMNS, row))


def change_from_row(row: Sequence[Any]) -> JobChange:
    """The change of a row that was selected by CHANGE_COLUMNS."""
    return rows.change_from_row(_named(rows.CHANGE_COLUMNS, row))


def to_page_row(page: Page) -> dict[str, Any]:
    """The columns' values by name."""
    return _with_texts(rows.to_page_row(page))


def page_from_row(row: Sequence[Any]) -> Page:
    """The page of a row that was selected by PAGE_COLUMNS."""
    return rows.page_from_row(_named(rows.PAGE_COLUMNS, row))


def to_delivery_row(delivery: Delivery) -> dict[str, Any]:
    """The columns' values by name."""
    return _with_texts(rows.to_delivery_row(delivery))


def delivery_from_row(row: Sequence[Any]) -> Delivery:
    """The delivery of a row that was selected by DELIVERY_COLUMNS."""
    return rows.delivery_from_row(_named(rows.DELIVERY_COLUMNS, row))


def to_text(moment: datetime) -> str:
    """UTC with six decimals always, so that texts sort as moments do."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def _with_texts(row: dict[str, Any]) -> dict[str, Any]:
    return row | {name: to_text(row[name]) for name in MOMENTS & row.keys() if row[name] is not None}


def _named(columns: Sequence[str], row: Sequence[Any]) -> dict[str, Any]:
    named = dict(zip(columns, row, strict=True))
    return named | {name: datetime.fromisoformat(named[name]) for name in MOMENTS & named.keys() if named[name]}
