"""A JobStore that measures how long the operations of the store within take."""

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from persistence.change import JobChange
from persistence.cursor import Cursor
from persistence.history.minute import Minute
from persistence.job import Job, JobState
from persistence.page import Page
from persistence.repeat import AlreadySubmitted, Repeat
from persistence.store import Backlog, JobFilter, JobStore, Listing, PageChange, Taken
from persistence.upload import StoredFile, Upload


class ObservedStore:
    """Passes everything on to the store within, and tells how long it took."""

    def __init__(self, store: JobStore, on_use: Callable[[str, float], None]) -> None:
        """`on_use` is told the operation's name and its seconds, failed ones included."""
        self.wrapped = store
        """The store that is measured."""
        self._on_use = on_use
        self.staging = store.staging
        self.outbox = store.outbox
        self.batches = store.batches

    async def add(
        self,
        job: Job,
        upload: Upload,
        pages: Sequence[Page] = (),
        repeat: Repeat | None = None,
        equal: Job | None = None,
    ) -> None:
        with self._timed("add"):
            await self.wrapped.add(job, upload, pages, repeat, equal)

    async def alike(self, owner: str, fingerprint: str) -> Job | None:
        with self._timed("alike"):
            return await self.wrapped.alike(owner, fingerprint)

    async def get(self, job_id: str) -> Job | None:
        with self._timed("get"):
            return await self.wrapped.get(job_id)

    async def take(self, job_id: str, begun: Callable[[Job], Job | None]) -> Taken | None:
        with self._timed("take"):
            return await self.wrapped.take(job_id, begun)

    async def outline(self, job_id: str) -> Job | None:
        with self._timed("outline"):
            return await self.wrapped.outline(job_id)

    async def page_results(self, job_id: str, numbers: Sequence[int]) -> list[bytes]:
        with self._timed("page_results"):
            return await self.wrapped.page_results(job_id, numbers)

    async def image(self, job_id: str) -> bytes | None:
        with self._timed("image"):
            return await self.wrapped.image(job_id)

    async def fetch(self, job_id: str, target: Path) -> StoredFile | None:
        with self._timed("fetch"):
            return await self.wrapped.fetch(job_id, target)

    async def open_pages(self, old: Job, new: Job, pages: Sequence[Page]) -> bool:
        with self._timed("open_pages"):
            return await self.wrapped.open_pages(old, new, pages)

    async def page(self, job_id: str, number: int) -> tuple[Job, Page] | None:
        with self._timed("page"):
            return await self.wrapped.page(job_id, number)

    async def unsettled(self, job_id: str) -> list[Page]:
        with self._timed("unsettled"):
            return await self.wrapped.unsettled(job_id)

    async def replace_page(self, old: Page, new: Page, now: datetime) -> PageChange | None:
        with self._timed("replace_page"):
            return await self.wrapped.replace_page(old, new, now)

    async def pages_left(self) -> int:
        with self._timed("pages_left"):
            return await self.wrapped.pages_left()

    async def replace(self, old: Job, new: Job) -> bool:
        with self._timed("replace"):
            return await self.wrapped.replace(old, new)

    async def unfinished(self) -> list[Job]:
        with self._timed("unfinished"):
            return await self.wrapped.unfinished()

    async def counts(self) -> Mapping[JobState, int]:
        with self._timed("counts"):
            return await self.wrapped.counts()

    async def backlog(self, owner: str | None = None) -> Backlog:
        with self._timed("backlog"):
            return await self.wrapped.backlog(owner)

    async def dead_letters(
        self, *, code: str | None = None, owner: str | None = None, after: Cursor | None = None, limit: int = 50
    ) -> Listing:
        with self._timed("dead_letters"):
            return await self.wrapped.dead_letters(code=code, owner=owner, after=after, limit=limit)

    async def delete(self, job: Job) -> bool:
        with self._timed("delete"):
            return await self.wrapped.delete(job)

    async def was_deleted(self, job_id: str, owner: str | None = None) -> bool:
        with self._timed("was_deleted"):
            return await self.wrapped.was_deleted(job_id, owner)

    async def finished(self, before: datetime, limit: int) -> list[Job]:
        with self._timed("finished"):
            return await self.wrapped.finished(before, limit)

    async def expired(self, now: datetime, limit: int) -> list[Job]:
        with self._timed("expired"):
            return await self.wrapped.expired(now, limit)

    async def kept_uploads(self, now: datetime, kept: timedelta | None, limit: int) -> list[str]:
        with self._timed("kept_uploads"):
            return await self.wrapped.kept_uploads(now, kept, limit)

    async def drop_upload(self, job_id: str) -> bool:
        with self._timed("drop_upload"):
            return await self.wrapped.drop_upload(job_id)

    async def listed(self, wanted: JobFilter, after: Cursor | None = None, limit: int = 50) -> Listing:
        with self._timed("listed"):
            return await self.wrapped.listed(wanted, after, limit)

    async def changes(self, after: Cursor, limit: int, owner: str | None = None) -> list[JobChange]:
        with self._timed("changes"):
            return await self.wrapped.changes(after, limit, owner)

    async def submitted(self, owner: str, key: str, since: datetime) -> AlreadySubmitted | None:
        with self._timed("submitted"):
            return await self.wrapped.submitted(owner, key, since)

    async def forget_repeats(self, before: datetime) -> int:
        with self._timed("forget_repeats"):
            return await self.wrapped.forget_repeats(before)

    async def minutes(self, since: datetime) -> list[Minute]:
        with self._timed("minutes"):
            return await self.wrapped.minutes(since)

    async def forget_minutes(self, before: datetime) -> int:
        with self._timed("forget_minutes"):
            return await self.wrapped.forget_minutes(before)

    async def free_bytes(self) -> int | None:
        return await self.wrapped.free_bytes()

    async def check(self) -> None:
        with self._timed("check"):
            await self.wrapped.check()

    async def close(self) -> None:
        await self.wrapped.close()

    def _timed(self, operation: str) -> "_Timed":
        return _Timed(operation, self._on_use)


class _Timed:
    """Tells how long its block took; each job has some six, and a generator with `contextmanager` costs more."""

    def __init__(self, operation: str, on_use: Callable[[str, float], None]) -> None:
        self._operation = operation
        self._on_use = on_use

    def __enter__(self) -> None:
        self._begun = time.perf_counter()

    def __exit__(self, *_: object) -> None:
        self._on_use(self._operation, time.perf_counter() - self._begun)
