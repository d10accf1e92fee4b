"""Batches as clients handle them: submitted, waited for, followed, cancelled, erased."""

import contextlib
from collections.abc import AsyncIterator, Callable, Sequence

from msgspec import Struct, structs

from app.batches.refusals import BatchGone, BatchNotFound
from app.batches.taking import Taking
from app.delivery.streams import Streams
from app.jobs.cancellation import AlreadyEnded, Cancellation
from app.jobs.capacity import Capacity
from app.jobs.events import JobEvents
from app.jobs.retention import Retention
from app.jobs.waiting import Waiters
from app.results.lookup import ID, ahead_of
from persistence.batches.batch import OF_BATCH, BatchFile, BatchListing, BatchState
from persistence.cursor import Cursor
from persistence.job import Job, JobState
from persistence.outbox.delivery import Delivery
from persistence.queue import JobQueue
from persistence.store import JobStore

LISTED_FILES_AT_ONCE = 100
"""Of a batch, that are read at a time."""


class BatchProgress(Struct, frozen=True, kw_only=True):
    """A batch, how far it is, and when to ask about it again."""

    state: BatchState
    files: Sequence[BatchFile] = ()
    """Some of its files, in their order."""
    more: bool = False
    """Whether others follow them."""
    retry_after: int = 0
    """Whole seconds, at least 1; of no meaning once it has ended."""
    eta_seconds: float | None = 0.0
    """Until it is through, at the present pace; None while there are no workers."""
    waited: bool = False
    """Whether its end was waited for."""

    def as_accepted(self) -> "BatchProgress":
        """What its client sent and what was taken of it; nothing of what has become of that since."""
        batch = structs.replace(self.state.batch, unfinished=self.state.batch.jobs, ended_at=None, cancelled=False)
        counts = {state: batch.jobs if state is JobState.QUEUED else 0 for state in JobState}
        return BatchProgress(
            state=BatchState(
                batch=batch, counts=counts, pages_total=self.state.pages_total, pages_done=0, pages_failed=0
            ),
            files=[structs.replace(each, status=JobState.QUEUED) if each.job_id else each for each in self.files],
            more=self.more,
            retry_after=max(1, self.retry_after),
            eta_seconds=None,
        )


class Batches:
    """What routes ask of batches. `viewer`: the owner whose batches are meant; None: everybody's."""

    def __init__(
        self,
        *,
        taking: Taking,
        store: JobStore,
        queue: JobQueue,
        cancellation: Cancellation,
        capacity: Capacity,
        events: JobEvents,
        waiters: Waiters,
        streams: Streams,
        retention: Retention,
        max_wait_seconds: int,
    ) -> None:
        self.taking = taking
        """How they are submitted."""
        self._store = store
        self._queue = queue
        self._cancellation = cancellation
        self._capacity = capacity
        self._events = events
        self._waiters = waiters
        self._streams = streams
        self._retention = retention
        self._max_wait_seconds = max_wait_seconds

    async def state(self, batch_id: str, viewer: str | None) -> BatchState:
        """The batch as it stands. Raises BatchNotFound, BatchGone, StoreError."""
        if not ID.fullmatch(batch_id):
            raise BatchNotFound("there is no such batch")
        state = await self._store.batches.get(batch_id)
        if state is not None and viewer in (None, state.batch.owner):
            return state
        if state is None and await self._store.was_deleted(batch_id, viewer):
            raise BatchGone(f"batch {batch_id} was deleted")
        raise BatchNotFound("there is no such batch")

    async def progress(
        self, batch_id: str, viewer: str | None, *, after: int = 0, limit: int = LISTED_FILES_AT_ONCE, seconds: int = 0
    ) -> BatchProgress:
        """The batch with some of its files, at once or when it has ended, or after so many seconds.

        Raises as `state`.
        """
        seconds = min(seconds, self._max_wait_seconds)
        waited = seconds > 0 and not self._waiters.full
        if waited:
            state = await self._waiters.ended(batch_id, lambda: self.state(batch_id, viewer), seconds)
        else:
            state = await self.state(batch_id, viewer)
        # one more than asked for tells whether anything follows
        files = await self._store.batches.files(batch_id, after, limit + 1)
        pages = await self._pages_ahead(state)
        return BatchProgress(
            state=state,
            files=files[:limit],
            more=len(files) > limit,
            retry_after=self._capacity.retry_after(pages),
            eta_seconds=self._capacity.drain_seconds(pages) if pages else 0.0,
            waited=waited,
        )

    async def deliveries(self, batch_id: str, viewer: str | None) -> Sequence[Delivery]:
        """What is told of its ends to whom asked to be called, oldest first. Raises as `state`."""
        await self.state(batch_id, viewer)
        return await self._store.outbox.of_subject(OF_BATCH, batch_id)

    async def listed(self, viewer: str | None, after: Cursor | None, limit: int) -> BatchListing:
        """Some batches, newest first. Raises StoreError."""
        return await self._store.batches.listed(viewer, after, limit)

    async def ended_jobs(self, batch_id: str) -> AsyncIterator[tuple[BatchFile, Job]]:
        """Those of its jobs that have ended, as JobStore.outline gives them, in the order of the files."""
        async for file in self._files(batch_id):
            if file.status is not None and file.status.terminal:
                job = await self._store.outline(file.job_id)
                if job is not None and job.status.terminal and not self._retention.is_over(job):
                    yield file, job

    async def delete(self, batch_id: str, viewer: str | None) -> BatchProgress | None:
        """The batch, what was unfinished of it cancelled; one that had ended is erased, with all its jobs: None.

        Raises as `state`.
        """
        state = await self.state(batch_id, viewer)
        if not state.status.terminal:
            await self._store.batches.cancel(batch_id)
            await self._cancel(batch_id)
            return await self.progress(batch_id, viewer)
        async for file in self._files(batch_id):
            job = await self._store.outline(file.job_id) if file.status is not None else None
            if job is not None and job.status.terminal and await self._store.delete(job):
                self._events.deleted(job)
        return None

    def follow(
        self, batch_id: str, viewer: str | None, client: str, is_known: Callable[[BatchState], bool]
    ) -> AsyncIterator[BatchState | None]:
        """The batch whenever it has changed; see Streams.of_batch. Of one that is not there: nothing."""

        async def look() -> BatchState | None:
            try:
                return await self.state(batch_id, viewer)
            except (BatchNotFound, BatchGone):
                return None

        return self._streams.of_batch(client, batch_id, look, is_known)

    async def _cancel(self, batch_id: str) -> None:
        async for file in self._files(batch_id):
            if file.status is None or file.status.terminal:
                continue
            job = await self._store.outline(file.job_id)
            if job is not None:
                with contextlib.suppress(AlreadyEnded):
                    await self._cancellation.cancel(job)

    async def _files(self, batch_id: str) -> AsyncIterator[BatchFile]:
        after = 0
        while files := await self._store.batches.files(batch_id, after, LISTED_FILES_AT_ONCE):
            for file in files:
                yield file
            after = files[-1].number

    async def _pages_ahead(self, state: BatchState) -> int:
        """Pages before the end of the last one of its jobs that has not ended; 0 where all have."""
        if not state.last_unfinished:
            return 0
        ahead = await ahead_of(self._queue, state.last_unfinished, waits=state.counts[JobState.QUEUED] > 0)
        return 1 + (ahead.last if ahead else 0)
