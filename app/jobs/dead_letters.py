"""Dead letters, as operators handle them: requeue one or many, delete."""

from collections.abc import Callable
from datetime import datetime

from msgspec import Struct

from app import clock
from app.jobs.admission import Admission, QuotaExceeded
from app.jobs.events import JobEvents
from persistence.job import Job, JobState
from persistence.queue import JobQueue, QueueFull, Unit
from persistence.store import JobStore

REQUEUE_BATCH_JOBS = 100
"""Dead letters that a bulk requeue reads at a time."""


class NotADeadLetter(Exception):
    """The job is in another state by now; nothing was changed."""

    def __init__(self, job: Job) -> None:
        super().__init__(f"job {job.id} is {job.status}, not a dead letter")


class Requeued(Struct, frozen=True, kw_only=True):
    """What a bulk requeue did."""

    requeued: int
    remaining: bool
    """True where the queue, or a key's quota, was full before all were through: ask again later."""


class DeadLetters:
    """The dead-letter queue, as operators handle it."""

    def __init__(
        self,
        store: JobStore,
        queue: JobQueue,
        admission: Admission,
        events: JobEvents,
        now: Callable[[], datetime] = clock.now,
    ) -> None:
        self._store = store
        self._queue = queue
        self._admission = admission
        self._events = events
        self._now = now

    async def requeue(self, job: Job) -> Job:
        """The job, queued with all attempts before it; of a file of several pages those that were given up.

        Raises NotADeadLetter, QueueFull, QuotaExceeded, QueueStopped, StoreError.
        """
        if not requeueable(job):
            raise NotADeadLetter(job)
        with self._queue.reserve():
            again = job.requeued(self._now())
            async with self._admission.one_more(job.owner):
                if not await self._store.replace(job, again):
                    raise NotADeadLetter(await self._store.outline(job.id) or job)
                self._events.requeued(again)
                if again.paged:
                    pages = await self._store.unsettled(again.id)
                    for page in pages[: self._queue.window]:
                        await self._queue.put(Unit.of(again, page.number))
                else:
                    await self._queue.put(Unit.of(again))
        return again

    async def requeue_all(self, code: str | None, owner: str | None) -> Requeued:
        """Requeues every dead letter of that code and owner (None: any), as far as the queue and quotas have room.

        Those of a key whose quota is used up are left; others go on.
        """
        requeued, after = 0, None
        full: set[str] = set()
        while True:
            page = await self._store.dead_letters(code=code, owner=owner, after=after, limit=REQUEUE_BATCH_JOBS)
            for job in page.jobs:
                if job.owner in full:
                    continue
                try:
                    await self.requeue(job)
                except QueueFull:
                    return Requeued(requeued=requeued, remaining=True)
                except QuotaExceeded:
                    full.add(job.owner)
                    continue
                except NotADeadLetter:
                    continue
                requeued += 1
            if page.next is None:
                return Requeued(requeued=requeued, remaining=bool(full))
            after = page.next

    async def delete(self, job: Job) -> None:
        """Forgets the job and its image; its id answers 410 from then on. Raises NotADeadLetter, StoreError."""
        if job.status is not JobState.DEAD_LETTER or not await self._store.delete(job):
            raise NotADeadLetter(await self._store.outline(job.id) or job)
        self._events.deleted(job)


def requeueable(job: Job) -> bool:
    """True for a dead letter, and for a job that is done but for pages that were given up."""
    return job.status is JobState.DEAD_LETTER or (job.status is JobState.DONE and job.pages_failed > 0)
