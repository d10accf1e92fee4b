"""Statements of PostgreSQL about batches, each inside the transaction that its caller has begun.

A job's row is always changed before its batch's, and the batch's row is locked before anything is decided by what is
left of it: of two jobs that end, or are deleted, at once the second one sees what became of the first.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from persistence.batches.batch import OF_BATCH, Batch, BatchFile, BatchListing, BatchState, deliveries_of_batch
from persistence.cursor import Cursor
from persistence.job import Job, JobOptions, JobState
from persistence.outbox import postgres as outbox
from persistence.postgres.connection import Connection

_BATCH = "id, owner, created_at, files, jobs, unfinished, ended_at, cancelled, ends, options, traceparent"
_JOBS = "FROM jobs WHERE batch_id = $1 AND batch_id != ''"
"""The second condition is that of the index."""
LISTED = f"""
    SELECT {_BATCH} FROM batches
    WHERE ($1::text IS NULL OR owner = $1) AND ($2::timestamptz IS NULL OR (created_at, id) < ($2, $3))
    ORDER BY created_at DESC, id DESC LIMIT $4
"""  # noqa: S608 - of our own constants only
COUNTS = f"""
    SELECT status, count(*) AS jobs, sum(pages_total)::bigint AS total, sum(pages_done)::bigint AS done,
        sum(pages_failed)::bigint AS failed {_JOBS} GROUP BY status
"""
LAST = f"SELECT id {_JOBS} AND status IN ('queued', 'processing') ORDER BY batch_number DESC LIMIT 1"
FILES = """
    SELECT number, name, job_id, code, detail, jobs.status FROM batch_files
    LEFT JOIN jobs ON jobs.id = batch_files.job_id
    WHERE batch_files.batch_id = $1 AND number > $2 ORDER BY number LIMIT $3
"""

INSERT = """
    INSERT INTO batches (id, owner, created_at, files, jobs, unfinished, options, traceparent)
    SELECT $1, $2, $3, $4, $5, $6, $7, $8 WHERE NOT EXISTS (SELECT 1 FROM tombstones WHERE job_id = $1)
    ON CONFLICT (id) DO NOTHING RETURNING id
"""
FOLLOW = f"""
    UPDATE batches SET unfinished = unfinished + $2, ends = ends + (unfinished + $2 = 0)::int,
        ended_at = CASE WHEN unfinished + $2 = 0 THEN $3::timestamptz END
    WHERE id = $1 RETURNING {_BATCH}
"""  # noqa: S608 - of our own constants only
_options = msgspec.json.Decoder(JobOptions)


async def insert(connection: Connection, batch: Batch, files: Sequence[BatchFile]) -> bool:
    """A new batch and its files; False where the id is taken."""
    inserted = await connection.fetchval(
        INSERT,
        batch.id,
        batch.owner,
        batch.created_at,
        batch.files,
        batch.jobs,
        batch.unfinished,
        msgspec.json.encode(batch.options).decode(),
        batch.traceparent,
    )
    if inserted is None:
        return False
    await connection.executemany(
        "INSERT INTO batch_files (batch_id, number, name, job_id, code, detail) VALUES ($1, $2, $3, $4, $5, $6)",
        [(batch.id, file.number, file.name, file.job_id, file.code, file.detail) for file in files],
    )
    return True


async def follow_job(connection: Connection, old: Job, new: Job) -> None:
    """What a change of a job means to its batch."""
    if not new.batch_id or old.status.terminal == new.status.terminal:
        return
    record = await connection.fetchrow(
        FOLLOW,
        new.batch_id,
        -1 if new.status.terminal else 1,
        new.updated_at,
    )
    if record is not None and not record["unfinished"]:
        await outbox.insert(connection, deliveries_of_batch(await _state(connection, dict(record))))


async def forget_job(connection: Connection, job: Job) -> None:
    """What it means to its batch that a job was deleted: its file's name goes, and after the last one the batch."""
    if not job.batch_id:
        return
    await connection.execute("SELECT 1 FROM batches WHERE id = $1 FOR UPDATE", job.batch_id)
    await connection.execute(
        "UPDATE batch_files SET name = '' WHERE batch_id = $1 AND number = $2", job.batch_id, job.batch_number
    )
    if await connection.fetchval(f"SELECT 1 {_JOBS} LIMIT 1", job.batch_id) is None:
        await outbox.forget(connection, OF_BATCH, job.batch_id)
        await connection.execute("DELETE FROM batches WHERE id = $1", job.batch_id)
        await connection.execute(
            "INSERT INTO tombstones (job_id, deleted_at, owner) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
            job.batch_id,
            datetime.now(UTC),
            job.owner,
        )


async def get(connection: Connection, batch_id: str) -> BatchState | None:
    """See BatchStore.get."""
    record = await connection.fetchrow(f"SELECT {_BATCH} FROM batches WHERE id = $1", batch_id)  # noqa: S608
    return await _state(connection, dict(record)) if record else None


async def listed(connection: Connection, owner: str | None, after: Cursor | None, limit: int) -> BatchListing:
    """See BatchStore.listed."""
    place = (after.updated_at, after.id) if after else (None, None)
    records = await connection.fetch(LISTED, owner, *place, limit + 1)
    return BatchListing.of([await _state(connection, dict(record)) for record in records], limit)


async def files(connection: Connection, batch_id: str, after: int, limit: int) -> list[BatchFile]:
    """See BatchStore.files."""
    return [
        BatchFile(**{**dict(record), "status": JobState(record["status"]) if record["status"] else None})
        for record in await connection.fetch(FILES, batch_id, after, limit)
    ]


async def _state(connection: Connection, row: Mapping[str, Any]) -> BatchState:
    found = {record["status"]: record for record in await connection.fetch(COUNTS, row["id"])}
    return BatchState(
        batch=Batch(**{**row, "options": _options.decode(row["options"])}),
        counts={state: found[state.value]["jobs"] if state.value in found else 0 for state in JobState},
        pages_total=sum(record["total"] for record in found.values()),
        pages_done=sum(record["done"] for record in found.values()),
        pages_failed=sum(record["failed"] for record in found.values()),
        last_unfinished=await connection.fetchval(LAST, row["id"]) or "" if row["unfinished"] else "",
    )
