"""The JobStore on PostgreSQL, which several nodes share."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self

import asyncpg

from persistence.batches import postgres_rows as batch_rows
from persistence.batches.postgres import PostgresBatches
from persistence.change import JobChange
from persistence.cursor import Cursor
from persistence.history import postgres as minutes
from persistence.history.minute import Minute
from persistence.job import Job, JobState
from persistence.outbox import postgres as outbox
from persistence.outbox.delivery import OF_IMAGE
from persistence.outbox.port import Outbox
from persistence.page import Page
from persistence.patience import Patience
from persistence.postgres import entry_table, lists, repeats, uploads
from persistence.postgres import pages as page_rows
from persistence.postgres.connection import (
    FAULTS,
    Connection,
    Connections,
    in_one_line,
    storable,
)
from persistence.postgres.migrations import migrate
from persistence.postgres.scratch import ScratchFolder
from persistence.queue import Unit
from persistence.repeat import AlreadySubmitted, Repeat
from persistence.rows import from_row
from persistence.store import Backlog, JobExists, JobFilter, Listing, PageChange, StoreUnusable, Taken
from persistence.upload import StoredFile, Upload

MIGRATION_SECONDS = 600.0
"""Longest wait for one step of a migration, or for another node that is at it."""


class PostgresStore:
    """A JobStore on PostgreSQL. A new job's entry in the queue is written in the job's own transaction."""

    def __init__(self, connections: Connections, scratch: ScratchFolder) -> None:
        self._connections = connections
        self._scratch = scratch
        self.staging = scratch.files
        self.outbox: Outbox = outbox.PostgresOutbox(connections)
        self.batches = PostgresBatches(connections)

    @classmethod
    async def open(cls, url: str, patience: Patience = Patience()) -> Self:
        """Opens the database, migrating it where needed. Raises StoreUnusable."""
        try:
            connection = await asyncpg.connect(url, timeout=patience.connect, command_timeout=MIGRATION_SECONDS)
            try:
                await migrate(connection)
            finally:
                await connection.close(timeout=patience.command)
            connections = await Connections.open(url, patience=patience)
        except (*FAULTS, ValueError) as error:
            raise StoreUnusable(f"the database cannot be used: {in_one_line(error)}") from error
        try:
            return cls(connections, await asyncio.to_thread(ScratchFolder.make))
        except OSError as error:
            await connections.close()
            raise StoreUnusable(f"the temporary folder cannot be used: {error}") from error

    async def add(
        self,
        job: Job,
        upload: Upload,
        pages: Sequence[Page] = (),
        repeat: Repeat | None = None,
        equal: Job | None = None,
    ) -> None:
        async def work(connection: Connection, again: bool) -> None:
            if repeat is not None:
                await repeats.insert(connection, repeat, job.id, job.created_at)
            if not await page_rows.insert_job(connection, job):
                if again and _is_same(await _get(connection, job.id), job):
                    return
                raise JobExists(f"there is or was a job {job.id}")
            if job.keeps_upload:
                await uploads.insert(connection, job.id, upload)
            await page_rows.insert(connection, job, pages)
            if equal is not None:
                await page_rows.copy(connection, equal, job)
            elif not pages:
                await entry_table.enqueue(connection, Unit.of(job))

        await self._connections.write(work)
        if upload.file is not None:
            await asyncio.to_thread(upload.file.unlink, missing_ok=True)

    async def alike(self, owner: str, fingerprint: str) -> Job | None:
        return await self._connections.read(lambda connection: lists.alike(connection, owner, fingerprint))

    async def get(self, job_id: str) -> Job | None:
        return await self._connections.read(lambda connection: _get(connection, job_id))

    async def take(self, job_id: str, begun: Callable[[Job], Job | None]) -> Taken | None:
        tried: list[Taken] = []

        async def work(connection: Connection, again: bool) -> Taken | None:
            found = await uploads.to_read(connection, job_id)
            if found is None:
                return None
            job, image = found
            if again and tried and tried[-1].after == job:
                return tried[-1]  # it was stored, and the answer was lost
            new = begun(job)
            if new is None:
                return Taken(before=job, after=None)
            tried.append(Taken(before=job, after=new, image=image))
            return tried[-1] if await page_rows.update_job(connection, job, new) else Taken(before=job, after=None)

        # nothing but the job's row is written
        return await self._connections.write_alone(work) if storable(job_id) else None

    async def outline(self, job_id: str) -> Job | None:
        return await self._connections.read(lambda connection: _get(connection, job_id, page_rows.outline))

    async def page_results(self, job_id: str, numbers: Sequence[int]) -> list[bytes]:
        if not storable(job_id):
            return []
        return await self._connections.read(lambda connection: page_rows.results(connection, job_id, numbers))

    async def image(self, job_id: str) -> bytes | None:
        return await uploads.read(self._connections, job_id) if storable(job_id) else None

    async def fetch(self, job_id: str, target: Path) -> StoredFile | None:
        return await uploads.fetch(self._connections, job_id, target) if storable(job_id) else None

    async def replace(self, old: Job, new: Job) -> bool:
        return await self._change(old, new)

    async def open_pages(self, old: Job, new: Job, pages: Sequence[Page]) -> bool:
        return await self._change(old, new, pages)

    async def page(self, job_id: str, number: int) -> tuple[Job, Page] | None:
        if not storable(job_id):
            return None
        return await self._connections.read(lambda connection: page_rows.get(connection, job_id, number))

    async def unsettled(self, job_id: str) -> list[Page]:
        return await self._connections.read(lambda connection: page_rows.unsettled(connection, job_id))

    async def replace_page(self, old: Page, new: Page, now: datetime) -> PageChange | None:
        async def work(connection: Connection, again: bool) -> PageChange | None:
            change = await page_rows.replace(connection, old, new, now)
            if change is None:
                return await _repeated(connection, new) if again else None
            if not change.after.keeps_upload:
                await uploads.drop(connection, new.job_id)
            return change

        return await self._connections.write(work)

    async def pages_left(self) -> int:
        return await self._connections.read(lists.pages_left)

    async def unfinished(self) -> list[Job]:
        return await self._select(f"WHERE {lists.UNFINISHED} ORDER BY created_at, id")

    async def counts(self) -> Mapping[JobState, int]:
        return await self._connections.read(lists.counts)

    async def backlog(self, owner: str | None = None) -> Backlog:
        return await self._connections.read(lambda connection: lists.backlog(connection, owner))

    async def dead_letters(
        self, *, code: str | None = None, owner: str | None = None, after: Cursor | None = None, limit: int = 50
    ) -> Listing:
        if not storable(f"{code or ''}{after.id if after else ''}"):
            return Listing(jobs=(), next=None)
        return await self._connections.read(
            lambda connection: lists.dead_letters(connection, code, owner, after, limit)
        )

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
            await outbox.forget(connection, OF_IMAGE, job.id)
            await connection.execute(
                "INSERT INTO tombstones (job_id, deleted_at, owner) VALUES ($1, $2, $3)",
                job.id,
                datetime.now(UTC),
                job.owner,
            )
            await batch_rows.forget_job(connection, job)
            return True

        return await self._connections.write(work)

    async def was_deleted(self, job_id: str, owner: str | None = None) -> bool:
        return await self._connections.read(lambda connection: _was_deleted(connection, job_id, owner))

    async def finished(self, before: datetime, limit: int) -> list[Job]:
        return await self._select(
            "WHERE status IN ('done', 'cancelled') AND updated_at < $1 ORDER BY updated_at, id LIMIT $2", before, limit
        )

    async def expired(self, now: datetime, limit: int) -> list[Job]:
        return await self._select("WHERE expires_at <= $1 ORDER BY expires_at, id LIMIT $2", now, limit)

    async def kept_uploads(self, now: datetime, kept: timedelta | None, limit: int) -> list[str]:
        stays = "coalesce((options->>'keep_hours')::float8 * interval '1 hour', $2)"
        query = (
            "SELECT id FROM jobs JOIN images ON images.job_id = jobs.id WHERE status = 'done' AND pages_failed = 0 "  # noqa: S608
            f"AND updated_at < $1 AND ($2::interval IS NULL OR updated_at + {stays} < $1) "
            "ORDER BY updated_at, id LIMIT $3"
        )
        rows = await self._connections.read(lambda connection: connection.fetch(query, now, kept, limit))
        return [row["id"] for row in rows]

    async def drop_upload(self, job_id: str) -> bool:
        query = (
            "DELETE FROM images USING jobs WHERE images.job_id = $1 AND jobs.id = $1 "
            "AND jobs.status = 'done' AND jobs.pages_failed = 0 RETURNING 1"
        )

        async def work(connection: Connection, is_repeated: bool) -> bool:
            dropped = await connection.fetchval(query, job_id)
            # the answer to a first try may have been lost
            return dropped is not None or is_repeated

        return await self._connections.write(work)

    async def listed(self, wanted: JobFilter, after: Cursor | None = None, limit: int = 50) -> Listing:
        if not storable(f"{wanted.tag or ''}{after.id if after else ''}"):
            return Listing(jobs=(), next=None)
        return await self._connections.read(lambda connection: lists.listed(connection, wanted, after, limit))

    async def changes(self, after: Cursor, limit: int, owner: str | None = None) -> list[JobChange]:
        if not storable(after.id):
            return []
        return await self._connections.read(lambda connection: lists.changes(connection, after, limit, owner))

    async def submitted(self, owner: str, key: str, since: datetime) -> AlreadySubmitted | None:
        return await self._connections.read(lambda connection: repeats.find(connection, owner, key, since))

    async def forget_repeats(self, before: datetime) -> int:
        return await self._connections.write(lambda connection, _: repeats.forget(connection, before))

    async def minutes(self, since: datetime) -> list[Minute]:
        return await self._connections.read(lambda connection: minutes.since(connection, since))

    async def forget_minutes(self, before: datetime) -> int:
        return await self._connections.write(lambda connection, _: minutes.forget(connection, before))

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
        await asyncio.to_thread(self._scratch.remove)

    async def _change(self, old: Job, new: Job, pages: Sequence[Page] = ()) -> bool:
        async def work(connection: Connection, again: bool) -> bool:
            if not await page_rows.update_job(connection, old, new):
                found = await _get(connection, new.id) if again else None
                return found is not None and (found.revision, found.status) == (new.revision, new.status)
            await page_rows.insert(connection, new, pages)
            if new.paged and not pages:
                await page_rows.follow_job(connection, new)
            if not new.keeps_upload:
                await uploads.drop(connection, new.id)
            elif not new.keeps_password:
                await uploads.forget_password(connection, new.id)
            return True

        return await self._connections.write(work)

    async def _select(self, rest: str, *values: object) -> list[Job]:
        query = f"SELECT {page_rows.NAMES} FROM jobs {rest}"  # noqa: S608 - every `rest` is a constant of ours
        rows = await self._connections.read(lambda connection: connection.fetch(query, *values))
        return [from_row(dict(row)) for row in rows]


async def _get(
    connection: Connection, job_id: str, whole: Callable[[Connection, Job], Awaitable[Job]] = page_rows.completed
) -> Job | None:
    if not storable(job_id):
        return None
    row = await connection.fetchrow(f"SELECT {page_rows.NAMES} FROM jobs WHERE id = $1", job_id)  # noqa: S608
    return await whole(connection, from_row(dict(row))) if row else None


async def _repeated(connection: Connection, new: Page) -> PageChange | None:
    """What an earlier try of the same change did, whose answer was lost; None where it did nothing."""
    found = await page_rows.get(connection, new.job_id, new.number)
    if found is None or (found[1].revision, found[1].status) != (new.revision, new.status):
        return None
    return PageChange(before=found[0], after=found[0])


def _is_same(found: Job | None, added: Job) -> bool:
    """Is this the job that was added, whatever became of it since? A worker may have it within milliseconds."""
    return found is not None and (found.created_at, found.owner, found.image) == (
        added.created_at,
        added.owner,
        added.image,
    )


async def _was_deleted(connection: Connection, job_id: str, owner: str | None = None) -> bool:
    if not storable(job_id):
        return False
    query = "SELECT 1 FROM tombstones WHERE job_id = $1 AND ($2::text IS NULL OR owner = $2)"
    return await connection.fetchval(query, job_id, owner) is not None
