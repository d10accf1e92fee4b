"""What a start costs, its graphs made before: `python -m benchmarks start`.

From the start of the process to the first 200 of /health/ready. CPU time stands beside the seconds, since that is worth
reading on a machine that others use as well; of several starts the one that took the least is shown.
"""

import argparse
import asyncio
import sys
import time
from collections.abc import Sequence

import psutil
from msgspec import Struct

from benchmarks import command
from benchmarks.report.progress import Progress
from benchmarks.report.report import aligned
from benchmarks.service.http_client import Client
from benchmarks.service.server_process import REAL, ServerFailed, running

MEBIBYTE = 1024 * 1024


class Start(Struct, frozen=True, kw_only=True):
    """One start; CPU seconds and bytes (PSS) of the service's own process, and of each of its workers."""

    seconds: float
    service_cpu: float
    worker_cpu: tuple[float, ...]
    service_memory: int
    worker_memory: tuple[int, ...]

    @property
    def cpu(self) -> float:
        """Of all processes: so many seconds it takes at least on one CPU."""
        return self.service_cpu + sum(self.worker_cpu)


def main(argv: Sequence[str]) -> int:
    """Runs the benchmark; 0, or 2 when it could not be run."""
    arguments = _parser().parse_args(argv)
    progress = Progress()
    try:
        found = [asyncio.run(_all(workers, arguments.starts, progress)) for workers in arguments.workers]
    except command.FAILURES as error:
        progress.end()
        print(f"start: {error}", file=sys.stderr)
        return 2
    progress.end()
    print(table(found))
    return 0


def table(starts: Sequence[Start]) -> str:
    """For people."""
    rows: list[tuple[str, ...]] = [
        ("", "seconds", "CPU s together", "service", "a worker", "PSS MB: service", "a worker", "a further worker")
    ]
    for start, before in zip(starts, (None, *starts), strict=False):
        workers, further = len(start.worker_cpu), "-"
        if before is not None:
            more = _memory(start) - _memory(before)
            further = f"{more / (workers - len(before.worker_cpu)) / MEBIBYTE:.0f}"
        rows.append(
            (
                f"{workers} worker{'s' * (workers > 1)}",
                f"{start.seconds:.2f}",
                f"{start.cpu:.2f}",
                f"{start.service_cpu:.2f}",
                f"{sum(start.worker_cpu) / workers:.2f}",
                f"{start.service_memory / MEBIBYTE:.0f}",
                f"{sum(start.worker_memory) / workers / MEBIBYTE:.0f}",
                further,
            )
        )
    return aligned(rows)


def _memory(start: Start) -> int:
    return start.service_memory + sum(start.worker_memory)


async def _all(workers: int, starts: int, progress: Progress) -> Start:
    found = []
    for number in range(starts + 1):
        progress.step(f"{workers} workers, start {number} of {starts}")
        start = await _one(workers)
        if number:  # the first one may have made the graphs
            found.append(start)
    return min(found, key=lambda start: start.cpu)


async def _one(workers: int) -> Start:
    begun = time.monotonic()
    async with running(REAL, workers=workers) as server, Client(server.url) as http:
        answer = await http.get("/health/ready")
        seconds = time.monotonic() - begun
        if answer.status != 200:
            raise ServerFailed(f"/health/ready answers {answer.status}")
        service = psutil.Process(server.pid)
        processes = [psutil.Process(pid) for pid in server.worker_pids.values()]
        return Start(
            seconds=seconds,
            service_cpu=sum(service.cpu_times()[:2]),
            worker_cpu=tuple(sum(process.cpu_times()[:2]) for process in processes),
            service_memory=_pss(service),
            worker_memory=tuple(map(_pss, processes)),
        )


def _pss(process: psutil.Process) -> int:
    facts = process.memory_full_info()
    return int(getattr(facts, "pss", facts.uss))  # PSS is Linux's


def _parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog="python -m benchmarks start", description=__doc__)
    made.add_argument("--workers", type=command.numbers, default=[1, 2], metavar="N,N", help="ascending; 1,2")
    made.add_argument("--starts", type=int, default=3, metavar="N", help="after one that warms up; 3")
    return made
