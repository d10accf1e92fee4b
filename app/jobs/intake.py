"""How jobs come in: from a client, and from the store after a restart."""

import uuid
from collections.abc import Callable
from datetime import datetime

from loguru import logger

from app import clock
from app.jobs.admission import Pressure
from app.jobs.retry import RetryPolicy, wait_until_due
from ocr_engine.result import ImageInfo
from persistence.job import ANYBODY, Job, JobState
from persistence.queue import JobQueue
from persistence.store import JobStore


class Intake:
    """Takes images in: durable first, then queued."""

    def __init__(
        self,
        store: JobStore,
        queue: JobQueue,
        policy: RetryPolicy,
        pressure: Pressure,
        abandoned_after: Callable[[Job], float] = lambda _job: 0.0,
        on_waiting: Callable[[Job], None] = lambda _job: None,
        traceparent: Callable[[str], str] = lambda _job_id: "",
        now: Callable[[], datetime] = clock.now,
    ) -> None:
        """`abandoned_after`: seconds after which an attempt, if no queue knows of it any more, has no worker either.

        0 where no other process can be at it.
        `on_waiting` is told of every job that waits from now on.
        `traceparent`: the W3C trace context under which the job with this id comes in.
        """
        self._store = store
        self._queue = queue
        self._policy = policy
        self._pressure = pressure
        self._abandoned_after = abandoned_after
        self._on_waiting = on_waiting
        self._traceparent = traceparent
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
        """Queues the unfinished jobs that the queue does not have; gives their number.

        At start, and now and then where the queue may have lost some.
        """
        resumed = 0
        for job in await self._store.unfinished():
            self._on_waiting(job)
            resumed += await self._queue.put(job.id, delay=self._wait(job))
        if resumed:
            logger.bind(event="jobs.resumed", jobs=resumed).info("unfinished jobs queued again")
        return resumed

    async def _store_and_queue(self, image: bytes, info: ImageInfo, owner: str) -> Job:
        moment = self._now()
        job_id = str(uuid.uuid4())
        job = Job(
            id=job_id,
            owner=owner,
            traceparent=self._traceparent(job_id),
            image=info,
            created_at=moment,
            updated_at=moment,
            due_at=moment,
        )
        await self._store.add(job, image)
        self._on_waiting(job)
        await self._queue.put_new(job.id)
        return job

    def _wait(self, job: Job) -> float:
        if job.status is JobState.QUEUED or job.started_at is None:
            return wait_until_due(job, self._policy, self._now())
        running = (self._now() - job.started_at).total_seconds()
        return max(0.0, self._abandoned_after(job) - max(0.0, running))
