"""What would more workers, or more machines, carry? `python -m benchmarks simulate REPORT.json --target 10`

A queueing model is fed with the measured service times, checked against the measured loads, and then asked. Machines
are like the measured one and share one queue, as they do in a cluster.
"""

import argparse
import itertools
import random
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

from benchmarks import command
from benchmarks.queueing.model import drawn, greatest_rate, sojourns
from benchmarks.report.measures import LoadPoint, ServiceFigures, WorkersPoint, percentile
from benchmarks.report.report import aligned, read
from benchmarks.service.load import schedule

SIMULATED_RUNS = 200
"""Simulated runs, each as long as the measured one, that make the band of a check."""
BAND = 0.9
FULL_CORE = 0.7
"""Of one core, that the service's own process may use: it has one event loop, and above that its answers wait longer
for it than they take (M/D/1)."""


class Check(Struct, frozen=True, kw_only=True):
    """A measured load, and where the model would have expected its latency; seconds."""

    load: LoadPoint
    share: float
    """Which percentile."""
    measured: float
    low: float
    high: float
    """Where nine of ten simulated runs of the same length lie."""

    @property
    def agrees(self) -> bool:
        """Does the measured one lie there, too?"""
        return self.low <= self.measured <= self.high


class Forecast(Struct, frozen=True, kw_only=True):
    """What so many workers on so many machines would carry."""

    workers: int
    """On each machine."""
    machines: int
    rate: float
    """Jobs a second within the latency target; 0 where even an idle system misses it."""
    limit: float
    """Jobs a second that the workers can do at all."""
    core: float
    """Share of one core that the service's own process uses for that, on each machine."""
    measured: bool
    """Was a machine with so many workers measured? Otherwise it is guessed from those that were."""

    @property
    def service_full(self) -> bool:
        """Is it the service's own process that carries no more, and not the workers?"""
        return self.core > FULL_CORE - 1e-6


def main(argv: Sequence[str]) -> int:
    """Checks and forecasts; 2 where the report cannot be used."""
    arguments = _parser().parse_args(argv)
    try:
        report = read(arguments.report)
    except (OSError, msgspec.DecodeError) as error:
        print(f"simulate: {error}", file=sys.stderr)
        return 2
    if report.service is None:
        print(f"simulate: {arguments.report} holds no measurement of the service", file=sys.stderr)
        return 2
    cpus = arguments.cpus or report.machine.cores_usable
    counts = arguments.workers or sorted({point.workers for point in report.service.workers} | {2 * cpus})
    share = arguments.percentile / 100
    print(check_table(checks(report.service, 0.5) + checks(report.service, share)), end="\n\n")
    print(f"Greatest rate with {arguments.percentile:g} % of the jobs within {arguments.target:g} s:")
    print(
        forecast_table(
            [
                forecast(report.service, cpus, workers, machines, share, arguments.target)
                for machines, workers in itertools.product(arguments.machines, counts)
            ]
        )
    )
    print("\n" + own_limits(report.service))
    return 0


def own_limits(service: ServiceFigures) -> str:
    """In words, what the workers cost each other, and where one service process ends."""
    own = service_cpu(service)
    return (
        f"A further worker lengthens a job by {contention(service):.1%}. A job costs the service's own process "
        f"{own * 1000:.1f} ms of CPU time:\n"
        f"one such process carries {FULL_CORE / own:.0f} jobs/s. Where it is full (*), more workers add nothing;\n"
        "several nodes on one PostgreSQL do, on the same machine, too: docs/cluster.md."
    )


def contention(service: ServiceFigures) -> float:
    """By which each further worker lengthens a job, as a share of its time with the least number of workers measured:
    memory bandwidth, caches, clock, store and event loop together. 0 where one number was measured."""
    least, most = service.workers[0], service.workers[-1]
    if most.workers == least.workers:
        return 0.0
    slower = (most.workers / most.rate) / (least.workers / least.rate) - 1
    return max(0.0, slower / (most.workers - least.workers))


def service_cpu(service: ServiceFigures) -> float:
    """CPU seconds of the service's own process for a job: the most that was seen of it, with real OCR or without."""
    seen = (point.cpu.service / (point.jobs * len(point.pairs)) for point in service.workers)
    return max(service.floor.cpu_per_job, *seen)


def occupations(recognitions: Sequence[float], workers: int, rate: float) -> list[float]:
    """Seconds for which each job took a worker out of service: its recognition, stretched by what else there is to do
    between two jobs, so that the workers together carry exactly the rate that was measured."""
    mean = sum(recognitions) / len(recognitions)
    occupied = workers / rate
    if mean == 0:
        return [occupied]
    return [seconds * occupied / mean for seconds in recognitions]


def _occupations(point: WorkersPoint) -> list[float]:
    return occupations(point.service_times, point.workers, point.rate)


def checks(service: ServiceFigures, share: float) -> list[Check]:
    """The model against every measured load whose percentile is known."""
    points = {point.workers: point for point in service.workers}
    found = []
    for load in service.load:
        measured = {0.5: load.latency.p50, 0.95: load.latency.p95, 0.99: load.latency.p99}.get(share)
        if measured is None:
            continue
        times = _occupations(points[load.workers])
        low, high = expected(load, times, share)
        found.append(Check(load=load, share=share, measured=measured, low=low, high=high))
    return found


def expected(load: LoadPoint, times: Sequence[float], share: float) -> tuple[float, float]:
    """Seconds between which the percentile of latency lies in nine of ten simulated runs of a load's length, with
    service times drawn from `times`."""
    simulated = sorted(
        percentile(
            list(
                sojourns(
                    schedule(load.arrivals, load.offered, load.jobs, seed),
                    drawn(random.Random(-seed), times),
                    load.workers,
                )
            ),
            share,
        )
        or 0.0
        for seed in range(1, SIMULATED_RUNS + 1)
    )
    outside = int(SIMULATED_RUNS * (1 - BAND) / 2)
    return simulated[outside], simulated[-1 - outside]


def forecast(service: ServiceFigures, cpus: int, workers: int, machines: int, share: float, target: float) -> Forecast:
    """What so many workers on each of so many machines carry within `target` seconds at that percentile."""
    # the nearest measured count at or below, or the least: neighbours slow each other down (memory, caches, clock)
    known = max(
        (point for point in service.workers if point.workers <= workers),
        default=service.workers[0],
        key=lambda p: p.workers,
    )
    crowding = max(1.0, workers / cpus) / max(1.0, known.workers / cpus)
    # beyond what was measured each further one that has a CPU of its own costs the others what it did until there
    further = max(0, min(workers, cpus) - known.workers)
    times = [seconds * crowding * (1 + contention(service) * further) for seconds in _occupations(known)]
    own = service_cpu(service)
    carried = greatest_rate(times, workers=workers * machines, share=share, target=target)
    rate = min(carried, machines * FULL_CORE / own)
    return Forecast(
        workers=workers,
        machines=machines,
        rate=rate,
        limit=workers * machines / (sum(times) / len(times)),
        core=rate * own / machines,
        measured=known.workers == workers,
    )


def check_table(found: Sequence[Check]) -> str:
    """The checks for people."""
    if not found:
        return "No measured load to check the model against: run `service` with its open loop."
    rows = [
        (
            f"{check.load.workers} worker{'s' * (check.load.workers > 1)}",
            f"{check.load.offered:.2f}",
            f"p{check.share * 100:g}",
            f"{check.measured:.2f}",
            f"{check.low:.2f} to {check.high:.2f}",
            "yes" if check.agrees else "no",
        )
        for check in found
    ]
    return "The model against what was measured, latency in s:\n" + aligned(
        [("", "jobs/s", "", "measured", "model", "agrees"), *rows]
    )


def forecast_table(found: Sequence[Forecast]) -> str:
    """The forecasts for people."""
    rows = [
        (
            f"{each.machines} x {each.workers}",
            f"{each.rate:.2f}",
            f"{each.rate * 3600:.0f}",
            f"{each.rate / each.limit:.0%}",
            f"{each.core:.0%}{'*' * each.service_full}",
            "measured" if each.measured else "guessed",
        )
        for each in found
    ]
    heading = ("machines x workers", "jobs/s", "jobs/h", "of all they can", "service's core", "a machine with so many")
    return aligned([heading, *rows])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks simulate", description=__doc__)
    parser.add_argument("report", type=Path, help="JSON that `service` or `all` wrote")
    parser.add_argument("--workers", type=command.numbers, metavar="N,N", help="on each machine")
    parser.add_argument("--cpus", type=int, metavar="N", help="of each machine; without it as many as the measured one")
    parser.add_argument("--machines", type=command.numbers, default=[1, 2, 4], metavar="N,N")
    parser.add_argument("--target", type=float, default=10.0, metavar="SECONDS", help="latency that is allowed; 10")
    parser.add_argument("--percentile", type=float, default=95.0, choices=(50.0, 95.0, 99.0), help="of latency; 95")
    return parser
