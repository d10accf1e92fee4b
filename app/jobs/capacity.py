"""How fast pages go through, learnt from those that did: the source of every Retry-After."""

import math
from collections.abc import Sequence

from app.jobs.events import JobEvents
from persistence.job import Job
from persistence.page import Page

SMOOTHING = 0.2
"""Weight of the newest page in the moving mean: about the last ten count."""
NOBODY_SECONDS = 60
"""After which a client may ask again while there are no workers at all."""
MAX_RETRY_SECONDS = 3600
"""Longest wait that a client is asked for."""


class Capacity(JobEvents):
    """A moving mean of recognition times, and what it says about the wait; of all nodes where there are several."""

    def __init__(self, workers: int, first_guess: float) -> None:
        """`first_guess`: seconds a page, until one was measured."""
        self.own_workers = workers
        self.own_service_seconds = first_guess
        """Mean seconds that a worker of this node spends on a page."""
        self._others: Sequence[tuple[int, float]] = ()

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

    def page_changed(self, job: Job, old: Page, page: Page) -> None:
        """See JobEvents."""
        if page.result is not None:
            self.learn(page.result.timings.total)

    def changed(self, old: Job, job: Job) -> None:
        """See JobEvents."""
        if job.result is not None and job.result is not old.result:
            self.learn(job.result.timings.total)

    def learn(self, seconds: float) -> None:
        """A page was recognised here in so many seconds."""
        self.own_service_seconds += SMOOTHING * (seconds - self.own_service_seconds)

    def add_others(self, others: Sequence[tuple[int, float]]) -> None:
        """What each other node has, in place of what was known: workers, and seconds a page."""
        self._others = tuple(others)

    def drain_seconds(self, pages: int) -> float | None:
        """Seconds until the workers are through with so many pages; None where nobody is at them."""
        if not self.workers:
            return None if pages else 0.0
        return math.ceil(pages / self.workers) * self.service_seconds

    def retry_after(self, pages: int) -> int:
        """Whole seconds, at least 1, after which a client may ask again about the last of so many pages."""
        seconds = self.drain_seconds(pages)
        if seconds is None:
            return NOBODY_SECONDS
        return max(1, min(MAX_RETRY_SECONDS, math.ceil(seconds)))
