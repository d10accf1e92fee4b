"""Cancels jobs whose clients do not want them any more."""

from collections.abc import Callable
from datetime import datetime

from app import clock
from app.jobs.events import JobEvents
from persistence.job import Job, JobState
from persistence.queue import JobQueue
from persistence.store import JobStore


class AlreadyEnded(Exception):
    """The job is done or a dead letter; nothing was changed."""

    def __init__(self, job: Job) -> None:
        super().__init__(f"job {job.id} is {job.status}: it has ended and cannot be cancelled")


class Cancellation:
    """Cancels jobs that have not ended, and with them their images."""

    def __init__(
        self,
        store: JobStore,
        queue: JobQueue,
        events: JobEvents,
        now: Callable[[], datetime] = clock.now,
    ) -> None:
        self._store = store
        self._queue = queue
        self._events = events
        self._now = now

    async def cancel(self, job: Job) -> Job | None:
        """The job, cancelled; None where it was deleted meanwhile. Its places in the queue are free for others; workers
        that are reading it are stopped (app/jobs/reading/readings.py), their outcome is dropped. Raises AlreadyEnded,
        StoreError.
        """
        current: Job | None = job
        while current is not None and current.status is not JobState.CANCELLED:
            if current.status.terminal:
                raise AlreadyEnded(current)
            cancelled = current.cancelled(self._now())
            if await self._store.replace(current, cancelled):
                self._events.changed(current, cancelled)
                await self._queue.discard(job.id)
                return cancelled
            current = await self._store.outline(job.id)  # a dispatcher was faster: decide anew
        return current
