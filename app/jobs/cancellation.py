"""What a client may do with a job that it does not want any more."""

from collections.abc import Callable
from datetime import datetime

from app import clock
from persistence.job import Job, JobState
from persistence.queue import JobQueue
from persistence.store import JobStore


class AlreadyEnded(Exception):
    """The job is done or a dead letter; nothing was changed."""

    def __init__(self, job: Job) -> None:
        super().__init__(f"job {job.id} is {job.status}: it has ended and cannot be withdrawn")


class Withdrawals:
    """Cancels jobs that have not ended, and with them their images."""

    def __init__(
        self,
        store: JobStore,
        queue: JobQueue,
        on_change: Callable[[Job, Job], None],
        now: Callable[[], datetime] = clock.now,
    ) -> None:
        """`on_change` is told of every transition that was stored: the job before and after."""
        self._store = store
        self._queue = queue
        self._on_change = on_change
        self._now = now

    async def withdraw(self, job: Job) -> Job | None:
        """The job, cancelled; None where it was deleted meanwhile. Its place in the queue is free for another; a worker
        that is reading it stops after the page at hand, and its outcome is dropped. Raises AlreadyEnded, StoreError.
        """
        current: Job | None = job
        while current is not None and current.status is not JobState.CANCELLED:
            if current.status.terminal:
                raise AlreadyEnded(current)
            cancelled = current.cancelled(self._now())
            if await self._store.replace(current, cancelled):
                self._on_change(current, cancelled)
                await self._queue.discard(job.id)
                return cancelled
            current = await self._store.get(job.id)  # a dispatcher was faster: decide anew
        return current
