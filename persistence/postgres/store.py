"""The JobStore on PostgreSQL, which several nodes share."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Self

import asyncpg

from persistence.job import Job, JobState
from persistence.patience import Patience
from persistence.postgres import entry_table, notifications
from persistence.postgres.connection import (
    FAULTS,
    Connection,
    Connections,
    in_one_line,
)
from persistence.postgres.migrations import migrate
from persistence.rows import COLUMNS, from_row, to_row
from persistence.store import Backlog, Cursor, JobExists, Page, StoreUnusable

MIGRATION_SECONDS = 600.0
"""Longest wait for one step of a migration, or for another node that is at it."""

# of our own constants only
_NAMES = ", ".join(COLUMNS)
_VALUES = ", ".join(f"${number}" for number, _ in enumerate(COLUMNS, 1))
INSERT = f"""
    INSERT INTO jobs ({_NAMES})
    SELECT {_VALUES}
    WHERE NOT EXISTS (SELECT 1 FROM tombstones WHERE job_id = $1)
    ON CONFLICT (id) DO NOTHING
    RETURNING id
"""  # noqa: S608
UPDATE = f"""
    UPDATE jobs SET ({_NAMES}) = ({_VALUES})
    WHERE id = $1 AND revision = ${len(COLUMNS) + 1} AND status = ${len(COLUMNS) + 2}
    RETURNING id
"""  # noqa: S608
UNFINISHED = "status IN ('queued', 'processing')"


class PostgresStore:
    """A JobStore on PostgreSQL. A new job's entry in the queue is written in the job's own transaction."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    @classmethod
    async def open(cls, url: str, patience: Patience = Patience()) -> Self:
        """Opens the database, migrating it where needed. Raises StoreUnusable."""
        try:
            connection = await asyncpg.connect(url, timeout=patience.connect, command_timeout=MIGRATION_SECONDS)
            try:
                await migrate(connection)
            finally:
                await connection.close(timeout=patience.command)
            return cls(await Connections.open(url, patience=patience))
        except (*FAULTS, ValueError) as error:
            raise StoreUnusable(f"the database cannot be used: {in_one_line(error)}") from error

    async def add(self, job: Job, image: bytes) -> None:
        async def work(connection: Connection, again: bool) -> None:
            if await connection.fetchval(INSERT, *_values(job)) is None:
                if again and _is_same(await _get(connection, job.id), job):
                    return
                raise JobExists(f"there is or was a job {job.id}")
            await connection.execute("INSERT INTO images (job_id, data) VALUES ($1, $2)", job.id, image)
            await entry_table.enqueue(connection, job.id)

        await self._connections.write(work)

    async def get(self, job_id: str) -> Job | None:
        return await self._connections.read(lambda connection: _get(connection, job_id))

    async def image(self, job_id: str) -> bytes | None:
        if not _storable(job_id):
            return None
        data = await self._value("SELECT data FROM images WHERE job_id = $1", job_id)
        assert data is None or isinstance(data, bytes)
        return data

    async def replace(self, old: Job, new: Job) -> bool:
        async def work(connection: Connection, again: bool) -> bool:
            replaced = await connection.fetchval(UPDATE, *_values(new), old.revision, old.status.value) is not None
            if replaced and new.status in (JobState.DONE, JobState.CANCELLED):
                await connection.execute("DELETE FROM images WHERE job_id = $1", new.id)
            if replaced and new.status.terminal:
                await notifications.announce(connection, new.id)
            return replaced or (again and await _get(connection, new.id) == new)

        return await self._connections.write(work)

    async def unfinished(self) -> list[Job]:
        return await self._select(f"WHERE {UNFINISHED} ORDER BY created_at, id")

    async def counts(self) -> Mapping[JobState, int]:
        rows = await self._connections.read(
            lambda connection: connection.fetch("SELECT status, count(*) FROM jobs GROUP BY status")
        )
        found = {status: count for status, count in rows}  # noqa: C416 - records, no pairs
        return {state: found.get(state.value, 0) for state in JobState}

    async def backlog(self, owner: str | None = None) -> Backlog:
        row = await self._connections.read(
            lambda connection: connection.fetchrow(
                "SELECT count(*), coalesce(sum(image_bytes), 0)::bigint, min(created_at) FROM jobs "  # noqa: S608
                f"WHERE {UNFINISHED} AND ($1::text IS NULL OR owner = $1)",
                owner,
            )
        )
        assert row is not None
        jobs, image_bytes, oldest = row
        return Backlog(jobs=jobs, image_bytes=image_bytes, oldest=oldest)

    async def dead_letters(
        self, *, code: str | None = None, owner: str | None = None, after: Cursor | None = None, limit: int = 50
    ) -> Page:
        if not _storable(f"{code or ''}{after.id if after else ''}"):
            return Page(jobs=(), next=None)
        # one more than asked for tells whether anything follows
        jobs = await self._select(
            "WHERE status = 'dead-letter' AND ($1::text IS NULL OR error_code = $1) "
            "AND ($2::text IS NULL OR owner = $2) AND ($3::timestamptz IS NULL OR (updated_at, id) < ($3, $4)) "
            "ORDER BY updated_at DESC, id DESC LIMIT $5",
            code,
            owner,
            after.updated_at if after else None,
            after.id if after else None,
            limit + 1,
        )
        return Page.of(jobs, limit)

    async def delete(self, job: Job) -> bool:
        if not job.status.terminal:
            raise ValueError(f"job {job.id} is {job.status}; only a terminal one can be deleted")

        async def work(connection: Connection, again: bool) -> bool:
            deleted = await connection.fetchval(
                "DELETE FROM jobs WHERE id = $1 AND revision = $2 AND status = $3 RETURNING id",
                job.id,
                job.revision,
                job.status.value,
            )
            if deleted is None:
                return again and await _was_deleted(connection, job.id)
            await connection.execute(
                "INSERT INTO tombstones (job_id, deleted_at, owner) VALUES ($1, $2, $3)",
                job.id,
                datetime.now(UTC),
                job.owner,
            )
            return True

        return await self._connections.write(work)

    async def was_deleted(self, job_id: str, owner: str | None = None) -> bool:
        return await self._connections.read(lambda connection: _was_deleted(connection, job_id, owner))

    async def finished(self, before: datetime, limit: int) -> list[Job]:
        return await self._select(
            "WHERE status IN ('done', 'cancelled') AND updated_at < $1 ORDER BY updated_at, id LIMIT $2", before, limit
        )

    async def free_bytes(self) -> int | None:
        return None  # the server's disk is out of sight

    async def check(self) -> None:
        async def work(connection: Connection, _: bool) -> None:
            # commits, and so reaches the disk, though nothing remains of it
            await connection.execute("INSERT INTO tombstones VALUES ('', now()) ON CONFLICT DO NOTHING")
            await connection.execute("DELETE FROM tombstones WHERE job_id = ''")

        await self._connections.write(work)

    async def close(self) -> None:
        await asyncio.shield(self._connections.close())

    async def _select(self, rest: str, *values: object) -> list[Job]:
        query = f"SELECT {_NAMES} FROM jobs {rest}"  # noqa: S608 - every `rest` is a constant of ours
        rows = await self._connections.read(lambda connection: connection.fetch(query, *values))
        return [from_row(dict(row)) for row in rows]

    async def _value(self, query: str, *values: object) -> object:
        value: object = await self._connections.read(lambda connection: connection.fetchval(query, *values))
        return value


async def _get(connection: Connection, job_id: str) -> Job | None:
    if not _storable(job_id):
        return None
    row = await connection.fetchrow(f"SELECT {_NAMES} FROM jobs WHERE id = $1", job_id)  # noqa: S608
    return from_row(dict(row)) if row else None


def _values(job: Job) -> list[Any]:
    row = to_row(job)
    return [row[column] for column in COLUMNS]


def _is_same(found: Job | None, added: Job) -> bool:
    """Is this the job that was added, whatever became of it since? A worker may have it within milliseconds."""
    return found is not None and (found.created_at, found.owner, found.image) == (
        added.created_at,
        added.owner,
        added.image,
    )


async def _was_deleted(connection: Connection, job_id: str, owner: str | None = None) -> bool:
    if not _storable(job_id):
        return False
    query = "SELECT 1 FROM tombstones WHERE job_id = $1 AND ($2::text IS NULL OR owner = $2)"
    return await connection.fetchval(query, job_id, owner) is not None


def _storable(job_id: str) -> bool:
    """False for what PostgreSQL's text cannot be, and so is the id of no job: with NUL or half a surrogate pair."""
    return "\0" not in job_id and not any("\ud800" <= sign <= "\udfff" for sign in job_id)
