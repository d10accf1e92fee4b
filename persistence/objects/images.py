"""Images apart from their jobs, in object storage: any JobStore, holding in an image's place the key of an object.

The object is written before the row and deleted after it, so that no row ever lacks its image. What a crash leaves in
between is an object without a row; the sweep removes it.
"""

import asyncio
import contextlib
import re
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Self, TypeVar
from urllib.parse import quote, unquote

import msgspec
from loguru import logger

from persistence.batches.objects import ObjectBatches
from persistence.change import JobChange
from persistence.cursor import Cursor
from persistence.history.minute import Minute
from persistence.job import Job, JobState
from persistence.objects.bucket import Objects
from persistence.page import Page
from persistence.repeat import AlreadySubmitted, Repeat
from persistence.store import Backlog, EqualGone, JobFilter, JobStore, Listing, PageChange, StoreError, Taken
from persistence.tasks import Writes, end, every
from persistence.upload import StoredFile, Upload

T = TypeVar("T")

OBJECT_MARK = b"\0object\0"
"""What an image's row begins with that names an object; no image begins so."""
_OUR_KEYS = re.compile(r"[^/]+-[0-9a-f]{32}")
"""A key as `_new_key` makes it."""
MAX_MARK_BYTES = 4096
"""More than any mark with its key is long."""
SWEEP_SECONDS = 3600.0
MIN_ORPHAN_AGE = timedelta(hours=1)
"""Younger objects may yet get their row: an upload takes a minute at most."""


class ObjectImages:
    """A JobStore whose images are objects. Those that were stored before it was set up are read where they are."""

    def __init__(self, jobs: JobStore, objects: Objects) -> None:
        self._jobs = jobs
        self._objects = objects
        self.staging = jobs.staging
        self.outbox = jobs.outbox
        self._keys: dict[str, str] = {}
        """Of jobs whose object was fetched here, until they end."""
        self._writes = Writes()
        self.batches = ObjectBatches(jobs.batches, self._put, self._take_back, self._writes)
        self._sweeping = asyncio.create_task(every(SWEEP_SECONDS, self._sweep_and_log), name="sweep-images")

    @classmethod
    async def open(cls, jobs: JobStore, url: str) -> Self:
        """Over `jobs`, which it closes at its end. Raises StoreUnusable."""
        return cls(jobs, await Objects.open(url))

    async def add(
        self,
        job: Job,
        upload: Upload,
        pages: Sequence[Page] = (),
        repeat: Repeat | None = None,
        equal: Job | None = None,
    ) -> None:
        async def write() -> None:
            row = await self._put(job.id, upload) if job.keeps_upload else Upload(size=0)
            # where this fails, whether the row was committed may be unknown: only the sweep can tell later
            try:
                await self._jobs.add(job, row, pages, repeat, equal)
            except (AlreadySubmitted, EqualGone):
                if row.data:
                    await self._take_back(row)
                raise
            if upload.file is not None:
                await asyncio.to_thread(upload.file.unlink, missing_ok=True)

        await self._writes.carry_out(write())

    async def alike(self, owner: str, fingerprint: str) -> Job | None:
        return await self._jobs.alike(owner, fingerprint)

    async def get(self, job_id: str) -> Job | None:
        return await self._jobs.get(job_id)

    async def take(self, job_id: str, begun: Callable[[Job], Job | None]) -> Taken | None:
        taken = await self._jobs.take(job_id, begun)
        return msgspec.structs.replace(taken, image=None) if taken and _key(taken.image) else taken

    async def outline(self, job_id: str) -> Job | None:
        return await self._jobs.outline(job_id)

    async def page_results(self, job_id: str, numbers: Sequence[int]) -> list[bytes]:
        return await self._jobs.page_results(job_id, numbers)

    async def image(self, job_id: str) -> bytes | None:
        stored = await self._jobs.image(job_id)
        key = _key(stored)
        return await self._objects.get(key) if key else stored

    async def fetch(self, job_id: str, target: Path) -> StoredFile | None:
        stored = await self._jobs.fetch(job_id, target)
        if stored is None:
            return None
        key = _key(await asyncio.to_thread(_beginning, stored.path))
        if not key:
            return stored
        if not await self._objects.get_into(key, target):
            return None
        self._keys[job_id] = key
        return StoredFile(path=target, password=stored.password)

    async def replace(self, old: Job, new: Job) -> bool:
        if new.keeps_upload:
            return await self._jobs.replace(old, new)
        return await self._writes.carry_out(self._then_without_object(new.id, lambda: self._jobs.replace(old, new)))

    async def open_pages(self, old: Job, new: Job, pages: Sequence[Page]) -> bool:
        return await self._jobs.open_pages(old, new, pages)

    async def page(self, job_id: str, number: int) -> tuple[Job, Page] | None:
        return await self._jobs.page(job_id, number)

    async def unsettled(self, job_id: str) -> list[Page]:
        return await self._jobs.unsettled(job_id)

    async def replace_page(self, old: Page, new: Page, now: datetime) -> PageChange | None:
        return await self._writes.carry_out(self._replace_page(old, new, now))

    async def pages_left(self) -> int:
        return await self._jobs.pages_left()

    async def unfinished(self) -> list[Job]:
        return await self._jobs.unfinished()

    async def counts(self) -> Mapping[JobState, int]:
        return await self._jobs.counts()

    async def backlog(self, owner: str | None = None) -> Backlog:
        return await self._jobs.backlog(owner)

    async def dead_letters(
        self, *, code: str | None = None, owner: str | None = None, after: Cursor | None = None, limit: int = 50
    ) -> Listing:
        return await self._jobs.dead_letters(code=code, owner=owner, after=after, limit=limit)

    async def delete(self, job: Job) -> bool:
        return await self._writes.carry_out(self._then_without_object(job.id, lambda: self._jobs.delete(job)))

    async def was_deleted(self, job_id: str, owner: str | None = None) -> bool:
        return await self._jobs.was_deleted(job_id, owner)

    async def finished(self, before: datetime, limit: int) -> list[Job]:
        return await self._jobs.finished(before, limit)

    async def expired(self, now: datetime, limit: int) -> list[Job]:
        return await self._jobs.expired(now, limit)

    async def kept_uploads(self, now: datetime, kept: timedelta | None, limit: int) -> list[str]:
        return await self._jobs.kept_uploads(now, kept, limit)

    async def drop_upload(self, job_id: str) -> bool:
        return await self._writes.carry_out(self._then_without_object(job_id, lambda: self._jobs.drop_upload(job_id)))

    async def listed(self, wanted: JobFilter, after: Cursor | None = None, limit: int = 50) -> Listing:
        return await self._jobs.listed(wanted, after, limit)

    async def changes(self, after: Cursor, limit: int, owner: str | None = None) -> list[JobChange]:
        return await self._jobs.changes(after, limit, owner)

    async def submitted(self, owner: str, key: str, since: datetime) -> AlreadySubmitted | None:
        return await self._jobs.submitted(owner, key, since)

    async def forget_repeats(self, before: datetime) -> int:
        return await self._jobs.forget_repeats(before)

    async def minutes(self, since: datetime) -> list[Minute]:
        return await self._jobs.minutes(since)

    async def forget_minutes(self, before: datetime) -> int:
        return await self._jobs.forget_minutes(before)

    async def free_bytes(self) -> int | None:
        return await self._jobs.free_bytes()

    async def check(self) -> None:
        await self._jobs.check()
        await self._objects.check()

    async def close(self) -> None:
        await end(self._sweeping)
        await self._writes.ended()
        await self._jobs.close()

    async def sweep(self, age: timedelta = MIN_ORPHAN_AGE) -> int:
        """Deletes objects of that age that no row names; gives their number. Raises StoreError.

        What has no name of ours is somebody else's, who put it there against the advice, and stays.
        """
        swept = 0
        async for key in self._objects.older_than(age):
            if _OUR_KEYS.fullmatch(key) and _key(await self._jobs.image(_job_id(key))) != key:
                await self._objects.delete(key)
                swept += 1
        return swept

    async def _put(self, job_id: str, upload: Upload) -> Upload:
        """The row that names the object that was made of the upload."""
        key = _new_key(job_id)
        await self._objects.put(key, upload.data if upload.file is None else upload.file)
        mark = OBJECT_MARK + key.encode()
        return Upload(size=len(mark), data=mark, password=upload.password)

    async def _take_back(self, row: Upload) -> None:
        await self._objects.delete(_key(row.data))

    async def _then_without_object(self, job_id: str, change: Callable[[], Awaitable[bool]]) -> bool:
        """Makes the change, which drops the image's row, and then deletes its object."""
        key = _key(await self._jobs.image(job_id))
        changed = await change()
        if changed:
            await self._delete(key)
        self._keys.pop(job_id, None)
        return changed

    async def _replace_page(self, old: Page, new: Page, now: datetime) -> PageChange | None:
        change = await self._jobs.replace_page(old, new, now)
        if change is not None and not change.after.keeps_upload:
            # the row that knew it is gone; an object that this node never fetched is the sweep's
            await self._delete(self._keys.pop(new.job_id, ""))
        return change

    async def _delete(self, key: str) -> None:
        if key:
            with contextlib.suppress(StoreError):  # the sweep will
                await self._objects.delete(key)

    async def _sweep_and_log(self) -> None:
        try:
            if swept := await self.sweep():
                logger.bind(event="images.swept", objects=swept).info("objects without a job deleted")
        except StoreError as error:
            logger.bind(event="images.sweep_failed").warning(f"objects without a job stay for now: {error}")


def _new_key(job_id: str) -> str:
    # new each time: a second `add` of an id must not touch the image of the first
    return f"{quote(job_id, safe='')}-{uuid.uuid4().hex}"


def _job_id(key: str) -> str:
    return unquote(key.rpartition("-")[0])


def _key(stored: bytes | None) -> str:
    return stored.removeprefix(OBJECT_MARK).decode() if stored is not None and stored.startswith(OBJECT_MARK) else ""


def _beginning(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_MARK_BYTES)
    except OSError as error:
        raise StoreError(f"{path.parent} cannot be read: {error.strerror}") from error
