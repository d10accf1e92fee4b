"""Statements about what ended in each minute, each inside the transaction that its caller has begun."""

from datetime import datetime

from sqlite_utils import Database

from persistence.history.minute import Minute
from persistence.sqlite.connection import transaction
from persistence.sqlite.rows import to_text

ADD = """
    INSERT INTO minutes (begins, pages_read, pages_failed, wait_seconds, recognition_seconds) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (begins) DO UPDATE SET
        pages_read = pages_read + excluded.pages_read,
        pages_failed = pages_failed + excluded.pages_failed,
        wait_seconds = wait_seconds + excluded.wait_seconds,
        recognition_seconds = recognition_seconds + excluded.recognition_seconds
"""
SINCE = """
    SELECT begins, pages_read, pages_failed, wait_seconds, recognition_seconds FROM minutes
    WHERE begins >= ? ORDER BY begins
"""


def add(db: Database, ended: Minute | None) -> None:
    """Adds what ended to its minute."""
    if ended is not None:
        counts = (ended.pages_read, ended.pages_failed, ended.wait_seconds, ended.recognition_seconds)
        db.execute(ADD, (to_text(ended.begins), *counts))


def since(db: Database, moment: datetime) -> list[Minute]:
    """See JobStore.minutes."""
    return [
        Minute(
            begins=datetime.fromisoformat(begins),
            pages_read=read,
            pages_failed=failed,
            wait_seconds=wait,
            recognition_seconds=recognition,
        )
        for begins, read, failed, wait, recognition in db.execute(SINCE, (to_text(moment),)).fetchall()
    ]


def forget(db: Database, before: datetime) -> int:
    """See JobStore.forget_minutes."""
    with transaction(db):
        return int(db.execute("DELETE FROM minutes WHERE begins < ?", (to_text(before),)).rowcount)
