"""The BatchStore beside the jobs of a SqliteStore, in its file."""

import asyncio
from collections.abc import Callable, Sequence, Set
from pathlib import Path
from typing import Protocol, TypeVar

from sqlite_utils import Database

from persistence.batches import sqlite_rows
from persistence.batches.batch import Batch, BatchFile, BatchListing, BatchState, NewJob
from persistence.batches.uploads import at_hand
from persistence.cursor import Cursor
from persistence.repeat import Repeat
from persistence.sqlite import pages as page_rows
from persistence.sqlite import repeats, uploads
from persistence.sqlite.connection import OwnedConnection, transaction
from persistence.sqlite.file import require_room
from persistence.sqlite.uploads import UploadFolder
from persistence.store import EqualGone, JobExists, StoreError
from persistence.tasks import Writes
from persistence.upload import IN_MEMORY_BYTES, Upload

T = TypeVar("T")


class Write(Protocol):
    """As SqliteStore.write."""

    async def __call__(self, work: Callable[[Database], T], *, may_use_reserve: bool = True) -> T:
        """What `work` gives on the connection that writes."""


class SqliteBatches:
    """What a SqliteStore keeps of batches, through its connections."""

    def __init__(
        self, path: Path, write: Write, reader: OwnedConnection, folder: UploadFolder, additions: Writes
    ) -> None:
        self._path = path
        self._write = write
        self._reader = reader
        self._uploads = folder
        self._additions = additions

    async def add(
        self, batch: Batch, files: Sequence[BatchFile], jobs: Sequence[NewJob], repeat: Repeat | None = None
    ) -> Set[str]:
        return await self._additions.carry_out(self._add(batch, files, jobs, repeat))

    async def get(self, batch_id: str) -> BatchState | None:
        return await self._reader.run(lambda db: sqlite_rows.get(db, batch_id))

    async def listed(self, owner: str | None, after: Cursor | None = None, limit: int = 50) -> BatchListing:
        return await self._reader.run(lambda db: sqlite_rows.listed(db, owner, after, limit))

    async def files(self, batch_id: str, after: int, limit: int) -> list[BatchFile]:
        return await self._reader.run(lambda db: sqlite_rows.files(db, batch_id, after, limit))

    async def cancel(self, batch_id: str) -> None:
        def work(db: Database) -> None:
            with transaction(db):
                sqlite_rows.cancel(db, batch_id)

        await self._write(work)

    async def _add(
        self, batch: Batch, files: Sequence[BatchFile], jobs: Sequence[NewJob], repeat: Repeat | None
    ) -> Set[str]:
        in_rows = sum(new.upload.size for new in jobs if not _is_large(new.upload))

        def work(db: Database) -> set[str]:
            answered = set[str]()
            require_room(db, self._path, in_rows)
            with transaction(db):
                if repeat is not None:
                    repeats.insert(db, repeat, batch.id, batch.created_at)
                if not sqlite_rows.insert(db, batch, files):
                    raise JobExists(f"there is or was a batch {batch.id}")
                for new in jobs:
                    page_rows.insert_job(db, new.job)
                    if _answer(db, new):
                        answered.add(new.job.id)
                    else:
                        page_rows.insert(db, new.pages)
                    if new.job.id not in answered or new.job.options.keep_upload:
                        # one after the other, so that no more than one of them is in memory
                        uploads.insert(db, new.job.id, at_hand(new.upload), taken.get(new.job.id, ""))
            return answered

        # off the writer's thread, as with a single upload
        taken = await asyncio.to_thread(self._take, jobs)
        try:
            answered = await self._write(work, may_use_reserve=False)
        except BaseException:
            self._uploads.remove(taken.values())
            raise
        dropped = [new.job.id for new in jobs if new.job.id in answered and not new.job.options.keep_upload]
        self._uploads.remove([taken[job_id] for job_id in dropped if job_id in taken])
        return answered

    def _take(self, jobs: Sequence[NewJob]) -> dict[str, str]:
        """Moves what is too large for rows into the folder; the names there, by job. Raises StoreError."""
        taken: dict[str, str] = {}
        try:
            for new in jobs:
                if _is_large(new.upload) and new.upload.file is not None:
                    taken[new.job.id] = self._uploads.take(new.upload.file)
        except StoreError:
            self._uploads.remove(taken.values())
            raise
        return taken


def _answer(db: Database, new: NewJob) -> bool:
    """Whether the job that was just inserted is done, as its equal is."""
    if new.equal is None or new.answered is None:
        return False
    try:
        page_rows.copy(db, new.equal, new.job)
    except EqualGone:
        return False
    return page_rows.update_job(db, new.job, new.answered)


def _is_large(upload: Upload) -> bool:
    return upload.file is not None and upload.size > IN_MEMORY_BYTES
