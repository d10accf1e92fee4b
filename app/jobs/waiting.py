"""Long polls: requests that wait for a job's end instead of asking again and again."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Protocol, TypeVar

from app.jobs.events import JobEvents
from persistence.job import Job, JobState

MAX_WAITING_REQUESTS = 1000
"""Requests that may wait at the same time; further ones are answered at once. Each keeps a connection open."""


class Ending(Protocol):
    """What comes to an end: a job, or a batch of them."""

    @property
    def status(self) -> JobState:
        """Where it stands."""


T = TypeVar("T", bound=Ending)


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

    async def ended(self, name: str, look: Callable[[], Awaitable[T]], seconds: float) -> T:
        """What `look` gives as soon as that has ended; or what it gives after so many seconds, or at a stop.

        Raises what `look` raises.
        """
        if self.full:
            return await look()
        deadline = asyncio.get_running_loop().time() + seconds
        with self._bell(name) as bell:
            while True:
                bell.clear()  # before the look: what rings during it is looked at again
                found = await look()
                if found.status.terminal or self._closed or not await _rung(bell, deadline):
                    break
        return found if found.status.terminal or self._closed else await look()

    @property
    def full(self) -> bool:
        """True where a further request would not be let wait."""
        return self._closed or self._count >= self._max_requests

    def changed(self, old: Job, job: Job) -> None:
        """See JobEvents."""
        if job.status.terminal:
            self.ring(job.id)
            self.ring(job.batch_id)

    def deleted(self, job: Job) -> None:
        """See JobEvents."""
        self.ring(job.id)

    def ring(self, name: str) -> None:
        """The job or batch of this id may have ended."""
        for bell in self._bells.get(name, ()):
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
