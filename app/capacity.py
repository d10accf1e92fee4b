"""How fast jobs go through, learnt from those that did: the source of every Retry-After."""

import math
from collections.abc import Sequence

SMOOTHING = 0.2
"""Weight of the newest job in the moving mean: about the last ten count."""
NOBODY_SECONDS = 60
"""After which a client may ask again while there are no workers at all."""


class Capacity:
    """A moving mean of recognition times, and what it says about the wait; of all nodes where there are several."""

    def __init__(self, workers: int, first_guess: float) -> None:
        """`first_guess`: seconds a job, until one was measured."""
        self.own_workers = workers
        self.own_service_seconds = first_guess
        """Mean seconds that a worker of this node spends on a job."""
        self._others: Sequence[tuple[int, float]] = ()

    @property
    def workers(self) -> int:
        """Of all nodes."""
        return self.own_workers + sum(workers for workers, _ in self._others)

    @property
    def service_seconds(self) -> float:
        """Mean seconds that a worker spends on a job."""
        if not self.workers:
            return self.own_service_seconds
        everywhere = [(self.own_workers, self.own_service_seconds), *self._others]
        return sum(workers * seconds for workers, seconds in everywhere) / self.workers

    def learn(self, seconds: float) -> None:
        """A job was recognised here in so many seconds."""
        self.own_service_seconds += SMOOTHING * (seconds - self.own_service_seconds)

    def add_others(self, others: Sequence[tuple[int, float]]) -> None:
        """What each other node has, in place of what was known: workers, and seconds a job."""
        self._others = tuple(others)

    def drain_seconds(self, jobs: int) -> float | None:
        """Seconds until the workers are through with so many jobs; None where nobody is at them."""
        if not self.workers:
            return None if jobs else 0.0
        return math.ceil(jobs / self.workers) * self.service_seconds

    def retry_after(self, jobs: int) -> int:
        """Whole seconds, at least 1, after which a client may ask again about the last of so many jobs."""
        wait = self.drain_seconds(jobs)
        return NOBODY_SECONDS if wait is None else max(1, min(3600, math.ceil(wait)))
