"""How jobs come in: from a client, and from the store after a restart."""

import random
import uuid
from collections.abc import Callable
from datetime import datetime

from loguru import logger

from app import clock
from app.access import ANYBODY
from app.pressure import Pressure
from app.queue import JobQueue
from app.retry import RetryPolicy, after_error, wait_until_due
from ocr_engine.errors import WorkerCrashed
from ocr_engine.result import ImageInfo
from persistence.job import Job, JobState
from persistence.store import JobStore


class Intake:
    """Takes images in: durable first, then queued."""

    def __init__(
        self,
        store: JobStore,
        queue: JobQueue,
        policy: RetryPolicy,
        pressure: Pressure,
        on_change: Callable[[Job, Job], None] = lambda _old, _new: None,
        now: Callable[[], datetime] = clock.now,
    ) -> None:
        """`on_change` is told what a start made of the jobs that a crash had cut off: before and after."""
        self._store = store
        self._queue = queue
        self._policy = policy
        self._pressure = pressure
        self._on_change = on_change
        self._now = now

    async def submit(self, image: bytes, info: ImageInfo, owner: str = ANYBODY) -> Job:
        """A queued job, durable. Raises QueueStopped, StoreError or as Pressure.admit; nothing is left behind then."""
        with self._queue.reserve():
            async with self._pressure.admit(owner, len(image)):
                job = await self._store_and_queue(image, info, owner)
        logger.bind(event="job.accepted", job_id=job.id, media_type=info.media_type, bytes=info.size).info(
            "job accepted"
        )
        return job

    async def resume(self) -> int:
        """Queues every unfinished job again, attempts kept; gives their number. At start, before any work."""
        jobs = await self._store.unfinished()
        for job in jobs:
            current = await self._after_crash(job) if job.status is JobState.PROCESSING else job
            if current.status is JobState.QUEUED:
                await self._queue.put(current.id, delay=wait_until_due(current, self._policy, self._now()))
        if jobs:
            logger.bind(event="jobs.resumed", jobs=len(jobs)).info("unfinished jobs queued again")
        return len(jobs)

    async def _store_and_queue(self, image: bytes, info: ImageInfo, owner: str) -> Job:
        moment = self._now()
        job = Job(id=str(uuid.uuid4()), owner=owner, image=info, created_at=moment, updated_at=moment, due_at=moment)
        await self._store.add(job, image)
        await self._queue.put(job.id)
        return job

    async def _after_crash(self, job: Job) -> Job:
        """The service died while a worker had this job. The attempt counts: the job may be what killed it."""
        error = WorkerCrashed("the service stopped abruptly while this image was being read")
        settled = after_error(job, error, self._policy, self._now(), random.random())
        await self._store.replace(job, settled)
        self._on_change(job, settled)
        return settled
