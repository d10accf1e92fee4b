"""What is made of a job's upload after its end: the file itself, pictures of its pages, a searchable PDF.

All of it is made by workers, in files of the store's staging folder that go when they were sent.
"""

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path

from app import VERSION
from app.results.stored_pages import StoredPages
from app.results.stored_run import JobResult
from ocr_engine.formats import Source
from ocr_engine.options import ReadOptions
from ocr_engine.searchable.order import PagesInFile, PdfOrder
from ocr_engine.workers.pool import ManagedPool
from persistence.job import Job, JobState
from persistence.store import JobStore
from persistence.upload import StoredFile

PATIENCE_SECONDS = 30.0
"""How long a client waits for a worker at most: they take whoever came first, pages and these alike."""


class UploadExpired(Exception):
    """The upload is not there any more."""

    def __init__(self, job: Job) -> None:
        super().__init__(
            f"the file of job {job.id} was dropped, after KEEP_UPLOADS_HOURS or what its `keep_upload` asked for, or "
            "because the job was cancelled; its text stays, and the file may be sent again"
        )


class UploadUses:
    """Made of a store, and of a pool that opens what it holds."""

    def __init__(self, store: JobStore, pool: ManagedPool, kept: timedelta) -> None:
        """`kept`: how long uploads stay after the ends of jobs that asked for nothing else."""
        self._store = store
        self._kept = kept
        self._pool = pool

    def until(self, job: Job) -> datetime | None:
        """When the upload of a job that is done goes, at the latest; None where it is not kept."""
        if job.status is not JobState.DONE or not job.options.keep_upload:
            return None
        hours = job.options.keep_hours
        return job.updated_at + (self._kept if hours is None else timedelta(hours=hours))

    @asynccontextmanager
    async def upload(self, job: Job) -> AsyncIterator[StoredFile]:
        """The upload as a file, until the context is left. Raises UploadExpired or StoreError."""
        copy = self._scratch("upload")
        try:
            stored = await self._store.fetch(job.id, copy)
            if stored is None:
                raise UploadExpired(job)
            yield stored
            self._pool.forget(stored.path)
        finally:
            await asyncio.to_thread(copy.unlink, missing_ok=True)

    @asynccontextmanager
    async def searchable_pdf(self, result: JobResult) -> AsyncIterator[Path]:
        """A PDF of these pages, until the context is left. Raises UploadExpired, StoreError, OcrError, PagesLost."""
        target, read = self._scratch("pdf"), self._scratch("pages")
        try:
            async with self.upload(result.job) as stored:
                await asyncio.to_thread(_write, StoredPages(self._store, result.job, result.numbers), read)
                order = PdfOrder(
                    file=stored.path,
                    pages=PagesInFile(read),
                    target=target,
                    options=ReadOptions(password=stored.password),
                    source=Source(file_name=result.job.id, read_at=result.job.updated_at, version=VERSION),
                    only=bool(result.selection.ranges),
                )
                await self._pool.write_searchable_pdf(order, patience=PATIENCE_SECONDS)
            yield target
        finally:
            for made in (target, read):
                await asyncio.to_thread(made.unlink, missing_ok=True)

    async def page_picture(self, job: Job, number: int, width: int) -> bytes:
        """A JPEG of the page, at most `width` pixels wide. Raises UploadExpired, StoreError, OcrError."""
        async with self.upload(job) as stored:
            options = ReadOptions(password=stored.password)
            return await self._pool.render_page(stored.path, number, options, width, patience=PATIENCE_SECONDS)

    def _scratch(self, kind: str) -> Path:
        return self._store.staging / f"{kind}-{uuid.uuid4().hex}"


def _write(pages: StoredPages, target: Path) -> None:
    with target.open("wb") as file:
        for page in pages.encoded():
            file.write(page + b"\n")
