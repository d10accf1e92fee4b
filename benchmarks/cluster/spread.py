"""The same workers on one node or on two, with real OCR: what is lost by being spread?"""

import itertools
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from msgspec import Struct

from app.processes import engine_options
from benchmarks.cluster.postgres import Server
from benchmarks.queueing.model import sojourns
from benchmarks.queueing.simulate import expected, occupations
from benchmarks.report.measures import Split, percentiles
from benchmarks.report.progress import Progress
from benchmarks.service.bare import bare_engines
from benchmarks.service.load import Outcome, closed_loop, open_loop, schedule, verify
from benchmarks.service.rounds import CLIENTS_PER_WORKER, jobs_of, load_point, readable
from benchmarks.service.server_process import Outcomes, ServerFailed, ServerProcess, running
from config.environment import load as load_settings

WORKERS = 2
"""Of each arrangement, in all."""
SPREAD = ((1, WORKERS), (WORKERS, 1))
"""Nodes, and workers of each."""


class Plan(Struct, frozen=True, kw_only=True):
    """How much is measured."""

    round_seconds: float
    """About how long one round of the closed loop takes."""
    pairs: int
    """Rounds by either arrangement alike."""
    rate: float
    """Arrival rate of the open loop, as a share of the throughput of the slower arrangement."""
    rate_seconds: float
    """About how long jobs arrive."""


FULL = Plan(round_seconds=30, pairs=4, rate=0.8, rate_seconds=60)
QUICK = Plan(round_seconds=5, pairs=2, rate=0.8, rate_seconds=10)


class _Arrangement(Struct, kw_only=True):
    """A cluster that is running, and what it did so far."""

    nodes: int
    workers: int
    api: ServerProcess
    rounds: list[Outcome] = []
    unverified: int = 0

    @property
    def name(self) -> str:
        return f"{self.nodes} x {self.workers}"

    @property
    def rate(self) -> float:
        return sum(len(found.records) for found in self.rounds) / sum(found.seconds for found in self.rounds)


async def measure(
    postgres: Server, images: Sequence[Path], plan: Plan, *, kind: Sequence[str], progress: Progress
) -> list[Split]:
    """Closed loop in turns, A B and B A, then an open loop on each. Raises ServerFailed."""
    options = engine_options(load_settings({}))
    images = readable(images, options.max_pixels)
    async with bare_engines(WORKERS, options, warm_up=images[0]) as engines:
        jobs = await jobs_of(engines, images, plan.round_seconds, WORKERS, progress)
    data = [path.read_bytes() for path in jobs]
    async with AsyncExitStack() as stack:
        arrangements = []
        for nodes, workers in SPREAD:
            progress.step(f"starting {nodes} x {workers}")
            arrangements.append(await stack.enter_async_context(_running(postgres, nodes, workers, kind)))
        for number in range(plan.pairs):
            for each in arrangements if number % 2 == 0 else reversed(arrangements):
                progress.step(f"round {number + 1}/{plan.pairs} of {each.name}", len(data))
                outcome = await closed_loop(
                    each.api, data, clients=CLIENTS_PER_WORKER * WORKERS, on_job=progress.advance
                )
                if not outcome.records:
                    raise ServerFailed(f"no job was done: {outcome.errors[:1]}")
                each.rounds.append(outcome)
                each.unverified += len(await verify(each.api, outcome.records))
        rate = plan.rate * min(each.rate for each in arrangements)
        return [await _split(each, data, rate, plan.rate_seconds, progress) for each in arrangements]


@asynccontextmanager
async def _running(postgres: Server, nodes: int, workers: int, kind: Sequence[str]) -> AsyncIterator[_Arrangement]:
    """An API node and so many worker nodes on a database of their own."""
    outcomes = Outcomes()
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(postgres.database())
        shared = {"DATABASE_URL": database.url}
        api = await stack.enter_async_context(
            running(kind, workers=1, settings={**shared, "ROLE": "api", "NODE_NAME": "api"}, outcomes=outcomes)
        )
        for number in range(1, nodes + 1):
            settings = {**shared, "ROLE": "worker", "NODE_NAME": f"worker-{number}"}
            await stack.enter_async_context(running(kind, workers=workers, settings=settings, outcomes=outcomes))
        yield _Arrangement(nodes=nodes, workers=workers, api=api)


async def _split(
    arrangement: _Arrangement, data: Sequence[bytes], rate: float, seconds: float, progress: Progress
) -> Split:
    """The open loop, and what the model makes of it all."""
    rounds = [[record.recognition for record in found.records] for found in arrangement.rounds]
    recognitions = [*itertools.chain(*rounds)]
    moments = schedule("poisson", rate, max(1, round(rate * seconds)))
    progress.step(f"{arrangement.name}: {rate:.2f} jobs/s arrive", len(moments))
    outcome = await open_loop(arrangement.api, data, moments, progress.advance)
    unverified = len(await verify(arrangement.api, outcome.records))
    load = load_point(outcome, WORKERS, "poisson", rate, len(moments), unverified)
    times = occupations(recognitions, WORKERS, arrangement.rate)
    return Split(
        nodes=arrangement.nodes,
        workers=arrangement.workers,
        seconds=tuple(found.seconds for found in arrangement.rounds),
        rate=arrangement.rate,
        perfect_rate=len(recognitions) / max(sum(map(_perfect_seconds, rounds)), 1e-9),
        recognition=percentiles(recognitions),
        load=load,
        predicted_p50=expected(load, times, 0.5),
        predicted_p95=None if load.latency.p95 is None else expected(load, times, 0.95),
        errors=arrangement.unverified + sum(len(found.errors) for found in arrangement.rounds) + load.errors,
    )


def _perfect_seconds(recognitions: Sequence[float]) -> float:
    """Until all jobs are done that are there from the start, where nothing but recognition takes time."""
    return max(sojourns(itertools.repeat(0.0), recognitions, WORKERS))
