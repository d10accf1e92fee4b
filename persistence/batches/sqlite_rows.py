"""Statements of SQLite about batches, each inside the transaction that its caller has begun."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from sqlite_utils import Database

from persistence.batches.batch import OF_BATCH, Batch, BatchFile, BatchListing, BatchState, deliveries_of_batch
from persistence.cursor import Cursor
from persistence.job import Job, JobOptions, JobState
from persistence.outbox import sqlite as outbox
from persistence.sqlite.rows import to_text

_BATCH = "id, owner, created_at, files, jobs, unfinished, ended_at, cancelled, ends, options, traceparent"
_UNFINISHED = 5
_JOBS = "jobs INDEXED BY jobs_of_batch WHERE batch_id = ? AND batch_id != ''"
"""The second condition is that of the index."""
INSERT = """
    INSERT INTO batches (id, owner, created_at, files, jobs, unfinished, options, traceparent)
    SELECT ?, ?, ?, ?, ?, ?, ?, ? WHERE NOT EXISTS (SELECT 1 FROM tombstones WHERE job_id = ?)
    ON CONFLICT (id) DO NOTHING
"""
FOLLOW = f"""
    UPDATE batches SET unfinished = unfinished + :change, ends = ends + (unfinished + :change = 0),
        ended_at = CASE WHEN unfinished + :change = 0 THEN :now END
    WHERE id = :id RETURNING {_BATCH}
"""  # noqa: S608 - of our own constants only
_options = msgspec.json.Decoder(JobOptions)


def insert(db: Database, batch: Batch, files: Sequence[BatchFile]) -> bool:
    """A new batch and its files; False where the id is taken."""
    values = (batch.id, batch.owner, to_text(batch.created_at), batch.files, batch.jobs, batch.unfinished)
    options = msgspec.json.encode(batch.options).decode()
    inserted = db.execute(INSERT, (*values, options, batch.traceparent, batch.id)).rowcount
    if inserted:
        db.conn.executemany(
            "INSERT INTO batch_files (batch_id, number, name, job_id, code, detail) VALUES (?, ?, ?, ?, ?, ?)",
            [(batch.id, file.number, file.name, file.job_id, file.code, file.detail) for file in files],
        )
    return bool(inserted)


def follow_job(db: Database, old: Job, new: Job) -> None:
    """What a change of a job means to its batch."""
    if not new.batch_id or old.status.terminal == new.status.terminal:
        return
    change = -1 if new.status.terminal else 1
    row = db.execute(FOLLOW, {"change": change, "now": to_text(new.updated_at), "id": new.batch_id}).fetchone()
    if row is not None and not row[_UNFINISHED]:
        outbox.insert(db, deliveries_of_batch(_state(db, row)))


def forget_job(db: Database, job: Job) -> None:
    """What it means to its batch that a job was deleted: its file's name goes, and after the last one the batch."""
    if not job.batch_id:
        return
    mine = (job.batch_id, job.batch_number)
    db.execute("UPDATE batch_files SET name = '' WHERE batch_id = ? AND number = ?", mine)
    if db.execute(f"SELECT 1 FROM {_JOBS} LIMIT 1", (job.batch_id,)).fetchone() is None:  # noqa: S608
        outbox.forget(db, OF_BATCH, job.batch_id)
        db.execute("DELETE FROM batches WHERE id = ?", (job.batch_id,))
        db.execute(
            "INSERT OR IGNORE INTO tombstones (job_id, deleted_at, owner) VALUES (?, ?, ?)",
            (job.batch_id, to_text(datetime.now(UTC)), job.owner),
        )


def get(db: Database, batch_id: str) -> BatchState | None:
    """See BatchStore.get."""
    row = db.execute(f"SELECT {_BATCH} FROM batches WHERE id = ?", (batch_id,)).fetchone()  # noqa: S608
    return _state(db, row) if row else None


def listed(db: Database, owner: str | None, after: Cursor | None, limit: int) -> BatchListing:
    """See BatchStore.listed."""
    conditions, values = ["1"], list[str | int]()
    if owner is not None:
        conditions.append("owner = ?")
        values.append(owner)
    if after is not None:
        conditions.append("(created_at, id) < (?, ?)")
        values += [to_text(after.updated_at), after.id]
    query = (
        f"SELECT {_BATCH} FROM batches WHERE {' AND '.join(conditions)} "  # noqa: S608 - of our own constants only
        "ORDER BY created_at DESC, id DESC LIMIT ?"
    )
    rows = db.execute(query, (*values, limit + 1)).fetchall()
    return BatchListing.of([_state(db, row) for row in rows], limit)


def files(db: Database, batch_id: str, after: int, limit: int) -> list[BatchFile]:
    """See BatchStore.files."""
    rows = db.execute(
        "SELECT number, name, job_id, code, detail, jobs.status FROM batch_files "
        "LEFT JOIN jobs ON jobs.id = batch_files.job_id "
        "WHERE batch_files.batch_id = ? AND number > ? ORDER BY number LIMIT ?",
        (batch_id, after, limit),
    ).fetchall()
    return [
        BatchFile(
            number=number,
            name=name,
            job_id=job_id,
            code=code,
            detail=detail,
            status=JobState(status) if status else None,
        )
        for number, name, job_id, code, detail, status in rows
    ]


def cancel(db: Database, batch_id: str) -> None:
    """See BatchStore.cancel."""
    db.execute("UPDATE batches SET cancelled = 1 WHERE id = ?", (batch_id,))


def _state(db: Database, row: Sequence[Any]) -> BatchState:
    batch_id, owner, created_at, number, jobs, unfinished, ended_at, cancelled, ends, options, traceparent = row
    found = db.execute(
        "SELECT status, count(*), sum(pages_total), sum(pages_done), sum(pages_failed) "  # noqa: S608
        f"FROM {_JOBS} GROUP BY status",
        (batch_id,),
    ).fetchall()
    counts = {status: count for status, count, *_ in found}
    return BatchState(
        batch=Batch(
            id=batch_id,
            owner=owner,
            created_at=datetime.fromisoformat(created_at),
            files=number,
            jobs=jobs,
            unfinished=unfinished,
            ended_at=datetime.fromisoformat(ended_at) if ended_at else None,
            cancelled=bool(cancelled),
            ends=ends,
            options=_options.decode(options),
            traceparent=traceparent,
        ),
        counts={state: counts.get(state.value, 0) for state in JobState},
        pages_total=sum(pages for _, _, pages, _, _ in found),
        pages_done=sum(pages for _, _, _, pages, _ in found),
        pages_failed=sum(pages for *_, pages in found),
        last_unfinished=_last_unfinished(db, batch_id) if unfinished else "",
    )


def _last_unfinished(db: Database, batch_id: str) -> str:
    row = db.execute(
        f"SELECT id FROM {_JOBS} AND +status IN ('queued', 'processing') "  # noqa: S608
        "ORDER BY batch_number DESC LIMIT 1",
        (batch_id,),
    ).fetchone()
    return str(row[0]) if row else ""
