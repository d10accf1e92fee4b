"""What a pool of processes adds to recognition, and how fast it mends itself: `python -m benchmarks pool`."""

import argparse
import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import msgspec

from app.processes import engine_options
from benchmarks import command
from benchmarks.report.measures import PoolFigures, Report, RoundTrip, percentiles
from benchmarks.report.progress import Progress
from config.environment import load
from config.machine import usable_cpus
from ocr_engine.errors import WorkerCrashed
from ocr_engine.workers.pool import PoolEvent
from ocr_engine.workers.process_pool import ProcessOcrPool
from samples import sample

AT_WORK_SECONDS = 0.02
"""After which a process is surely at work on an image that takes it ten times as long."""
ROUND_TRIPS = ("tiny", "photo", "large")
"""Samples of 1, 142 and 104 kB; the last one of 12 times the pixels of the first."""


def main(argv: Sequence[str]) -> int:
    """Runs the benchmark; 0 when it could be run, 2 when it could not."""
    return command.run_and_report("pool", parser().parse_args(argv), measure)


async def measure(arguments: argparse.Namespace, progress: Progress) -> Report:
    """Starts, round trips, kills. Raises PoolUnavailable."""
    report = command.new_report(arguments)
    times = 3 if arguments.quick else 20
    trips = 10 if arguments.quick else 100
    progress.step(f"pool: {arguments.workers} processes side by side")
    begun = time.monotonic()
    async with _pool(arguments.workers):
        start_all = time.monotonic() - begun
    watch = Watch()
    async with _pool(1, watch) as pool:
        progress.step("pool: idle processes killed", times)
        replaced = []
        for _ in range(times):
            replaced.append(await watch.kill_and_await_successor(pool))
            progress.advance()
        progress.step("pool: processes killed at work", times)
        recovered = []
        for _ in range(times):
            recovered.append(await _kill_at_work(pool, watch))
            progress.advance()
        round_trips = []
        for name in ROUND_TRIPS:
            progress.step(f"pool: round trips of {name}", trips)
            round_trips.append(await _round_trip(pool, name, trips, progress))
    figures = PoolFigures(
        start=percentiles(watch.starts),
        start_all=start_all,
        workers=arguments.workers,
        replacement=percentiles(replaced),
        recovery=percentiles(recovered),
        round_trips=tuple(round_trips),
    )
    return msgspec.structs.replace(report, pool=figures)


class Watch:
    """Hears of every process that becomes warm."""

    def __init__(self) -> None:
        self.starts: list[float] = []
        """Seconds that each start took."""
        self._warm = asyncio.Event()

    def __call__(self, event: PoolEvent) -> None:
        """A pool's `on_event`."""
        if event.kind == "started":
            self.starts.append(event.seconds)
            self._warm.set()

    async def kill_and_await_successor(self, pool: ProcessOcrPool) -> float:
        """Seconds from the kill of the pool's one process until the next is warm."""
        # a process that dies before its first image counts as one that cannot live, and a few of those end the pool
        await pool.recognise(sample("tiny").data)
        self._warm.clear()
        begun = time.monotonic()
        _kill(pool)
        await self._warm.wait()
        return time.monotonic() - begun


async def _kill_at_work(pool: ProcessOcrPool, watch: Watch) -> float:
    """Seconds from the kill of a process that is reading until another image was read."""
    reading = asyncio.create_task(pool.recognise(sample("large").data))
    await asyncio.sleep(AT_WORK_SECONDS)
    begun = time.monotonic()
    _kill(pool)
    try:
        await reading
    except WorkerCrashed:
        await pool.recognise(sample("tiny").data)
    return time.monotonic() - begun


async def _round_trip(pool: ProcessOcrPool, name: str, times: int, progress: Progress) -> RoundTrip:
    image = sample(name)
    data = image.data
    totals, overheads = [], []
    for _ in range(times):
        begun = time.monotonic()
        result = await pool.recognise(data)
        totals.append(time.monotonic() - begun)
        overheads.append(totals[-1] - result.timings.total)
        progress.advance()
    return RoundTrip(image=image.path.name, bytes=len(data), total=percentiles(totals), overhead=percentiles(overheads))


def _kill(pool: ProcessOcrPool) -> None:
    pid = pool.workers()[0].pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)


@asynccontextmanager
async def _pool(workers: int, on_event: Watch | None = None) -> AsyncIterator[ProcessOcrPool]:
    """A warm pool with the service's own settings."""
    settings = load({})
    pool = ProcessOcrPool(
        engine_options(settings),
        workers=workers,
        warm_up=sample("health").data,
        job_timeout=settings.job_timeout_seconds,
        start_timeout=settings.start_timeout_seconds,
        on_event=on_event or Watch(),
    )
    try:
        await pool.start()
        yield pool
    finally:
        await pool.close()


def parser() -> argparse.ArgumentParser:
    """Of this benchmark."""
    made = command.parser("pool", __doc__)
    made.add_argument("--workers", type=int, default=usable_cpus(), metavar="N", help="processes started side by side")
    return made
