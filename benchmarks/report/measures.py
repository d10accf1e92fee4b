"""What a run of the load benchmarks measured: latencies, memory, loads. Data and its sums; no processes."""

import math
from collections.abc import Iterable, Sequence
from typing import Literal

import msgspec
from msgspec import Struct

from benchmarks.report.fingerprint import Machine

Arrivals = Literal["poisson", "uniform"]


class Percentiles(Struct, frozen=True, kw_only=True):
    """Nearest-rank percentiles in seconds; None where there are too few values for one to mean anything."""

    count: int
    mean: float
    p50: float | None
    p95: float | None
    p99: float | None


def percentile(values: Sequence[float], share: float) -> float | None:
    """The least of `values` that at least `share` (0 to 1) of them do not exceed: the nearest rank, a value that
    occurred. None for fewer than 1 / (1 - share) values: the 99th percentile of 30 would be their maximum."""
    if len(values) * (1 - share) < 1 - 1e-9:
        return None
    return sorted(values)[math.ceil(share * len(values) - 1e-9) - 1]


def percentiles(values: Iterable[float]) -> Percentiles:
    """Those of a sample of seconds; all None, mean 0, where it is empty."""
    found = list(values)
    return Percentiles(
        count=len(found),
        mean=sum(found) / len(found) if found else 0.0,
        p50=percentile(found, 0.5),
        p95=percentile(found, 0.95),
        p99=percentile(found, 0.99),
    )


class Memory(Struct, frozen=True, kw_only=True):
    """Bytes of one process at the end of a load."""

    process: str
    resident: int
    proportional: int
    """PSS: shared pages divided by the processes that share them, so that a sum over processes counts them once."""
    unique: int
    peak_resident: int
    """The most that was seen, sampled during the load."""


class CpuSeconds(Struct, frozen=True, kw_only=True):
    """CPU time, user and system, of each party during a load."""

    service: float
    """The service's own process."""
    workers: float
    client: float
    """This benchmark: where all CPUs are busy, it takes from the others."""


class Pair(Struct, frozen=True, kw_only=True):
    """The same jobs by the service and by bare engines, one straight after the other; seconds."""

    service: float
    ceiling: float


class WorkersPoint(Struct, frozen=True, kw_only=True):
    """Closed loop with so many workers: what the service carries when it never lacks work."""

    workers: int
    clients: int
    jobs: int
    """Of one round."""
    pairs: tuple[Pair, ...]
    rate: float
    """Jobs a second whose result was stored, over all rounds."""
    ceiling_rate: float
    """Images a second of as many bare engines: what the CPUs can give."""
    start_seconds: float
    """From the start of the process until it listens, every worker warm."""
    accept: Percentiles
    """From sending an upload to its 202."""
    wait: Percentiles
    recognition: Percentiles
    cpu: CpuSeconds
    memory: tuple[Memory, ...]
    service_times: tuple[float, ...]
    """Seconds of every recognition, in order of completion: what `simulate` draws from."""
    errors: int

    @property
    def share_of_ceiling(self) -> float:
        """How much of what the CPUs can give arrives; 1 is all."""
        return self.rate / self.ceiling_rate

    @property
    def worst_pair(self) -> float:
        """The least share of the ceiling of any pair, which together with `best_pair` shows the noise."""
        return min(pair.ceiling / pair.service for pair in self.pairs)

    @property
    def best_pair(self) -> float:
        """The greatest share of the ceiling of any pair."""
        return max(pair.ceiling / pair.service for pair in self.pairs)

    @property
    def worker_memory(self) -> float:
        """Mean PSS of a worker, bytes."""
        workers = [memory.proportional for memory in self.memory if memory.process != SERVICE]
        return sum(workers) / len(workers) if workers else 0.0


SERVICE = "service"
"""Name of the service's own process among those of `memory`."""


class LoadPoint(Struct, frozen=True, kw_only=True):
    """Open loop: jobs arrive at a given rate, whatever becomes of them."""

    workers: int
    arrivals: Arrivals
    offered: float
    """Jobs a second."""
    completed: float
    """Jobs a second, from the first intended arrival to the last result stored."""
    jobs: int
    errors: int
    accept: Percentiles
    wait: Percentiles
    recognition: Percentiles
    latency: Percentiles
    """From the INTENDED arrival to the result stored: no coordinated omission."""


class Floor(Struct, frozen=True, kw_only=True):
    """The service with an engine that takes no time: its own cost."""

    jobs: int
    rate: float
    """Jobs a second that the service could carry if recognition were free."""
    cpu_per_job: float
    """CPU seconds of the service's process for one job."""
    accept: Percentiles


class PeerPoint(Struct, frozen=True, kw_only=True):
    """Another program on the same images, closed loop."""

    peer: str
    workers: int
    images: int
    rate: float
    resident: int
    """Bytes of all its processes together at the end."""
    errors: int


class ServiceFigures(Struct, frozen=True, kw_only=True):
    """What `service` measured."""

    images: tuple[str, ...]
    workers: tuple[WorkersPoint, ...]
    load: tuple[LoadPoint, ...]
    floor: Floor
    peers: tuple[PeerPoint, ...] = ()

    def ideal(self, workers: int) -> float:
        """The rate of the least number of workers measured, multiplied."""
        least = self.workers[0]
        return least.rate * workers / least.workers

    def knee(self) -> LoadPoint | None:
        """The load with the greatest power, rate over mean latency (Kleinrock, Power and Deterministic Rules of Thumb,
        ICC 1979), at the greatest number of workers: beyond it latency grows faster than throughput."""
        most = max((point.workers for point in self.load), default=0)
        points = [point for point in self.load if point.workers == most and point.latency.mean > 0]
        return max(points, key=lambda point: point.completed / point.latency.mean, default=None)


class RoundTrip(Struct, frozen=True, kw_only=True):
    """One image through a pool of one, again and again."""

    image: str
    bytes: int
    total: Percentiles
    """From handing the image in to its text."""
    overhead: Percentiles
    """The same without the recognition itself: pickling, pipes, wake-ups."""


class PoolFigures(Struct, frozen=True, kw_only=True):
    """What `pool` measured."""

    start: Percentiles
    """Start of one process until it is warm."""
    start_all: float
    """Seconds until all of `workers` are warm, started side by side."""
    workers: int
    replacement: Percentiles
    """From the kill of an idle process until its successor is warm."""
    recovery: Percentiles
    """From the kill of a process at work until the next image is read, with one worker."""
    round_trips: tuple[RoundTrip, ...]


class StorePoint(Struct, frozen=True, kw_only=True):
    """Jobs of one image size through a store: added, claimed, image read, done."""

    store: str
    """Kind, and where it writes."""
    image_bytes: int
    writers: int
    """Jobs under way at once."""
    jobs: int
    transitions_per_second: float
    """Durable changes: adding, claiming and completing are three a job."""
    megabytes_per_second: float
    add: Percentiles
    claim: Percentiles
    complete: Percentiles
    wal_peak: int | None
    """Bytes that the write-ahead log reached; None where the store shows none."""


class StoreFigures(Struct, frozen=True, kw_only=True):
    """What `store` measured."""

    sync_seconds: float
    """Median of writing and syncing 4096 bytes on the same disk: below it no durable change can be."""
    points: tuple[StorePoint, ...]


class ClusterPoint(Struct, frozen=True, kw_only=True):
    """Jobs of one image size through PostgreSQL by so many nodes that read nothing."""

    nodes: int
    image_bytes: int
    jobs: int
    uploads_per_second: float
    """While no node is at work."""
    jobs_per_second: float
    """Jobs that end, while nothing is uploaded."""
    database_cpu: float | None
    """CPU seconds of PostgreSQL for one job, upload included; None where the server is not our own."""
    log_bytes: float
    """Write-ahead log of one job."""
    kept_bytes: float
    """By which one job has made the database's files larger when all are done and their images deleted."""

    @property
    def limit(self) -> float | None:
        """Jobs a second of which one core, that has nothing else to do, is PostgreSQL's full work."""
        return 1 / self.database_cpu if self.database_cpu else None


class Split(Struct, frozen=True, kw_only=True):
    """The same number of workers, on one node or on several, reading the same jobs in turns."""

    nodes: int
    workers: int
    """Of each node."""
    seconds: tuple[float, ...]
    """Of each round of the closed loop."""
    rate: float
    """Jobs a second whose result was stored, over all rounds."""
    perfect_rate: float
    """What the queueing model gives for the measured recognition times: with a queue and a store that cost nothing."""
    recognition: Percentiles
    load: LoadPoint
    """Open loop."""
    predicted_p50: tuple[float, float]
    predicted_p95: tuple[float, float] | None
    """Where the model expects the open loop's latencies, seconds; None where there were too few jobs."""
    errors: int


class ClusterFigures(Struct, frozen=True, kw_only=True):
    """What `cluster` measured."""

    workers: int
    """Jobs that each node without an engine handles at a time."""
    points: tuple[ClusterPoint, ...]
    splits: tuple[Split, ...] = ()


class Report(Struct, frozen=True, kw_only=True):
    """One run, as its file holds it; the parts that were measured are set."""

    machine: Machine
    taken_at: str
    quick: bool
    load_before: float
    """The machine's load average (1 minute) before the run: near 0 where nothing else was running."""
    service: ServiceFigures | None = None
    pool: PoolFigures | None = None
    store: StoreFigures | None = None
    cluster: ClusterFigures | None = None
    others: dict[str, msgspec.Raw] = {}
    """Reports of `engine` and `accuracy`, in their own words."""
