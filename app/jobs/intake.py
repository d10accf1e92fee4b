"""How jobs enter the queue: new ones from clients, and unfinished ones rescued from the store."""

import uuid
from collections.abc import Callable
from datetime import datetime

from loguru import logger

from app import clock
from app.jobs.admission import Admission
from app.jobs.events import JobEvents
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
        admission: Admission,
        events: JobEvents,
        abandoned_after: Callable[[Job], float],
        now: Callable[[], datetime] = clock.now,
    ) -> None:
        """`abandoned_after`: seconds after which an attempt, if no queue knows of it any more, has no worker either.

        0 where no other process can be at it.
        """
        self._store = store
        self._queue = queue
        self._policy = policy
        self._admission = admission
        self._events = events
        self._abandoned_after = abandoned_after
        self._now = now

    async def submit(self, image: bytes, info: ImageInfo, owner: str = ANYBODY, traceparent: str = "") -> Job:
        """A queued job, durable. Raises QueueStopped, StoreError or as Admission.admit; nothing is left behind then.

        `traceparent`: the W3C trace context of the request; empty where nobody traces.
        """
        with self._queue.reserve():
            async with self._admission.admit(owner, len(image)):
                moment = self._now()
                job = Job(
                    id=str(uuid.uuid4()),
                    owner=owner,
                    traceparent=traceparent,
                    image=info,
                    created_at=moment,
                    updated_at=moment,
                    due_at=moment,
                )
                await self._store.add(job, image)
                self._events.accepted(job)
                await self._queue.put_new(job.id)
        return job

    async def rescue(self) -> int:
        """Queues the unfinished jobs that the queue does not have; gives their number.

        At start, and now and then where the queue may have lost some.
        """
        rescued = 0
        for job in await self._store.unfinished():
            self._events.rescued(job)
            rescued += await self._queue.put(job.id, delay=self._wait(job))
        if rescued:
            logger.bind(event="jobs.resumed", jobs=rescued).info("unfinished jobs queued again")
        return rescued

    def _wait(self, job: Job) -> float:
        if job.status is JobState.QUEUED or job.started_at is None:
            return wait_until_due(job, self._policy, self._now())
        running = (self._now() - job.started_at).total_seconds()
        return max(0.0, self._abandoned_after(job) - max(0.0, running))
