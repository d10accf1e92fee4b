"""Deletes jobs whose time is over: after KEEP_FINISHED_DAYS, or when their clients wanted it."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta

from loguru import logger

from app import clock
from app.jobs.events import JobEvents
from persistence.job import Job, JobState
from persistence.store import JobStore

EXPIRY_SECONDS = 60.0
"""From one look to the next."""
EXPIRY_BATCH_JOBS = 100
"""Jobs that are read at a time. Each is deleted by a write of its own, so that uploads wait for one at most."""


class Retention:
    """Deletes jobs that have been `done` or cancelled for long, and any whose own time is over.

    Other dead letters stay until a person deletes them.
    """

    def __init__(
        self, store: JobStore, kept: timedelta | None, events: JobEvents, now: Callable[[], datetime] = clock.now
    ) -> None:
        """`kept`: how long finished jobs stay; None: for ever."""
        self._store = store
        self._kept = kept
        self._events = events
        self._now = now

    def expires_at(self, job: Job) -> datetime | None:
        """When the job will be deleted; None while that is not known, or never."""
        moments = [job.expires_at] if job.expires_at else []
        if self._kept is not None and job.status in (JobState.DONE, JobState.CANCELLED):
            moments.append(job.updated_at + self._kept)
        return min(moments, default=None)

    def is_over(self, job: Job) -> bool:
        """Its time is up, whether or not it was deleted by now."""
        expires_at = self.expires_at(job)
        return expires_at is not None and expires_at <= self._now()

    async def expire(self) -> int:
        """Deletes what is due, and gives the number. Harmless on several nodes at once. Raises StoreError."""
        now = self._now()
        expired = await self._delete_all(lambda: self._store.expired(now, EXPIRY_BATCH_JOBS))
        if self._kept is not None:
            due = now - self._kept
            expired += await self._delete_all(lambda: self._store.finished(due, EXPIRY_BATCH_JOBS))
        if expired:
            logger.bind(event="jobs.expired", jobs=expired).info("jobs deleted whose time was over")
        return expired

    async def _delete_all(self, due: Callable[[], Awaitable[Sequence[Job]]]) -> int:
        deleted = 0
        while jobs := await due():
            for job in jobs:
                if await self._store.delete(job):
                    self._events.deleted(job)
                    deleted += 1
        return deleted
