"""Jobs as clients ask for them: found by id, where they may see them, and how far they are."""

import re
from datetime import datetime

from msgspec import Struct

from app.jobs.capacity import Capacity
from app.jobs.retention import Retention
from app.jobs.waiting import Waiters
from app.results.upload_uses import UploadUses
from persistence.job import Job, JobState
from persistence.queue import Ahead, JobQueue
from persistence.store import JobStore

ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""Of jobs, and of batches."""


class JobNotFound(Exception):
    """There is no such job, or it is another owner's."""


class JobGone(Exception):
    """The job was deleted."""


class Progress(Struct, frozen=True, kw_only=True):
    """A job, how far it is, and when to ask about it again; but for the job of no meaning once that has ended."""

    job: Job
    retry_after: int = 0
    """Whole seconds, at least 1."""
    queue_position: int = 0
    """Which page in the queue its next one is, from 1; 0 where none of it waits."""
    eta_seconds: float | None = 0.0
    """Until it is through, at the present pace; None while there are no workers."""
    expires_at: datetime | None = None
    """When it will be deleted, where that is known."""
    waited: bool = False
    """Whether its end was waited for."""
    upload_until: datetime | None = None
    """When the upload of a job that is done goes, at the latest; None where it is not kept."""


class Lookup:
    """`viewer`: the owner whose jobs are meant; None: everybody's."""

    def __init__(
        self,
        store: JobStore,
        queue: JobQueue,
        capacity: Capacity,
        retention: Retention,
        waiters: Waiters,
        uploads: UploadUses,
    ) -> None:
        self._store = store
        self._queue = queue
        self._capacity = capacity
        self._retention = retention
        self._waiters = waiters
        self._uploads = uploads

    async def job(self, job_id: str, viewer: str | None) -> Job:
        """The job as JobStore.outline gives it. A foreign one is as unknown as none.

        Raises JobNotFound, JobGone, StoreError.
        """
        if not ID.fullmatch(job_id):
            raise JobNotFound("there is no such job")
        job = await self._store.outline(job_id)
        if job is not None and viewer in (None, job.owner):
            if not self._retention.is_over(job):
                return job
            raise JobGone(f"job {job_id} has expired")
        if job is None and await self._store.was_deleted(job_id, viewer):
            raise JobGone(f"job {job_id} was deleted")
        raise JobNotFound("there is no such job")

    async def progress(self, job: Job, *, waited: bool = False) -> Progress:
        """The job, as it was found, with how far it is. Raises StoreError."""
        if job.status.terminal:
            expires_at = self._retention.expires_at(job)
            return Progress(job=job, waited=waited, expires_at=expires_at, upload_until=self._uploads.until(job))
        ahead = await ahead_of(self._queue, job.id, waits=job.status is JobState.QUEUED)
        pages = 1 + (ahead.last if ahead else 0)
        return Progress(
            job=job,
            retry_after=self._capacity.retry_after(pages),
            queue_position=1 + ahead.first if ahead else 0,
            eta_seconds=self._capacity.drain_seconds(pages),
            waited=waited,
        )

    async def at_end(self, job_id: str, viewer: str | None, seconds: int) -> Progress:
        """The job once it has ended, or after so many seconds, or at a stop; at once where too many wait already.

        Raises as `job`.
        """
        if not seconds or self._waiters.full:
            return await self.progress(await self.job(job_id, viewer))
        job = await self._waiters.ended(job_id, lambda: self.job(job_id, viewer), seconds)
        return await self.progress(job, waited=True)


async def ahead_of(queue: JobQueue, job_id: str, *, waits: bool) -> Ahead | None:
    """See JobQueue.ahead; all that is queued, where it `waits` for another attempt, or is on its way in."""
    ahead = await queue.ahead(job_id)
    return Ahead(first=queue.depth(), last=queue.depth()) if ahead is None and waits else ahead
