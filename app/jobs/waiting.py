"""Long polls: requests that wait for a job's end instead of asking again and again."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

from app.jobs.events import JobEvents
from persistence.job import Job

MAX_WAITING_REQUESTS = 1000
"""Requests that may wait at the same time; further ones are answered at once. Each keeps a connection open."""


class Waiters(JobEvents):
    """Those who wait, asleep until somebody rings: they hold nothing of the store meanwhile.

    A ring says no more than "look again": one too many costs a read, and one that was lost is made up for by the last
    look when the time is over.
    """

    def __init__(self, max_requests: int = MAX_WAITING_REQUESTS) -> None:
        self._max_requests = max_requests
        self._count = 0
        self._bells: dict[str, set[asyncio.Event]] = {}
        self._closed = False

    async def ended(self, job_id: str, look: Callable[[], Awaitable[Job]], seconds: float) -> Job:
        """What `look` gives as soon as that has ended; or what it gives after so many seconds, or at a stop.

        Raises what `look` raises.
        """
        if self.full:
            return await look()
        deadline = asyncio.get_running_loop().time() + seconds
        with self._bell(job_id) as bell:
            while True:
                bell.clear()  # before the look: what rings during it is looked at again
                job = await look()
                if job.status.terminal or self._closed or not await _rung(bell, deadline):
                    break
        return job if job.status.terminal or self._closed else await look()

    @property
    def full(self) -> bool:
        """True where a further request would not be let wait."""
        return self._closed or self._count >= self._max_requests

    def changed(self, old: Job, job: Job) -> None:
        """See JobEvents."""
        if job.status.terminal:
            self.ring(job.id)

    def deleted(self, job: Job) -> None:
        """See JobEvents."""
        self.ring(job.id)

    def ring(self, job_id: str) -> None:
        """The job may have ended."""
        for bell in self._bells.get(job_id, ()):
            bell.set()

    def ring_all(self) -> None:
        """Any job may have ended: what tells of it was out of reach."""
        for job_id in self._bells:
            self.ring(job_id)

    def close(self) -> None:
        """Nobody waits any longer."""
        self._closed = True
        self.ring_all()

    @contextmanager
    def _bell(self, job_id: str) -> Iterator[asyncio.Event]:
        bell = asyncio.Event()
        self._count += 1
        self._bells.setdefault(job_id, set()).add(bell)
        try:
            yield bell
        finally:
            self._count -= 1
            self._bells[job_id].discard(bell)
            if not self._bells[job_id]:
                del self._bells[job_id]


async def _rung(bell: asyncio.Event, deadline: float) -> bool:
    try:
        async with asyncio.timeout_at(deadline):
            await bell.wait()
    except TimeoutError:
        return False
    return True
