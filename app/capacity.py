"""How fast jobs go through, learnt from those that did: the source of every Retry-After."""

import math

SMOOTHING = 0.2
"""Weight of the newest job in the moving mean: about the last ten count."""


class Capacity:
    """A moving mean of recognition times, and what it says about the wait."""

    def __init__(self, workers: int, first_guess: float) -> None:
        """`first_guess`: seconds a job, until one was measured."""
        self._workers = workers
        self._mean = first_guess

    @property
    def service_seconds(self) -> float:
        """Mean seconds that a worker spends on a job."""
        return self._mean

    def learn(self, seconds: float) -> None:
        """A job was recognised in so many seconds."""
        self._mean += SMOOTHING * (seconds - self._mean)

    def drain_seconds(self, jobs: int) -> float:
        """Seconds until the workers are through with so many jobs."""
        return math.ceil(jobs / self._workers) * self._mean

    def retry_after(self, jobs: int) -> int:
        """Whole seconds, at least 1, after which a client may ask again about the last of so many jobs."""
        return max(1, min(3600, math.ceil(self.drain_seconds(jobs))))
