"""The handler of queued jobs: claims one, has it read by a worker, stores the outcome."""

import asyncio
import contextlib
import random
from collections.abc import Callable
from datetime import datetime

from loguru import logger
from msgspec import Struct

from app import clock
from app.jobs.events import JobEvents
from app.jobs.retry import RetryPolicy, after_error, wait_until_due
from ocr_engine.errors import ImageMissing, InternalError, OcrError, PoolUnavailable, WorkerCrashed
from ocr_engine.workers.pool import OcrPool
from ocr_engine.workers.process import Unwanted
from persistence.job import Job, JobState
from persistence.store import JobStore, StoreError


class DispatcherPauses(Struct, frozen=True, kw_only=True):
    """In seconds."""

    again: float = 1.0
    """Before a job is tried again that met a store or a pool which could not serve it."""
    write: float = 0.2
    """Before an outcome that could not be stored is tried again; doubles up to `max_write`."""
    max_write: float = 5.0
    last_write: float = 5.0
    """How long a stop waits for an outcome that cannot be stored; the job is then run again after the restart."""


class Dispatcher:
    """The handler that the queue drives, MAX_WORKERS of it at a time."""

    def __init__(
        self,
        store: JobStore,
        pool: OcrPool,
        policy: RetryPolicy,
        events: JobEvents,
        now: Callable[[], datetime] = clock.now,
        jitter: Callable[[], float] = random.random,
        pauses: DispatcherPauses = DispatcherPauses(),
    ) -> None:
        self._store = store
        self._pool = pool
        self._policy = policy
        self._events = events
        self._now = now
        self._jitter = jitter
        self._pauses = pauses

    async def handle(self, job_id: str) -> float | None:
        """Runs one attempt of the job, if there is one to run. A queue's Handler."""
        job = await self._store.get(job_id)
        if job is not None and job.status is JobState.PROCESSING:
            job = await self._rescue(job)
        if job is None or job.status is not JobState.QUEUED:
            return None
        if (wait := wait_until_due(job, self._policy, self._now())) > 0:
            return wait
        claimed = await self._claim(job)
        if claimed is None:
            return None
        outcome = await self._attempt(claimed)
        if not await self._record(claimed, outcome):
            return None
        if outcome.status is not JobState.QUEUED:
            return None
        interrupted = len(outcome.failures) == len(claimed.failures)
        return self._pauses.again if interrupted else wait_until_due(outcome, self._policy, self._now())

    async def _rescue(self, job: Job) -> Job | None:
        """The orphaned job after an attempt that nobody will end: a queue delivers no id whose handler lives.

        The attempt counts: the job may be what killed the process. None where somebody else was faster.
        """
        error = WorkerCrashed("the service stopped abruptly while this image was being read")
        settled = after_error(job, error, self._policy, self._now(), self._jitter())
        if not await self._store.replace(job, settled):
            return None
        self._events.changed(job, settled)
        return settled

    async def _claim(self, job: Job) -> Job | None:
        claimed = job.claimed(self._now())
        claiming = asyncio.create_task(self._store.replace(job, claimed), name=f"claim of {job.id}")
        try:
            won = await asyncio.shield(claiming)
        except asyncio.CancelledError:
            # carried out all the same, and after the next start it would pass for a crash, which costs an attempt
            with contextlib.suppress(TimeoutError, StoreError):
                if await asyncio.wait_for(claiming, self._pauses.last_write):
                    self._events.claimed(claimed)
                    await self._put_back(claimed)
            raise
        if not won:
            return None
        self._events.claimed(claimed)
        return claimed

    async def _attempt(self, job: Job) -> Job:
        """The job as this attempt leaves it. Cancelled (the drain deadline), it puts the job back first."""
        try:
            image = await self._store.image(job.id)
            if image is None:
                raise ImageMissing("the image is not where it was stored")
            result = await self._pool.recognise(image, wanted=lambda: self._is_wanted(job))
            return job.completed(result, self._now())
        except asyncio.CancelledError:
            await self._put_back(job)
            raise
        except (StoreError, PoolUnavailable, Unwanted):
            # not the job's fault: the attempt is given back (to an unwanted job in vain: the store knows better)
            return job.interrupted(self._now())
        except OcrError as error:
            return after_error(job, error, self._policy, self._now(), self._jitter())
        except Exception as error:
            logger.bind(event="job.internal_error", job_id=job.id).exception("unexpected error in an attempt")
            fault = InternalError(f"{type(error).__name__}: {error}")
            return after_error(job, fault, self._policy, self._now(), self._jitter())

    async def _is_wanted(self, job: Job) -> bool:
        """After a page: whether nobody has cancelled or deleted the job meanwhile, as far as the store can tell."""
        self._events.page_read(job)
        try:
            current = await self._store.get(job.id)
        except StoreError:
            return True
        return current is not None and current.revision == job.revision

    async def _put_back(self, job: Job) -> None:
        """Gives the attempt back that a stop ends, if the store takes that soon; the job is run again anyhow."""
        writing = asyncio.create_task(self._write(job, job.interrupted(self._now())), name=f"outcome of {job.id}")
        await asyncio.wait({writing}, timeout=self._pauses.last_write)
        writing.cancel()

    async def _record(self, old: Job, new: Job) -> bool:
        """Stores the outcome, whatever happens to this task meanwhile; False where another change had won."""
        writing = asyncio.create_task(self._write(old, new), name=f"outcome of {new.id}")
        try:
            stored = await asyncio.shield(writing)
        except asyncio.CancelledError:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(writing, self._pauses.last_write)
            raise
        return stored

    async def _write(self, old: Job, new: Job) -> bool:
        pause = self._pauses.write
        while True:
            try:
                stored = await self._store.replace(old, new)
            except StoreError as error:
                logger.bind(event="store.write_failed", job_id=new.id).error(
                    f"the outcome cannot be stored yet: {error}"
                )
                await asyncio.sleep(pause)
                pause = min(pause * 2, self._pauses.max_write)
                continue
            if stored:
                self._events.changed(old, new)
            else:
                self._events.outcome_dropped(old)
            return stored
