"""The JobStore on one SQLite file, which needs no server."""

import asyncio
import contextlib
import os
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self, TypeVar

from sqlite_utils import Database

from ocr_engine.result import ImageInfo
from persistence.batches import sqlite_rows as batch_rows
from persistence.batches.sqlite import SqliteBatches
from persistence.change import JobChange
from persistence.cursor import Cursor
from persistence.history import sqlite as minutes
from persistence.history.minute import Minute
from persistence.job import Job, JobState
from persistence.outbox import sqlite as outbox
from persistence.outbox.delivery import OF_IMAGE
from persistence.outbox.port import Outbox
from persistence.page import Page
from persistence.repeat import AlreadySubmitted, Repeat
from persistence.rows import COLUMNS
from persistence.sqlite import lists, repeats, uploads
from persistence.sqlite import pages as page_rows
from persistence.sqlite.connection import (
    OwnedConnection,
    connect_reader,
    connect_writer,
    fault,
    transaction,
)
from persistence.sqlite.file import FileLock, InPlace, WriteAheadLog, free_bytes, inspect, prepare_folder, require_room
from persistence.sqlite.migrations import MIGRATIONS
from persistence.sqlite.reserve import Reserve
from persistence.sqlite.rows import from_row, to_text
from persistence.sqlite.uploads import UploadFolder
from persistence.store import Backlog, JobFilter, Listing, PageChange, StoreFull, StoreUnusable, Taken
from persistence.tasks import Writes
from persistence.upload import StoredFile, Upload

T = TypeVar("T")

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
        self,
        path: Path,
        lock: FileLock,
        in_place: InPlace,
        log: WriteAheadLog,
        writer: OwnedConnection,
        reader: OwnedConnection,
        folder: UploadFolder,
    ) -> None:
        self._path = path
        self._in_place = in_place
        self._log = log
        self._uploads = folder
        self.staging = folder.staging
        self._lock = lock
        self.writer = writer
        """For what no promise of JobStore covers, as a PRAGMA."""
        self.reader = reader
        self.outbox: Outbox = outbox.SqliteOutbox(reader.run, self.write)
        self._reserve = Reserve(path)
        self._additions = Writes()
        self.batches = SqliteBatches(path, self.write, reader, folder, self._additions)
        self._cleaning = False
        """True while the write-ahead log may hold what was deleted; of the writer's thread only."""

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
                opened.push_async_callback(reader.close)
                folder = UploadFolder(file)
                await reader.run(lambda db: folder.prepare(uploads.names(db)))
                in_place, log = InPlace(file), WriteAheadLog(file)
            except (sqlite3.Error, OSError) as error:
                raise StoreUnusable(f"{file} cannot be opened for writing: {error}") from error
            opened.pop_all()
        store = cls(file, lock, in_place, log, writer, reader, folder)
        await asyncio.to_thread(store._reserve.hold)
        return store

    async def add(
        self,
        job: Job,
        upload: Upload,
        pages: Sequence[Page] = (),
        repeat: Repeat | None = None,
        equal: Job | None = None,
    ) -> None:
        if upload.file is None or not job.keeps_upload:
            await self._add(job, upload, pages, "", repeat, equal)
        else:
            await self._additions.carry_out(self._add_with_file(job, upload, pages, upload.file, repeat, equal))

    async def alike(self, owner: str, fingerprint: str) -> Job | None:
        return await self.reader.run(lambda db: lists.alike(db, owner, fingerprint))

    async def get(self, job_id: str) -> Job | None:
        return await self.reader.run(lambda db: page_rows.job(db, job_id, page_rows.completed))

    async def take(self, job_id: str, begun: Callable[[Job], Job | None]) -> Taken | None:
        def work(db: Database) -> Taken | None:
            with transaction(db):
                return uploads.take(db, self._uploads, job_id, begun)

        # a worker waits for this, and is idle until then
        taken = await self.write(work, synced=False)
        self.writer.run_later(self._log.sync)
        return taken

    async def outline(self, job_id: str) -> Job | None:
        return await self.reader.run(lambda db: page_rows.job(db, job_id, page_rows.outline))

    async def page_results(self, job_id: str, numbers: Sequence[int]) -> list[bytes]:
        return await self.reader.run(lambda db: page_rows.results(db, job_id, numbers))

    async def image(self, job_id: str) -> bytes | None:
        return await self.reader.run(lambda db: uploads.read(db, self._uploads, job_id))

    async def fetch(self, job_id: str, target: Path) -> StoredFile | None:
        return await self.reader.run(lambda db: uploads.fetch(db, self._uploads, job_id, target))

    async def replace(self, old: Job, new: Job) -> bool:
        return await self._change(old, new)

    async def open_pages(self, old: Job, new: Job, pages: Sequence[Page]) -> bool:
        return await self._change(old, new, pages)

    async def page(self, job_id: str, number: int) -> tuple[Job, Page] | None:
        return await self.reader.run(lambda db: page_rows.get(db, job_id, number))

    async def unsettled(self, job_id: str) -> list[Page]:
        return await self.reader.run(lambda db: page_rows.unsettled(db, job_id))

    async def replace_page(self, old: Page, new: Page, now: datetime) -> PageChange | None:
        def work(db: Database) -> PageChange | None:
            file = ""
            with transaction(db):
                change = page_rows.replace(db, old, new, now)
                if change is not None and not change.after.keeps_upload:
                    file = uploads.drop(db, new.job_id)
            self._uploads.remove([file] if file else [])
            return change

        return await self.write(work)

    async def pages_left(self) -> int:
        return await self.reader.run(lists.pages_left)

    async def unfinished(self) -> list[Job]:
        return await self._select(
            "INDEXED BY jobs_unfinished WHERE status IN ('queued', 'processing') ORDER BY created_at, id"
        )

    async def counts(self) -> Mapping[JobState, int]:
        return await self.reader.run(lists.counts)

    async def backlog(self, owner: str | None = None) -> Backlog:
        return await self.reader.run(lambda db: lists.backlog(db, owner))

    async def dead_letters(
        self, *, code: str | None = None, owner: str | None = None, after: Cursor | None = None, limit: int = 50
    ) -> Listing:
        return await self.reader.run(lambda db: lists.dead_letters(db, code, owner, after, limit))

    async def delete(self, job: Job) -> bool:
        if not job.status.terminal:
            raise ValueError(f"job {job.id} is {job.status}; only a terminal one can be deleted")

        def work(db: Database) -> bool:
            file = ""
            with transaction(db):
                mine = (job.id, job.revision, job.status.value)
                query = "SELECT 1 FROM jobs WHERE (id, revision, status) = (?, ?, ?)"
                deleted = db.execute(query, mine).fetchone() is not None
                if deleted:
                    file = uploads.drop(db, job.id)
                    outbox.forget(db, OF_IMAGE, job.id)
                    db.execute("DELETE FROM jobs WHERE id = ?", (job.id,))
                    db.execute(
                        "INSERT INTO tombstones (job_id, deleted_at, owner) VALUES (?, ?, ?)",
                        (job.id, to_text(datetime.now(UTC)), job.owner),
                    )
                    batch_rows.forget_job(db, job)
            self._uploads.remove([file] if file else [])
            if deleted:
                self._cleaning = True
            return deleted

        return await self.write(work)

    async def was_deleted(self, job_id: str, owner: str | None = None) -> bool:
        def work(db: Database) -> bool:
            query = "SELECT 1 FROM tombstones WHERE job_id = ? AND owner = coalesce(?, owner)"
            return db.execute(query, (job_id, owner)).fetchone() is not None

        return await self.reader.run(work)

    async def finished(self, before: datetime, limit: int) -> list[Job]:
        return await self._select(
            "INDEXED BY jobs_finished WHERE status IN ('done', 'cancelled') AND updated_at < ? "
            "ORDER BY updated_at, id LIMIT ?",
            (to_text(before), limit),
        )

    async def expired(self, now: datetime, limit: int) -> list[Job]:
        return await self._select(
            "INDEXED BY jobs_expiring WHERE expires_at <= ? ORDER BY expires_at, id LIMIT ?", (to_text(now), limit)
        )

    async def kept_uploads(self, now: datetime, kept: timedelta | None, limit: int) -> list[str]:
        return await self.reader.run(lambda db: uploads.kept(db, now, kept, limit))

    async def drop_upload(self, job_id: str) -> bool:
        def work(db: Database) -> bool:
            with transaction(db):
                file = uploads.drop_through(db, job_id)
            self._uploads.remove([file] if file else [])
            return file is not None

        return await self.write(work)

    async def listed(self, wanted: JobFilter, after: Cursor | None = None, limit: int = 50) -> Listing:
        return await self.reader.run(lambda db: lists.listed(db, wanted, after, limit))

    async def changes(self, after: Cursor, limit: int, owner: str | None = None) -> list[JobChange]:
        return await self.reader.run(lambda db: lists.changes(db, after, limit, owner))

    async def submitted(self, owner: str, key: str, since: datetime) -> AlreadySubmitted | None:
        return await self.reader.run(lambda db: repeats.find(db, owner, key, since))

    async def forget_repeats(self, before: datetime) -> int:
        return await self.write(lambda db: repeats.forget(db, before))

    async def minutes(self, since: datetime) -> list[Minute]:
        return await self.reader.run(lambda db: minutes.since(db, since))

    async def forget_minutes(self, before: datetime) -> int:
        return await self.write(lambda db: minutes.forget(db, before))

    async def free_bytes(self) -> int | None:
        return free_bytes(self._path)

    async def check(self) -> None:
        def work(db: Database) -> None:
            require_room(db, self._path, 0)
            with transaction(db):  # commits, and so reaches the disk, though nothing remains of it
                page_rows.insert_job(db, TRIAL)
                uploads.insert(db, TRIAL.id, Upload.of(b""), "")
                db.execute("DELETE FROM jobs WHERE id = ?", (TRIAL.id,))
            self._reserve.hold()

        await self.write(work, may_use_reserve=False)

    async def close(self) -> None:
        # the writer last: it folds the write-ahead log into the file, which no reader may then hold open
        try:
            await self._additions.ended()
            await self.reader.close()
            await self.writer.close()
            self._log.close()
            self._reserve.release()
            await asyncio.to_thread(self._uploads.tidy)
        finally:
            self._lock.release()

    async def _add(
        self, job: Job, upload: Upload, pages: Sequence[Page], file: str, repeat: Repeat | None, equal: Job | None
    ) -> None:
        def work(db: Database) -> None:
            require_room(db, self._path, len(upload.data))
            with transaction(db):
                if repeat is not None:
                    repeats.insert(db, repeat, job.id, job.created_at)
                page_rows.insert_job(db, job)
                if job.keeps_upload:
                    uploads.insert(db, job.id, upload, file)
                page_rows.insert(db, pages)
                if equal is not None:
                    page_rows.copy(db, equal, job)

        await self.write(work, may_use_reserve=False)

    async def _add_with_file(
        self, job: Job, upload: Upload, pages: Sequence[Page], received: Path, repeat: Repeat | None, equal: Job | None
    ) -> None:
        # off the writer's thread: to make 200 MB durable takes a second, and others write meanwhile
        file = await asyncio.to_thread(self._uploads.take, received)
        try:
            await self._add(job, upload, pages, file, repeat, equal)
        except BaseException:
            self._uploads.remove([file])
            raise

    async def _change(self, old: Job, new: Job, pages: Sequence[Page] = ()) -> bool:
        def work(db: Database) -> bool:
            file = ""
            with transaction(db):
                replaced = page_rows.update_job(db, old, new)
                if replaced:
                    page_rows.insert(db, pages)
                    if new.paged and not pages:
                        page_rows.follow_job(db, new)
                    if not new.keeps_upload:
                        file = uploads.drop(db, new.id)
                    elif not new.keeps_password:
                        uploads.forget_password(db, new.id)
            self._uploads.remove([file] if file else [])
            return replaced

        return await self.write(work)

    async def write(self, work: Callable[[Database], T], *, may_use_reserve: bool = True, synced: bool = True) -> T:
        """What `work` gives on the connection that writes. Raises StoreError; a full disk is given the reserve."""

        def in_place(db: Database) -> T:
            self._in_place.require()
            try:
                done = self._log.written(db, work, synced=synced)
            except sqlite3.Error as error:
                if not (may_use_reserve and isinstance(fault(error), StoreFull) and self._reserve.release()):
                    raise
                done = self._log.written(db, work, synced=synced)
            if self._cleaning:
                self._cleaning = not self._log.forget(db)
            return done

        return await self.writer.run(in_place)

    async def _select(self, rest: str, values: tuple[str | int, ...] = ()) -> list[Job]:
        query = f"SELECT {', '.join(COLUMNS)} FROM jobs {rest}"  # noqa: S608 - every `rest` is a constant of ours

        def work(db: Database) -> list[Job]:
            return [from_row(row) for row in db.execute(query, values).fetchall()]

        return await self.reader.run(work)


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
