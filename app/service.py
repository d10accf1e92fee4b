"""The running service: what clients may ask of it, its start, and its graceful shutdown."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import timedelta

import msgspec
from loguru import logger

from app import clock
from app.background import Background
from app.batches.batches import Batches
from app.cluster.node_kind import NodeKind
from app.delivery.courier import Courier
from app.delivery.fetcher import Fetcher
from app.delivery.streams import Streams
from app.delivery.webhooks import Webhooks
from app.health import Health
from app.jobs.cancellation import Cancellation
from app.jobs.capacity import Capacity
from app.jobs.dead_letters import DeadLetters, NotADeadLetter, Requeued
from app.jobs.events import JobEvents
from app.jobs.incoming import Body, Incoming, UploadFields
from app.jobs.intake import Intake
from app.jobs.kept_uploads import UPLOADS_LOOK_SECONDS, KeptUploads
from app.jobs.page_selection import PageSelection
from app.jobs.reading.dispatchers import Dispatchers
from app.jobs.reading.files import Files
from app.jobs.reading.readings import Readings
from app.jobs.received import content_of, named_by, repeat_of, type_by_bytes
from app.jobs.retention import EXPIRY_SECONDS, Retention
from app.jobs.waiting import Waiters
from app.operations import Operations
from app.results.equal_files import EqualFiles
from app.results.lookup import JobGone, JobNotFound, Lookup, Progress
from app.results.stored_pages import StoredPages
from app.results.stored_run import JobResult, result_of
from app.results.upload_uses import UploadUses
from app.telemetry.observers import Observers
from config.settings import Settings
from ocr_engine.errors import OcrError
from ocr_engine.image import probe
from ocr_engine.result import ImageInfo
from ocr_engine.workers.pool import ManagedPool
from persistence.change import JobChange
from persistence.cursor import Cursor
from persistence.job import Job, JobOptions, JobState
from persistence.queue import JobQueue
from persistence.repeat import REPEAT_TIME, AlreadySubmitted, Repeat
from persistence.store import JobFilter, JobStore, Listing, StoreError
from persistence.upload import Upload

RESCUE_SECONDS = 30.0
"""How often a node compares the unfinished jobs with what the shared queue has."""
FORGET_REPEATS_SECONDS = 3600.0
"""Between two looks for keys of repeated uploads that are old enough to be forgotten."""
FORGET_HISTORY_SECONDS = 3600.0
"""Likewise, for minutes that the history does not show any more."""


class Service:
    """What routes ask. Made by `app/wiring.py`; started and drained by `app/lifespan.py`.

    `viewer`: the owner whose jobs are meant; None: everybody's.
    """

    def __init__(
        self,
        *,
        settings: Settings,
        kind: NodeKind,
        store: JobStore,
        pool: ManagedPool,
        queue: JobQueue,
        intake: Intake,
        dispatchers: Dispatchers,
        dead_letters: DeadLetters,
        cancellation: Cancellation,
        events: JobEvents,
        retention: Retention,
        kept_uploads: KeptUploads,
        equal_files: EqualFiles,
        incoming: Incoming,
        readings: Readings,
        files: Files,
        capacity: Capacity,
        ai_health: Health,
        operations: Operations,
        background: Background,
        observers: Observers,
        waiters: Waiters,
        streams: Streams,
        webhooks: Webhooks,
        courier: Courier,
        fetcher: Fetcher,
        batches: Batches,
    ) -> None:
        self.settings = settings
        self.kind = kind
        self.store = store
        self.pool = pool
        self.queue = queue
        self.intake = intake
        self.incoming = incoming
        self.capacity = capacity
        self.ai_health = ai_health
        self.waiters = waiters
        self.streams = streams
        self.webhooks = webhooks
        self.fetcher = fetcher
        self.batches = batches
        self.background = background
        self.operations = operations
        """What operators and probes ask."""
        self._dispatchers = dispatchers
        self._dead_letters = dead_letters
        self._cancellation = cancellation
        self._events = events
        self._retention = retention
        self.uploads = UploadUses(store, pool, timedelta(hours=settings.keep_uploads_hours))
        self._lookup = Lookup(store, queue, capacity, retention, waiters, self.uploads)
        self._kept_uploads = kept_uploads
        self._observers = observers
        self._readings = readings
        self._equal_files = equal_files
        self._files = files
        self._courier = courier
        self._drain: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Queues what an earlier life left unfinished, then lets the dispatchers run, if the node reads."""
        await self._rescue()
        if self.kind.has_neighbours:
            # what a shared queue lost: entries that somebody deleted, or that could not be written
            self.background.every("rescue", RESCUE_SECONDS, self._rescue, wait_first=True)
        self.background.every("retention", EXPIRY_SECONDS, self._retention.expire)
        self.background.every("repeats", FORGET_REPEATS_SECONDS, self._forget_repeats)
        self.background.every("history", FORGET_HISTORY_SECONDS, self.operations.forget_history)
        self.background.every("uploads", UPLOADS_LOOK_SECONDS, self._kept_uploads.expire)
        self.background.start("webhooks", self._courier.run())
        if not self.kind.reads:
            return
        self._dispatchers.start()
        if interval := self.settings.health_interval_seconds:
            # so that the metrics tell of bad reading though nobody asks
            self.background.every("self-check", interval, self.ai_health.verdict)

    async def submit(
        self,
        receive: Callable[[Body], Awaitable[UploadFields]],
        *,
        owner: str,
        client: str,
        idempotency_key: str = "",
        traceparent: str = "",
    ) -> Progress:
        """The job of the file that `receive` gathers in the body which it is given; refused before that, if it can be.

        With an idempotency key that was used before: the job of then. Raises IdempotencyKeyReused where something else
        was sent with it, JobGone, OcrError, CallbackRefused, WebhooksOff, BadSelection, IncomingFull, what `receive`
        raises, or as Intake.submit; counted all the same. `traceparent`: as it came with the request; kept where the
        service traces nothing itself.
        """
        media_type = "unknown"
        try:
            earlier = await self._submitted(owner, idempotency_key)
            if earlier is None:
                with self.queue.reserve():
                    pass  # refuse before the body is read, not after
            async with self.incoming.body(client, self.store.staging) as body:
                fields = await receive(body)
                upload = await body.upload(fields.password)
                with content_of(upload) as content:
                    try:
                        info = probe(content, self.settings.max_image_pixels)
                    except OcrError:
                        media_type = type_by_bytes(content)
                        raise
                media_type = info.media_type
                repeat = None
                if idempotency_key:
                    repeat = await repeat_of(owner, idempotency_key, upload, fields.options, fields.sources)
                try:
                    if earlier is not None:
                        raise earlier
                    trace = self._observers.traceparent() or traceparent
                    job = await self._new_job(upload, info, owner, trace, fields.options, repeat)
                except AlreadySubmitted as first:
                    job = await self.job(named_by(first, repeat), None)
        except Exception as error:
            self._observers.upload_refused(media_type, error)
            raise
        return await self._lookup.progress(job)

    async def progress_of(self, job: Job) -> Progress:
        """The job, as it was found, with how far it is. Raises StoreError."""
        return await self._lookup.progress(job)

    async def progress(self, job_id: str, viewer: str | None) -> Progress:
        """The job as it stands. Raises JobNotFound, JobGone, StoreError."""
        return await self._lookup.progress(await self.job(job_id, viewer))

    async def progress_at_end(self, job_id: str, viewer: str | None, seconds: int) -> Progress:
        """The job once it has ended, or after so many seconds (MAX_WAIT_SECONDS at most); see Lookup.at_end."""
        return await self._lookup.at_end(job_id, viewer, min(seconds, self.settings.max_wait_seconds))

    async def result(self, job_id: str, viewer: str | None, pages: str) -> JobResult:
        """What was read: of all pages, or of those that are named as `1-3,7`; these may be there before the job's end.

        Raises BadSelection, ResultUnfinished, NoResult, NoSuchPages, JobNotFound, JobGone, StoreError.
        """
        job = await self.job(job_id, viewer)
        return result_of(job, PageSelection.parsed(pages))

    def pages_of(self, job: Job, numbers: Sequence[int]) -> StoredPages:
        """What was read of these pages of it."""
        return StoredPages(self.store, job, numbers)

    async def job(self, job_id: str, viewer: str | None) -> Job:
        """The job alone. Raises JobNotFound, JobGone, StoreError."""
        return await self._lookup.job(job_id, viewer)

    def follow(self, job_id: str, viewer: str | None, client: str, seen: int) -> AsyncIterator[JobChange | None]:
        """The job's changes; see Streams.of_job. Of a job that is not there: none."""

        async def look() -> Job | None:
            try:
                return await self.job(job_id, viewer)
            except (JobNotFound, JobGone):
                return None

        return self.streams.of_job(client, job_id, look, seen)

    async def listed(self, wanted: JobFilter, after: Cursor | None, limit: int) -> Listing:
        """Some jobs, newest first, nothing of what was read. Raises StoreError."""
        return await self.store.listed(wanted, after, limit)

    async def delete(self, job_id: str, viewer: str | None) -> Progress | None:
        """The job, cancelled, where it had not ended; one that had ended is erased: None.

        Raises AlreadyEnded where it ended while it was to be cancelled, JobNotFound, JobGone, StoreError.
        """
        while True:
            job = await self.job(job_id, viewer)
            if not job.status.terminal:
                return Progress(job=await self._cancellation.cancel(job) or await self.job(job_id, viewer))
            if await self.store.delete(job):
                self._events.deleted(job)
                return None

    async def forget_read(self, job: Job) -> None:
        """Erases a job whose owner wants that once it was read, and has read it. Where that fails, it stays."""
        try:
            if await self.store.delete(job):
                self._events.deleted(job)
        except StoreError as error:
            logger.bind(event="job.not_forgotten", job_id=job.id).error(f"it stays, though it was read: {error}")

    async def dead_letters(self, code: str | None, viewer: str | None, after: Cursor | None, limit: int) -> Listing:
        """Some dead letters, newest first, of one error code where that is given. Raises StoreError."""
        return await self.store.dead_letters(code=code, owner=viewer, after=after, limit=limit)

    async def dead_letter(self, job_id: str, viewer: str | None) -> Job:
        """Raises NotADeadLetter, JobNotFound, JobGone, StoreError."""
        job = await self.job(job_id, viewer)
        if job.status is not JobState.DEAD_LETTER:
            raise NotADeadLetter(job)
        return job

    async def requeue(self, job_id: str, viewer: str | None) -> Progress:
        """The dead letter, or the job with failed pages, queued again.

        Raises JobNotFound, JobGone or as DeadLetters.requeue.
        """
        return await self._lookup.progress(await self._dead_letters.requeue(await self.job(job_id, viewer)))

    async def requeue_all(self, code: str | None, viewer: str | None) -> Requeued:
        """See DeadLetters.requeue_all."""
        return await self._dead_letters.requeue_all(code, viewer)

    async def delete_dead_letter(self, job_id: str, viewer: str | None) -> None:
        """Forgets it. Raises as `dead_letter` and DeadLetters.delete."""
        await self._dead_letters.delete(await self.dead_letter(job_id, viewer))

    def retry_after(self) -> int:
        """Whole seconds after which the queue may have room for what it refused."""
        return self.capacity.retry_after(self.queue.depth() + 1)

    async def drain(self) -> None:
        """Takes no new work, lets running jobs finish within DRAIN_SECONDS, puts the rest back. Twice: one drain."""
        if self._drain is None:
            self.operations.stopping = True
            self._drain = asyncio.create_task(self._drain_now(), name="drain")
        await asyncio.shield(self._drain)

    def job_changed_elsewhere(self, change: JobChange) -> None:
        """Word of another node. After an end whoever waits looks again, and what is read of the job here is in vain."""
        self.streams.told(change)
        if change.status.terminal:
            self.waiters.ring(change.id)
            self.waiters.ring(change.batch_id)
            self._readings.stop(change.id)
            self._files.drop(change.id)

    def changes_missed(self) -> None:
        """Word of other nodes may have been lost: who waits or follows looks again."""
        self.waiters.ring_all()
        self.streams.doubt()

    def hurry(self) -> None:
        """See Dispatchers.hurry."""
        self._dispatchers.hurry()

    async def _drain_now(self) -> None:
        self.queue.stop()
        self.waiters.close()
        ending = asyncio.create_task(self.background.end(), name="end of the background")
        await asyncio.gather(self._dispatchers.drain(), self._courier.stop())
        self.streams.close()  # only now: who follows hears of what ended meanwhile
        await ending

    async def _new_job(
        self, upload: Upload, info: ImageInfo, owner: str, trace: str, asked: JobOptions, repeat: Repeat | None
    ) -> Job:
        """Stored: with the result of an equal file, where that is wanted and there is one, or queued."""
        callback_url = await self.webhooks.callback_url(asked.callback_url, owner)
        options = msgspec.structs.replace(asked, callback_url=callback_url)
        mark = await self._equal_files.fingerprint(upload, options)
        job = await self._equal_files.answer(owner, mark, upload, info, trace, options, repeat)
        return job or await self.intake.submit(
            upload, info, owner, trace, options=options, repeat=repeat, fingerprint=mark
        )

    async def _submitted(self, owner: str, key: str) -> AlreadySubmitted | None:
        return await self.store.submitted(owner, key, clock.now() - REPEAT_TIME) if key else None

    async def _forget_repeats(self) -> None:
        await self.store.forget_repeats(clock.now() - REPEAT_TIME)

    async def _rescue(self) -> None:
        rescued = await self.intake.rescue()
        self._files.keep_only(rescued.unfinished)
