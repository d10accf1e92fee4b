"""What workers of this node are reading now, by job: so that what nobody wants any more can be stopped."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from app.jobs.events import JobEvents
from persistence.job import Job, JobState

T = TypeVar("T")

CANCEL_GRACE_SECONDS = 1.0
"""How long a page that nobody wants any more may still take before its worker is killed. A new worker takes about as
long to start: so the worker is free, at worst, twice as late as it could be, and clients that cancel all the time
cannot keep the workers starting."""


class Unwanted(Exception):
    """The reading was stopped: its job is over."""


class Readings(JobEvents):
    """The readings under way."""

    def __init__(self, grace: float = CANCEL_GRACE_SECONDS) -> None:
        self._grace = grace
        self._tasks: dict[str, set[asyncio.Task[Any]]] = {}
        self._unwanted: set[asyncio.Task[Any]] = set()

    async def run(self, job_id: str, reading: Coroutine[Any, Any, T]) -> T:
        """What the reading gives. Raises what it raises, and Unwanted where it was stopped.

        Cancelled, it cancels the reading and waits for it.
        """
        task = asyncio.create_task(reading, name=f"reading of {job_id}")
        self._tasks.setdefault(job_id, set()).add(task)
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError:
            task.cancel()
            await asyncio.wait({task})
            raise
        finally:
            self._tasks[job_id].discard(task)
            if not self._tasks[job_id]:
                del self._tasks[job_id]
            stopped = task in self._unwanted
            self._unwanted.discard(task)
        if stopped and task.cancelled():
            raise Unwanted
        return task.result()

    def stop(self, job_id: str) -> None:
        """The job is over: what is being read of it is stopped soon. Without a reading, or twice: harmless."""
        for task in self._tasks.get(job_id, ()):
            if task not in self._unwanted:
                self._unwanted.add(task)
                # a task that has ended by then is not changed by it
                asyncio.get_running_loop().call_later(self._grace, task.cancel)

    def changed(self, old: Job, job: Job) -> None:
        """See JobEvents."""
        if job.status is JobState.CANCELLED:
            self.stop(job.id)
