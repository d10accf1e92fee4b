"""The estimate of waiting times, learnt from pages that were read: the source of every Retry-After."""

import heapq
import math
from collections.abc import Sequence

from app.jobs.events import JobEvents
from persistence.job import Job, JobState

NEWEST_WEIGHT = 0.2
"""Weight of the newest job in the moving mean: about the last ten count."""
NO_WORKERS_RETRY_SECONDS = 60
"""After which a client may ask again while there are no workers at all."""


class Capacity(JobEvents):
    """A moving mean of recognition times, and what it says about the wait; of all nodes where there are several.

    A job counts as one page, but for those that this node knows to have more, until they were read.
    """

    def __init__(self, workers: int, first_guess: float, *, alone: bool = True) -> None:
        """`first_guess`: seconds a page, until one was measured. `alone`: no other node takes jobs that wait here."""
        self.own_workers = workers
        self.own_service_seconds = first_guess
        """Mean seconds that a worker of this node spends on a page."""
        self._alone = alone
        self._others: Sequence[tuple[int, float]] = ()
        self._more_pages: dict[str, int] = {}
        """Of unfinished jobs, by id: pages after the first that are still to be read."""

    @property
    def workers(self) -> int:
        """Of all nodes."""
        return self.own_workers + sum(workers for workers, _ in self._others)

    @property
    def service_seconds(self) -> float:
        """Mean seconds that a worker spends on a page."""
        if not self.workers:
            return self.own_service_seconds
        everywhere = [(self.own_workers, self.own_service_seconds), *self._others]
        return sum(workers * seconds for workers, seconds in everywhere) / self.workers

    def accepted(self, job: Job) -> None:
        """See JobEvents."""
        self._wait(job)

    def requeued(self, job: Job) -> None:
        """See JobEvents."""
        self._wait(job)

    def rescued(self, job: Job) -> None:
        """See JobEvents."""
        self._wait(job)

    def claimed(self, job: Job) -> None:
        """See JobEvents."""
        self._expect(job)

    def page_read(self, job: Job) -> None:
        """See JobEvents."""
        if self._more_pages.get(job.id):
            self._more_pages[job.id] -= 1

    def changed(self, old: Job, job: Job) -> None:
        """See JobEvents."""
        self._forget(job)
        if job.status is JobState.QUEUED:
            self._wait(job)
        if job.status is JobState.DONE and job.result is not None:
            self.learn(job.result.timings.total / max(1, len(job.result.pages)))

    def outcome_dropped(self, job: Job) -> None:
        """See JobEvents."""
        self._forget(job)

    def learn(self, seconds: float) -> None:
        """A page was recognised here in so many seconds."""
        self.own_service_seconds += NEWEST_WEIGHT * (seconds - self.own_service_seconds)

    def add_others(self, others: Sequence[tuple[int, float]]) -> None:
        """What each other node has, in place of what was known: workers, and seconds a page."""
        self._others = tuple(others)

    def drain_seconds(self, jobs: int) -> float | None:
        """Seconds until the workers are through with so many jobs; None where nobody is at them."""
        if not self.workers:
            return None if jobs else 0.0
        loads = self._loads()
        return max(_filled(loads, jobs), max(loads) if jobs else 0) * self.service_seconds

    def retry_after(self, jobs: int) -> int:
        """Whole seconds, at least 1, after which a client may ask again about the last of so many jobs."""
        if not self.workers:
            return NO_WORKERS_RETRY_SECONDS
        return _polite(_filled(self._loads(), jobs) * self.service_seconds)

    def rest_of(self, job: Job) -> int:
        """Whole seconds, at least 1, after which a client may ask again about a job that a worker has."""
        return _polite((1 + self._more_pages.get(job.id, 0)) * self.service_seconds)

    def _wait(self, job: Job) -> None:
        # another node might take it, and this one would not hear of it again
        if self._alone:
            self._expect(job)

    def _forget(self, job: Job) -> None:
        self._more_pages.pop(job.id, None)

    def _expect(self, job: Job) -> None:
        if job.image.pages > 1:
            self._more_pages[job.id] = job.image.pages - 1

    def _loads(self) -> list[int]:
        """Pages of files with more than one that each worker has before it: the next one goes to whom is free first."""
        loads = [0] * self.workers
        for pages in self._more_pages.values():
            heapq.heapreplace(loads, loads[0] + pages)
        return loads


def _polite(seconds: float) -> int:
    return max(1, min(3600, math.ceil(seconds)))


def _filled(loads: Sequence[int], pages: int) -> int:
    """How high workers with such loads are filled when so many single pages are shared out to the least loaded."""
    beneath = 0
    for count, load in enumerate(sorted(loads)):
        if count and beneath + pages <= count * load:
            return math.ceil((beneath + pages) / count)
        beneath += load
    return math.ceil((beneath + pages) / len(loads))
