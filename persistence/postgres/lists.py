"""Queries for what is listed and counted of jobs, and for what has changed of them."""

from collections.abc import Mapping, Sequence

from persistence.change import JobChange
from persistence.cursor import Cursor
from persistence.job import Job, JobState
from persistence.postgres.connection import Connection
from persistence.postgres.pages import NAMES
from persistence.rows import CHANGE_COLUMNS, LISTED_COLUMNS, change_from_row, from_row
from persistence.store import Backlog, JobFilter, Listing

# of our own constants only
LISTED = f"SELECT {', '.join(LISTED_COLUMNS).replace('NULL AS', 'NULL::json AS')} FROM jobs"  # noqa: S608
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
DEAD_LETTERS = f"SELECT {NAMES} FROM jobs"  # noqa: S608


class Conditions:
    """Conditions that hold at once, and their values: only those that are asked for.

    `$1 IS NULL OR ...` would get a plan for any values, which goes through all jobs.
    """

    def __init__(self, *conditions: str) -> None:
        self._conditions = list(conditions)
        self._values: list[object] = []

    def add(self, condition: str, *values: object) -> None:
        """`condition` has a `{}` for each of `values`."""
        self._conditions.append(condition.format(*(self._place(value) for value in values)))

    def newest_first(self, select: str, time: str, limit: int) -> tuple[str, Sequence[object]]:
        """The query for the newest by the column `time`, and its values."""
        where = f"WHERE {' AND '.join(self._conditions)} " if self._conditions else ""
        query = f"{select} {where}ORDER BY {time} DESC, id DESC LIMIT {self._place(limit)}"
        return query, self._values

    def _place(self, value: object) -> str:
        self._values.append(value)
        return f"${len(self._values)}"


def listing(wanted: JobFilter, after: Cursor | None, limit: int) -> tuple[str, Sequence[object]]:
    """The query of JobStore.listed, and its values; it gives one more than `limit`, which tells whether any follow."""
    conditions = Conditions()
    if wanted.owner is not None:
        conditions.add("owner = {}", wanted.owner)
    if wanted.status is not None:
        conditions.add("status = {}", wanted.status.value)
    if wanted.tag is not None:
        conditions.add("tag = {}", wanted.tag)
    if wanted.created_after is not None:
        conditions.add("created_at > {}", wanted.created_after)
    if after is not None:
        conditions.add("(created_at, id) < ({}, {})", after.updated_at, after.id)
    return conditions.newest_first(LISTED, "created_at", limit + 1)


def letters(code: str | None, owner: str | None, after: Cursor | None, limit: int) -> tuple[str, Sequence[object]]:
    """The same of JobStore.dead_letters."""
    conditions = Conditions("status = 'dead-letter'")
    if code is not None:
        conditions.add("error_code = {}", code)
    if owner is not None:
        conditions.add("owner = {}", owner)
    if after is not None:
        conditions.add("(updated_at, id) < ({}, {})", after.updated_at, after.id)
    return conditions.newest_first(DEAD_LETTERS, "updated_at", limit + 1)


async def listed(connection: Connection, wanted: JobFilter, after: Cursor | None, limit: int) -> Listing:
    """See JobStore.listed."""
    query, values = listing(wanted, after, limit)
    rows = await connection.fetch(query, *values)
    return Listing.of([from_row(dict(row)) for row in rows], limit, lambda job: job.created_at)


async def dead_letters(
    connection: Connection, code: str | None, owner: str | None, after: Cursor | None, limit: int
) -> Listing:
    """See JobStore.dead_letters."""
    query, values = letters(code, owner, after, limit)
    return Listing.of([from_row(dict(row)) for row in await connection.fetch(query, *values)], limit)


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
