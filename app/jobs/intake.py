"""How jobs enter the queue: new ones from clients, and unfinished ones rescued from the store."""

import uuid
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import msgspec
from loguru import logger
from msgspec import Struct

from app import clock
from app.jobs.admission import Admission
from app.jobs.events import JobEvents
from app.jobs.reading.reader import chosen
from app.jobs.reading.retry import RetryPolicy, wait_until_due
from ocr_engine.result import ImageInfo
from persistence.batches.batch import NewJob
from persistence.job import ANYBODY, PRIORITIES, Job, JobOptions, JobState, Priority
from persistence.page import Page, PageState, new_pages
from persistence.queue import JobQueue, Unit
from persistence.repeat import Repeat
from persistence.store import JobStore
from persistence.upload import Upload


class Rescued(Struct, frozen=True, kw_only=True):
    """What a rescue found."""

    units: int
    """Pages, and jobs without pages of their own, that were queued."""
    unfinished: frozenset[str]
    """Ids of all unfinished jobs."""


class Intake:
    """Takes images in: durable first, then queued."""

    def __init__(
        self,
        store: JobStore,
        queue: JobQueue,
        policy: RetryPolicy,
        admission: Admission,
        events: JobEvents,
        abandoned_seconds: float,
        max_pages: int,
        kept: timedelta = timedelta(),
        highest: Callable[[str], Priority] = lambda _: "high",
        now: Callable[[], datetime] = clock.now,
    ) -> None:
        """`abandoned_seconds`: after which an attempt, if no queue knows of it any more, has no worker either; 0 where
        no other process can be at it. `max_pages`: how many of one file are read. `kept`: how long uploads stay
        after the ends of their jobs, where nothing else is asked for. `highest`: priority of an owner's jobs.
        """
        self._store = store
        self._queue = queue
        self._policy = policy
        self._admission = admission
        self._events = events
        self._abandoned_seconds = abandoned_seconds
        self._max_pages = max_pages
        self._kept_hours = kept.total_seconds() / 3600
        self._highest = highest
        self._now = now

    async def submit(
        self,
        upload: Upload,
        info: ImageInfo,
        owner: str = ANYBODY,
        traceparent: str = "",
        options: JobOptions = JobOptions(),
        repeat: Repeat | None = None,
        fingerprint: str = "",
    ) -> Job:
        """A queued job, durable. `traceparent`: W3C trace context of the request; empty where nobody traces.

        Raises AlreadySubmitted (with `repeat`), QueueStopped, StoreError, TooManyPages, NoSuchPage or as
        Admission.admit; nothing is left behind then.
        """
        new = self.new_job(upload, info, owner, traceparent, options, fingerprint=fingerprint)
        with self._queue.reserve():
            async with self._admission.admit(owner, upload.size):
                await self._store.add(new.job, upload, new.pages, repeat)
                await self.stored(new)
        return new.job

    def new_job(
        self,
        upload: Upload,
        info: ImageInfo,
        owner: str,
        traceparent: str,
        options: JobOptions,
        batch_id: str = "",
        batch_number: int = 0,
        fingerprint: str = "",
    ) -> NewJob:
        """What is to be stored of an upload. Raises TooManyPages, NoSuchPage."""
        numbers = chosen(options.pages, info.pages, self._max_pages) if info.pages else []
        moment = self._now()
        job = Job(
            id=str(uuid.uuid4()),
            owner=owner,
            traceparent=traceparent,
            image=info,
            fingerprint=fingerprint,
            created_at=moment,
            updated_at=moment,
            due_at=moment,
            options=self._granted(options, upload, owner),
            paged=info.pages > 1,
            pages_total=len(numbers),
            batch_id=batch_id,
            batch_number=batch_number,
        )
        return NewJob(job=job, upload=upload, pages=new_pages(job, numbers, moment) if job.paged else ())

    async def stored(self, new: NewJob, answered: bool = False) -> None:
        """The job is in the store: it is told of, and queued unless it is `answered`."""
        if answered and new.answered is not None:
            self._events.accepted(new.answered)
            return
        self._events.accepted(new.job)
        await self._queue.put_new(_unit(new.job, page) for page in new.pages or (None,))

    async def answer(
        self,
        equal: Job,
        upload: Upload,
        info: ImageInfo,
        traceparent: str = "",
        options: JobOptions = JobOptions(),
        repeat: Repeat | None = None,
    ) -> Job:
        """A job of `equal`'s owner that is done at once, with the same result; durable.

        Raises AlreadySubmitted (with `repeat`), EqualGone, StoreError or as Admission.admit.
        """
        new = self.new_job(upload, info, equal.owner, traceparent, options, fingerprint=equal.fingerprint)
        job = new.job.answered_by(equal, self._now())
        async with self._admission.admit(equal.owner, upload.size):
            await self._store.add(job, upload, (), repeat, equal)
            self._events.accepted(job)
        # with the numbers of its pages
        return await self._store.outline(job.id) or job if job.paged else job

    def _granted(self, options: JobOptions, upload: Upload, owner: str) -> JobOptions:
        """What is asked for, as far as it may be: a key's jobs have the priority of its key at most.

        A password is needed to open what it came with, and kept no longer than its job needs it.
        """
        priority = max(options.priority, self._highest(owner), key=PRIORITIES.index)
        hours = self._kept_hours if options.keep_hours is None else options.keep_hours
        return msgspec.structs.replace(options, priority=priority, keep_upload=hours > 0 and not upload.password)

    async def rescue(self) -> Rescued:
        """Queues what the queue does not have of the unfinished jobs.

        At start, and now and then where the queue may have lost some.
        """
        rescued, jobs, unfinished = 0, 0, set()
        for job in await self._store.unfinished():
            unfinished.add(job.id)
            self._events.rescued(job)
            units = await self._requeued_units(job)
            rescued, jobs = rescued + units, jobs + (units > 0)
        if rescued:
            logger.bind(event="jobs.resumed", jobs=jobs, units=rescued).info("unfinished jobs queued again")
        return Rescued(units=rescued, unfinished=frozenset(unfinished))

    async def _requeued_units(self, job: Job) -> int:
        if not job.paged:
            return await self._queue.put(_unit(job), delay=self._wait(job))
        queued = 0
        for page in self._for_queue(await self._store.unsettled(job.id)):
            queued += await self._queue.put(_unit(job, page), delay=self._wait(page))
        return queued

    def _for_queue(self, pages: Sequence[Page]) -> Sequence[Page]:
        """Those that the queue should have: all that are being read, and of the others as many as it takes."""
        begun = [page for page in pages if page.status is PageState.PROCESSING]
        waiting = [page for page in pages if page.status is PageState.QUEUED]
        return [*begun, *waiting[: self._queue.window]]

    def _wait(self, attempted: Job | Page) -> float:
        if attempted.status in (JobState.QUEUED, PageState.QUEUED) or attempted.started_at is None:
            return wait_until_due(attempted, self._policy, self._now())
        running = (self._now() - attempted.started_at).total_seconds()
        return max(0.0, self._abandoned_seconds - max(0.0, running))


def _unit(job: Job, page: Page | None = None) -> Unit:
    return Unit.of(job, page.number if page else 0)
