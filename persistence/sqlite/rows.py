"""A Job and a Page as rows of SQLite, which has no type for moments, and back."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from persistence import rows
from persistence.change import JobChange
from persistence.job import Job
from persistence.outbox.delivery import Delivery
from persistence.page import Page

MOMENTS = ("created_at", "updated_at", "due_at", "started_at", "expires_at")
"""Columns that are text here."""
PAGE_MOMENTS = ("due_at", "started_at")
DELIVERY_MOMENTS = ("created_at", "due_at", "claimed_until")


def to_row(job: Job) -> dict[str, Any]:
    """The columns' values by name."""
    row = rows.to_row(job)
    return row | {name: to_text(row[name]) for name in MOMENTS if row[name] is not None}


def from_row(row: Sequence[Any]) -> Job:
    """The job of a row that was selected by COLUMNS."""
    named = dict(zip(rows.COLUMNS, row, strict=True))
    return rows.from_row(named | {name: datetime.fromisoformat(named[name]) for name in MOMENTS if named[name]})


def change_from_row(row: Sequence[Any]) -> JobChange:
    """The change of a row that was selected by CHANGE_COLUMNS."""
    named = dict(zip(rows.CHANGE_COLUMNS, row, strict=True))
    return rows.change_from_row(named | {"updated_at": datetime.fromisoformat(named["updated_at"])})


def to_page_row(page: Page) -> dict[str, Any]:
    """The columns' values by name."""
    row = rows.to_page_row(page)
    return row | {name: to_text(row[name]) for name in PAGE_MOMENTS if row[name] is not None}


def page_from_row(row: Sequence[Any]) -> Page:
    """The page of a row that was selected by PAGE_COLUMNS."""
    named = dict(zip(rows.PAGE_COLUMNS, row, strict=True))
    moments = {name: datetime.fromisoformat(named[name]) for name in PAGE_MOMENTS if named[name]}
    return rows.page_from_row(named | moments)


def to_delivery_row(delivery: Delivery) -> dict[str, Any]:
    """The columns' values by name."""
    row = rows.to_delivery_row(delivery)
    return row | {name: to_text(row[name]) for name in DELIVERY_MOMENTS if row[name] is not None}


def delivery_from_row(row: Sequence[Any]) -> Delivery:
    """The delivery of a row that was selected by DELIVERY_COLUMNS."""
    named = dict(zip(rows.DELIVERY_COLUMNS, row, strict=True))
    moments = {name: datetime.fromisoformat(named[name]) for name in DELIVERY_MOMENTS if named[name]}
    return rows.delivery_from_row(named | moments)


def to_text(moment: datetime) -> str:
    """UTC with six decimals always, so that texts sort as moments do."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
