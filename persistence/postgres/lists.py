"""Queries for what is listed and counted of jobs, and for what has changed of them."""

from collections.abc import Mapping

from persistence.change import JobChange
from persistence.cursor import Cursor
from persistence.job import Job, JobState
from persistence.postgres.connection import Connection
from persistence.postgres.pages import NAMES
from persistence.rows import CHANGE_COLUMNS, LISTED_COLUMNS, change_from_row, from_row
from persistence.store import Backlog, JobFilter, Listing

# of our own constants only
LISTED = f"""
    SELECT {", ".join(LISTED_COLUMNS).replace("NULL AS", "NULL::json AS")} FROM jobs
    WHERE ($1::text IS NULL OR owner = $1) AND ($2::text IS NULL OR status = $2)
        AND ($3::timestamptz IS NULL OR created_at > $3)
        AND ($4::timestamptz IS NULL OR (created_at, id) < ($4, $5))
        AND ($6::text IS NULL OR tag = $6)
    ORDER BY created_at DESC, id DESC LIMIT $7
"""  # noqa: S608
# by its index, which a plan for any value would not use
TAGGED = LISTED.replace("$6::text IS NULL OR tag = $6", "tag = $6::text")
CHANGES = f"""
    SELECT {", ".join(CHANGE_COLUMNS)} FROM jobs
    WHERE (updated_at, id) > ($1, $2) AND ($3::text IS NULL OR owner = $3) ORDER BY updated_at, id LIMIT $4
"""  # noqa: S608
UNFINISHED = "status IN ('queued', 'processing')"
ALIKE = f"""
    SELECT {NAMES} FROM jobs
    WHERE fingerprint = $1 AND fingerprint != '' AND owner = $2 AND status = 'done' AND pages_failed = 0
    ORDER BY updated_at DESC LIMIT 1
"""  # noqa: S608
PAGES_LEFT = f"""
    SELECT coalesce(sum(greatest(1, pages_total - pages_done - pages_failed)), 0)::bigint FROM jobs WHERE {UNFINISHED}
"""  # noqa: S608
COUNTS = f"""
    SELECT status, sum(jobs)::bigint AS jobs FROM job_counts GROUP BY status
    UNION ALL SELECT status, count(*) FROM jobs WHERE {UNFINISHED} GROUP BY status
"""  # noqa: S608
BACKLOG = f"""
    SELECT count(*) AS jobs, coalesce(sum(image_bytes), 0)::bigint AS image_bytes, min(created_at) AS oldest FROM jobs
    WHERE {UNFINISHED} AND ($1::text IS NULL OR owner = $1)
"""  # noqa: S608
DEAD_LETTERS = f"""
    SELECT {NAMES} FROM jobs WHERE status = 'dead-letter' AND ($1::text IS NULL OR error_code = $1)
        AND ($2::text IS NULL OR owner = $2) AND ($3::timestamptz IS NULL OR (updated_at, id) < ($3, $4))
    ORDER BY updated_at DESC, id DESC LIMIT $5
"""  # noqa: S608


async def listed(connection: Connection, wanted: JobFilter, after: Cursor | None, limit: int) -> Listing:
    """See JobStore.listed."""
    rows = await connection.fetch(
        LISTED if wanted.tag is None else TAGGED,
        wanted.owner,
        wanted.status.value if wanted.status else None,
        wanted.created_after,
        after.updated_at if after else None,
        after.id if after else None,
        wanted.tag,
        limit + 1,
    )
    return Listing.of([from_row(dict(row)) for row in rows], limit, lambda job: job.created_at)


async def dead_letters(
    connection: Connection, code: str | None, owner: str | None, after: Cursor | None, limit: int
) -> Listing:
    """See JobStore.dead_letters."""
    place = (after.updated_at, after.id) if after else (None, None)
    # one more than asked for tells whether anything follows
    rows = await connection.fetch(DEAD_LETTERS, code, owner, *place, limit + 1)
    return Listing.of([from_row(dict(row)) for row in rows], limit)


async def alike(connection: Connection, owner: str, fingerprint: str) -> Job | None:
    """See JobStore.alike."""
    row = await connection.fetchrow(ALIKE, fingerprint, owner)
    return from_row(dict(row)) if row else None


async def pages_left(connection: Connection) -> int:
    """See JobStore.pages_left."""
    return int(await connection.fetchval(PAGES_LEFT))


async def counts(connection: Connection) -> Mapping[JobState, int]:
    """See JobStore.counts."""
    found = {row["status"]: row["jobs"] for row in await connection.fetch(COUNTS)}
    return {state: found.get(state.value, 0) for state in JobState}


async def backlog(connection: Connection, owner: str | None) -> Backlog:
    """See JobStore.backlog."""
    row = await connection.fetchrow(BACKLOG, owner)
    assert row is not None
    return Backlog(**dict(row))


async def changes(connection: Connection, after: Cursor, limit: int, owner: str | None) -> list[JobChange]:
    """See JobStore.changes."""
    rows = await connection.fetch(CHANGES, after.updated_at, after.id, owner, limit)
    return [change_from_row(dict(row)) for row in rows]
