"""The JobStore on one SQLite file, which needs no server."""

import asyncio
import contextlib
import os
import sqlite3
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Self, TypeVar

from sqlite_utils import Database

from ocr_engine.result import ImageInfo
from persistence.job import Job, JobState
from persistence.rows import COLUMNS
from persistence.sqlite.connection import OwnedConnection, connect_reader, connect_writer, transaction
from persistence.sqlite.file import FileLock, InPlace, free_bytes, inspect, prepare_folder, require_room
from persistence.sqlite.migrations import MIGRATIONS
from persistence.sqlite.rows import from_row, to_row, to_text
from persistence.store import Backlog, Cursor, JobExists, Page, StoreUnusable

T = TypeVar("T")

INSERT = f"""
    INSERT INTO jobs ({", ".join(COLUMNS)})
    SELECT {", ".join(f":{column}" for column in COLUMNS)}
    WHERE NOT EXISTS (SELECT 1 FROM tombstones WHERE job_id = :id)
    ON CONFLICT (id) DO NOTHING
"""  # noqa: S608 - of our own constants only

_NEVER = datetime(1970, 1, 1, tzinfo=UTC)
TRIAL = Job(
    id="",
    image=ImageInfo(media_type="", width=0, height=0, frames=0, size=0),
    created_at=_NEVER,
    updated_at=_NEVER,
    due_at=_NEVER,
)
"""What `check` adds and takes away again: it has to go through all that an upload goes through."""


class SqliteStore:
    """A JobStore on a local file.

    One connection writes and another one reads, each in a thread of its own: a status poll need not wait until a large
    image is on the disk. In WAL mode a read sees every commit that was before it.
    """

    def __init__(
        self, path: Path, lock: FileLock, in_place: InPlace, writer: OwnedConnection, reader: OwnedConnection
    ) -> None:
        self._path = path
        self._in_place = in_place
        self._lock = lock
        self.writer = writer
        """For what no promise of JobStore covers, as a PRAGMA."""
        self._reader = reader

    @classmethod
    async def open(cls, path: str | os.PathLike[str]) -> Self:
        """Opens the file, creating or migrating it where needed. Raises StoreUnusable and leaves it as it was."""
        file, lock = await asyncio.to_thread(_reserve, path)
        async with contextlib.AsyncExitStack() as opened:
            opened.callback(lock.release)
            try:
                writer = await OwnedConnection.open("store-writer", lambda: _migrated(file))
                opened.push_async_callback(writer.close)
                reader = await OwnedConnection.open("store-reader", lambda: connect_reader(file))
                in_place = InPlace(file)
            except (sqlite3.Error, OSError) as error:
                raise StoreUnusable(f"{file} cannot be opened for writing: {error}") from error
            opened.pop_all()
        return cls(file, lock, in_place, writer, reader)

    async def add(self, job: Job, image: bytes) -> None:
        def work(db: Database) -> None:
            require_room(db, self._path, len(image))
            with transaction(db):
                _insert(db, job, image)

        await self._write(work)

    async def get(self, job_id: str) -> Job | None:
        jobs = await self._select("WHERE id = ?", (job_id,))
        return jobs[0] if jobs else None

    async def image(self, job_id: str) -> bytes | None:
        def work(db: Database) -> bytes | None:
            row = db.execute("SELECT data FROM images WHERE job_id = ?", (job_id,)).fetchone()
            return bytes(row[0]) if row else None

        return await self._reader.run(work)

    async def replace(self, old: Job, new: Job) -> bool:
        def work(db: Database) -> bool:
            row = to_row(new) | {"old_status": old.status.value, "old_revision": old.revision}
            with transaction(db):
                replaced = db.execute(
                    "UPDATE jobs SET status = :status, revision = :revision, attempt = :attempt, "
                    "updated_at = :updated_at, due_at = :due_at, started_at = :started_at, "
                    "error_code = :error_code, failures = :failures, result = :result "
                    "WHERE id = :id AND revision = :old_revision AND status = :old_status",
                    row,
                ).rowcount
                if replaced and new.status in (JobState.DONE, JobState.CANCELLED):
                    db.execute("DELETE FROM images WHERE job_id = ?", (new.id,))
            return replaced == 1

        return await self._write(work)

    async def unfinished(self) -> list[Job]:
        return await self._select(
            "INDEXED BY jobs_unfinished WHERE status IN ('queued', 'processing') ORDER BY created_at, id"
        )

    async def counts(self) -> Mapping[JobState, int]:
        def work(db: Database) -> dict[JobState, int]:
            found = dict(db.execute("SELECT status, count(*) FROM jobs GROUP BY status").fetchall())
            return {state: found.get(state.value, 0) for state in JobState}

        return await self._reader.run(work)

    async def backlog(self, owner: str | None = None) -> Backlog:
        def work(db: Database) -> Backlog:
            jobs, image_bytes, oldest = db.execute(
                "SELECT count(*), coalesce(sum(image_bytes), 0), min(created_at) FROM jobs INDEXED BY jobs_unfinished "
                "WHERE status IN ('queued', 'processing') AND owner = coalesce(?, owner)",
                (owner,),
            ).fetchone()
            oldest = datetime.fromisoformat(oldest) if oldest else None
            return Backlog(jobs=jobs, image_bytes=image_bytes, oldest=oldest)

        return await self._reader.run(work)

    async def dead_letters(
        self, *, code: str | None = None, owner: str | None = None, after: Cursor | None = None, limit: int = 50
    ) -> Page:
        index, where, values = "jobs_dead_letters", ["status = 'dead-letter'"], list[str | int]()
        if code is not None:
            index = "jobs_dead_letters_by_code"
            where.append("error_code = ?")
            values.append(code)
        if owner is not None:
            where.append("owner = ?")
            values.append(owner)
        if after is not None:
            where.append("(updated_at, id) < (?, ?)")
            values += [to_text(after.updated_at), after.id]
        # one more than asked for tells whether anything follows
        jobs = await self._select(
            f"INDEXED BY {index} WHERE {' AND '.join(where)} ORDER BY updated_at DESC, id DESC LIMIT ?",
            (*values, limit + 1),
        )
        return Page.of(jobs, limit)

    async def delete(self, job: Job) -> bool:
        if not job.status.terminal:
            raise ValueError(f"job {job.id} is {job.status}; only a terminal one can be deleted")

        def work(db: Database) -> bool:
            with transaction(db):
                deleted = db.execute(
                    "DELETE FROM jobs WHERE id = ? AND revision = ? AND status = ?",
                    (job.id, job.revision, job.status.value),
                ).rowcount
                if deleted:
                    db.execute(
                        "INSERT INTO tombstones (job_id, deleted_at, owner) VALUES (?, ?, ?)",
                        (job.id, to_text(datetime.now(UTC)), job.owner),
                    )
            return deleted == 1

        return await self._write(work)

    async def was_deleted(self, job_id: str, owner: str | None = None) -> bool:
        def work(db: Database) -> bool:
            query = "SELECT 1 FROM tombstones WHERE job_id = ? AND owner = coalesce(?, owner)"
            return db.execute(query, (job_id, owner)).fetchone() is not None

        return await self._reader.run(work)

    async def finished(self, before: datetime, limit: int) -> list[Job]:
        return await self._select(
            "INDEXED BY jobs_finished WHERE status IN ('done', 'cancelled') AND updated_at < ? "
            "ORDER BY updated_at, id LIMIT ?",
            (to_text(before), limit),
        )

    async def free_bytes(self) -> int | None:
        return free_bytes(self._path)

    async def check(self) -> None:
        def work(db: Database) -> None:
            require_room(db, self._path, 0)
            with transaction(db):  # commits, and so reaches the disk, though nothing remains of it
                _insert(db, TRIAL, b"")
                db.execute("DELETE FROM jobs WHERE id = ?", (TRIAL.id,))

        await self._write(work)

    async def close(self) -> None:
        # the writer last: it folds the write-ahead log into the file, which no reader may then hold open
        try:
            await self._reader.close()
            await self.writer.close()
        finally:
            self._lock.release()

    async def _write(self, work: Callable[[Database], T]) -> T:
        def in_place(db: Database) -> T:
            self._in_place.require()
            return work(db)

        return await self.writer.run(in_place)

    async def _select(self, rest: str, values: tuple[str | int, ...] = ()) -> list[Job]:
        query = f"SELECT {', '.join(COLUMNS)} FROM jobs {rest}"  # noqa: S608 - every `rest` is a constant of ours

        def work(db: Database) -> list[Job]:
            return [from_row(row) for row in db.execute(query, values).fetchall()]

        return await self._reader.run(work)


def _insert(db: Database, job: Job, image: bytes) -> None:
    """Within a transaction. Raises JobExists."""
    row = to_row(job)
    if not db.execute(INSERT, row).rowcount:
        raise JobExists(f"there is or was a job {job.id}")
    db.execute("INSERT INTO images (job_id, data) VALUES (?, ?)", (job.id, image))


def _reserve(path: str | os.PathLike[str]) -> tuple[Path, FileLock]:
    file = Path(os.path.realpath(path))  # two names of one file share its lock
    prepare_folder(file)
    lock = FileLock.take(file)
    try:
        inspect(file)
    except BaseException:
        lock.release()
        raise
    return file, lock


def _migrated(file: Path) -> Database:
    db = connect_writer(file)
    try:
        MIGRATIONS.apply(db)
        with transaction(db):  # fails where the file itself is read-only
            pass
    except sqlite3.Error:
        db.close()
        raise
    return db
