"""The uploads that workers of this node read from, as files: fetched once a job, gone with its end."""

import asyncio
import contextlib
from collections.abc import Callable, Container
from pathlib import Path

from app.jobs.events import JobEvents
from ocr_engine.errors import ImageMissing
from persistence.job import Job
from persistence.store import JobStore
from persistence.upload import StoredFile


class Files(JobEvents):
    """One file a job, whatever number of its pages are read at once."""

    def __init__(self, store: JobStore, forget: Callable[[Path], None]) -> None:
        """`forget` is told of a file that no worker need have open any longer."""
        self._store = store
        self._forget = forget
        self._files: dict[str, asyncio.Task[StoredFile | None]] = {}

    async def at_hand(self, job_id: str) -> StoredFile:
        """The job's file. Raises ImageMissing or StoreError."""
        task = self._files.get(job_id)
        if task is None or (task.done() and not _usable(task)):
            target = self._target(job_id)
            task = asyncio.create_task(self._store.fetch(job_id, target), name=f"fetch for {job_id}")
            self._files[job_id] = task
        # shielded: other pages of the job may wait for the same file
        file = await asyncio.shield(task)
        if file is None:
            raise ImageMissing("the file is not where it was stored")
        return file

    def drop(self, job_id: str) -> None:
        """Nothing of the job is read any more. Without a file, or twice: harmless."""
        task = self._files.pop(job_id, None)
        if task is None:
            return
        task.add_done_callback(lambda _: self._remove(job_id, task))

    def keep_only(self, unfinished: Container[str]) -> None:
        """Drops the files of other jobs: those of which no word came that they had ended, on another node."""
        for job_id in [job_id for job_id in self._files if job_id not in unfinished]:
            self.drop(job_id)

    def changed(self, old: Job, job: Job) -> None:
        """See JobEvents."""
        if job.status.terminal:
            self.drop(job.id)

    def _remove(self, job_id: str, task: "asyncio.Task[StoredFile | None]") -> None:
        if _usable(task):
            file = task.result()
            assert file is not None
            self._forget(file.path)
        with contextlib.suppress(OSError):
            # only what was written here: a path of the store's own is the store's
            self._target(job_id).unlink(missing_ok=True)

    def _target(self, job_id: str) -> Path:
        return self._store.staging / f"job-{job_id}"


def _usable(task: "asyncio.Task[StoredFile | None]") -> bool:
    return not task.cancelled() and task.exception() is None and task.result() is not None
