"""A queue with several workers, simulated: one line, and whoever is free takes the next job (GI/G/c, FCFS).

The recursion of Kiefer and Wolfowitz (On the Theory of Queues with Many Servers, Trans. AMS 78, 1955): a job begins at
its arrival, or when the first worker becomes free. Exact for any times, so no formula's assumptions are needed; the
closed forms of M/M/1 and M/M/c are what its tests compare it with.
"""

import heapq
import random
from collections.abc import Iterable, Iterator, Sequence

from benchmarks.report.measures import Arrivals, percentile
from benchmarks.service.load import schedule

WARM_UP = 0.1
"""Share of the first jobs that do not count: they find an empty system."""
PRECISION = 0.01
"""Of the greatest rate that is searched for, relative."""


def sojourns(arrivals: Iterable[float], services: Iterable[float], workers: int) -> Iterator[float]:
    """Seconds from arrival to completion of each job, in order of arrival; moments must not decrease."""
    free = [0.0] * workers
    for arrival, service in zip(arrivals, services, strict=False):
        end = max(arrival, free[0]) + service
        heapq.heapreplace(free, end)
        yield end - arrival


def steady_latency(
    times: Sequence[float],
    *,
    rate: float,
    workers: int,
    share: float,
    arrivals: Arrivals = "poisson",
    jobs: int = 40_000,
) -> float:
    """The `share` percentile of latency, seconds, once the start is forgotten. Service times are drawn from `times`."""
    # the same draws for every rate, so that latency grows with it without jitter
    stream = sojourns(schedule(arrivals, rate, jobs, seed=1), drawn(random.Random(2), times), workers)
    found = list(stream)[int(jobs * WARM_UP) :]
    value = percentile(found, share)
    assert value is not None
    return value


def greatest_rate(times: Sequence[float], *, workers: int, share: float, target: float) -> float:
    """Jobs a second up to which the percentile of latency stays within `target` seconds; 0 where no rate does."""
    low, high = 0.0, workers / (sum(times) / len(times))
    if (percentile(times, share) or max(times)) > target:
        return 0.0
    while high - low > PRECISION * high:
        middle = (low + high) / 2
        if steady_latency(times, rate=middle, workers=workers, share=share) <= target:
            low = middle
        else:
            high = middle
    return low


def drawn(rng: random.Random, times: Sequence[float]) -> Iterator[float]:
    """Service times, drawn from those that were measured, without end."""
    while True:
        yield rng.choice(times)
