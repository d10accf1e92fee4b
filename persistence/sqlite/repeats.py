"""Statements about requests that may be sent again, each inside the transaction that its caller has begun."""

from datetime import datetime

from sqlite_utils import Database

from persistence.repeat import REPEAT_TIME, AlreadySubmitted, Repeat
from persistence.sqlite.connection import transaction
from persistence.sqlite.rows import to_text


def insert(db: Database, repeat: Repeat, named: str, moment: datetime) -> None:
    """The key stands for the job or batch of that name, made at that moment. Raises AlreadySubmitted."""
    if earlier := find(db, repeat.owner, repeat.key, moment - REPEAT_TIME):
        raise earlier
    db.execute(
        "INSERT OR REPLACE INTO repeats (owner, key, fingerprint, job_id, created_at) VALUES (?, ?, ?, ?, ?)",
        (repeat.owner, repeat.key, repeat.fingerprint, named, to_text(moment)),
    )


def find(db: Database, owner: str, key: str, since: datetime) -> AlreadySubmitted | None:
    """See JobStore.submitted."""
    row = db.execute(
        "SELECT job_id, fingerprint FROM repeats WHERE owner = ? AND key = ? AND created_at >= ?",
        (owner, key, to_text(since)),
    ).fetchone()
    return AlreadySubmitted(*row) if row else None


def forget(db: Database, before: datetime) -> int:
    """See JobStore.forget_repeats."""
    with transaction(db):
        return int(db.execute("DELETE FROM repeats WHERE created_at < ?", (to_text(before),)).rowcount)
