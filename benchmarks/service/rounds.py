"""The rounds of a service measurement: service and ceiling in turns on the same jobs, then rising arrival rates."""

import itertools
from collections.abc import Iterable, Sequence
from pathlib import Path

from msgspec import Struct

from app.processes import engine_options
from benchmarks.report.measures import Arrivals, CpuSeconds, Floor, LoadPoint, Pair, WorkersPoint, percentiles
from benchmarks.report.progress import Progress
from benchmarks.service.bare import BareEngines, bare_engines
from benchmarks.service.load import Outcome, closed_loop, open_loop, schedule, verify
from benchmarks.service.server_process import FAKE, ServerFailed, ServerProcess, running
from benchmarks.service.usage import watched
from config.environment import load as load_settings
from ocr_engine.errors import OcrError
from ocr_engine.image import probe

CLIENTS_PER_WORKER = 3
"""Of the closed loop: one job in the worker, one waiting for it, one on its way."""


class Plan(Struct, frozen=True, kw_only=True):
    """How much is measured."""

    round_seconds: float
    """About how long one round of the closed loop takes."""
    pairs: int
    """Rounds by the service and by bare engines alike."""
    rates: tuple[float, ...]
    """Arrival rates of the open loop, as shares of the throughput in the closed loop."""
    rate_seconds: float
    """About how long jobs arrive at each rate."""
    floor_jobs: int
    peer_images: int
    """At most."""


FULL = Plan(
    round_seconds=30,
    pairs=4,
    rates=(0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 1.05),
    rate_seconds=60,
    floor_jobs=2000,
    peer_images=100,
)
QUICK = Plan(round_seconds=5, pairs=2, rates=(0.5, 0.8), rate_seconds=8, floor_jobs=300, peer_images=13)


async def with_workers(
    workers: int,
    images: Sequence[Path],
    plan: Plan,
    *,
    server: Sequence[str],
    arrivals: Arrivals,
    rates: Sequence[float] | None,
    progress: Progress,
) -> tuple[WorkersPoint, list[LoadPoint]]:
    """Closed and open loop with so many workers; `rates` instead of the plan's where they are given."""
    options = engine_options(load_settings({}))
    images = readable(images, options.max_pixels)
    progress.step(f"with {workers}: starting bare engines")
    async with bare_engines(workers, options, warm_up=images[0]) as engines:
        jobs = await jobs_of(engines, images, plan.round_seconds, workers, progress)
        progress.step(f"with {workers}: starting the service")
        async with running(server, workers=workers) as service:
            point = await _closed(service, engines, jobs, workers, plan.pairs, progress)
            points = []
            for share in plan.rates if rates is None else rates:
                rate = share * point.rate
                moments = schedule(arrivals, rate, max(1, round(rate * plan.rate_seconds)))
                progress.step(f"with {workers}: {rate:.2f} jobs/s arrive ({share:.0%})", len(moments))
                outcome = await open_loop(service, [path.read_bytes() for path in jobs], moments, progress.advance)
                faults = await verify(service, outcome.records)
                points.append(load_point(outcome, workers, arrivals, rate, len(moments), len(faults)))
    return point, points


async def floor(images: Sequence[Path], plan: Plan, progress: Progress) -> Floor:
    """The service's own cost, on the same images."""
    data = [path.read_bytes() for path in readable(images, load_settings({}).max_image_pixels)]
    jobs = list(itertools.islice(itertools.cycle(data), plan.floor_jobs))
    progress.step("the service with a free engine", len(jobs))
    async with running(FAKE, workers=CLIENTS_PER_WORKER) as service:
        await closed_loop(service, data, clients=CLIENTS_PER_WORKER)
        async with watched(service.pid, {}) as usage:
            outcome = await closed_loop(service, jobs, clients=2 * CLIENTS_PER_WORKER, on_job=progress.advance)
            cpu = usage.cpu()
    _complete(outcome, len(jobs))
    return Floor(
        jobs=len(jobs),
        rate=len(jobs) / outcome.seconds,
        cpu_per_job=cpu.service / len(jobs),
        accept=percentiles(record.accepted - record.intended for record in outcome.records),
    )


def readable(images: Iterable[Path], max_pixels: int) -> list[Path]:
    """Those that the service would take. Raises ServerFailed where there are none."""
    taken = []
    for path in images:
        try:
            probe(path.read_bytes(), max_pixels)
        except OcrError:
            continue
        taken.append(path)
    if not taken:
        raise ServerFailed("none of the images would be accepted")
    return taken


async def jobs_of(
    engines: BareEngines, images: Sequence[Path], seconds: float, workers: int, progress: Progress
) -> list[Path]:
    """As many images, in turn, as the engines read in that time: at least a few for each worker."""
    endless = list(itertools.islice(itertools.cycle(images), 100_000))
    progress.step(f"with {workers}: how much is a round?")
    read, _ = await engines.read_within(endless, seconds, progress.advance)
    # whole turns through the images where that is possible, so that every round has the same mix
    whole = round(read / len(images)) * len(images)
    return endless[: whole or max(read, 2 * workers)]


async def _closed(
    service: ServerProcess,
    engines: BareEngines,
    jobs: Sequence[Path],
    workers: int,
    pairs: int,
    progress: Progress,
) -> WorkersPoint:
    data = [path.read_bytes() for path in jobs]
    clients = CLIENTS_PER_WORKER * workers
    outcomes: list[Outcome] = []
    measured: list[Pair] = []
    faults: list[str] = []
    spent = []
    async with watched(service.pid, service.worker_pids) as usage:
        for number in range(pairs):
            ceiling = 0.0
            # A B, B A, …: what drifts steadily falls on both alike
            for bare in (False, True) if number % 2 == 0 else (True, False):
                kind = "bare engines" if bare else "the service"
                progress.step(f"with {workers}: round {number + 1}/{pairs} of {kind}", len(jobs))
                if bare:
                    ceiling = await engines.read(jobs, progress.advance)
                else:
                    usage.cpu()
                    outcomes.append(await closed_loop(service, data, clients=clients, on_job=progress.advance))
                    spent.append(usage.cpu())
                    faults += await verify(service, outcomes[-1].records)
            measured.append(Pair(service=outcomes[-1].seconds, ceiling=ceiling))
        memory = usage.memory()
    records = [record for outcome in outcomes for record in outcome.records]
    if not records:
        raise ServerFailed(f"no job was done: {outcomes[0].errors[:1]}")
    return WorkersPoint(
        workers=workers,
        clients=clients,
        jobs=len(jobs),
        pairs=tuple(measured),
        rate=len(records) / sum(pair.service for pair in measured),
        ceiling_rate=pairs * len(jobs) / sum(pair.ceiling for pair in measured),
        start_seconds=service.start_seconds,
        accept=percentiles(record.accepted - record.intended for record in records),
        wait=percentiles(record.wait for record in records),
        recognition=percentiles(record.recognition for record in records),
        cpu=CpuSeconds(
            service=sum(seconds.service for seconds in spent),
            workers=sum(seconds.workers for seconds in spent),
            client=sum(seconds.client for seconds in spent),
        ),
        memory=memory,
        service_times=tuple(record.recognition for record in records),
        errors=len(faults) + sum(len(outcome.errors) for outcome in outcomes),
    )


def load_point(
    outcome: Outcome, workers: int, arrivals: Arrivals, rate: float, jobs: int, unverified: int
) -> LoadPoint:
    """What an open loop of so many jobs at that rate showed."""
    records = outcome.records
    return LoadPoint(
        workers=workers,
        arrivals=arrivals,
        offered=rate,
        completed=len(records) / outcome.seconds if records else 0.0,
        jobs=jobs,
        errors=len(outcome.errors) + unverified,
        accept=percentiles(record.accepted - record.intended for record in records),
        wait=percentiles(record.wait for record in records),
        recognition=percentiles(record.recognition for record in records),
        latency=percentiles(record.stored - record.intended for record in records),
    )


def _complete(outcome: Outcome, jobs: int) -> None:
    if len(outcome.records) < jobs:
        raise ServerFailed(f"{jobs - len(outcome.records)} jobs of {jobs} failed: {outcome.errors[:1]}")
