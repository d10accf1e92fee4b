"""The wall clock that jobs are stamped with; tests pass another one."""

from datetime import UTC, datetime


def now() -> datetime:
    """The current moment, aware, in UTC."""
    return datetime.now(UTC)
