"""What the command lines of the load benchmarks share."""

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import Callable, Coroutine, Iterator
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.accuracy.manifest import IMAGES
from benchmarks.report.fingerprint import fingerprint
from benchmarks.report.measures import Report
from benchmarks.report.progress import Progress
from benchmarks.report.report import failed_jobs, text, write
from benchmarks.service.bare import CeilingFailed
from benchmarks.service.server_process import ServerFailed
from ocr_engine.errors import PoolUnavailable
from persistence.store import StoreError, StoreUnusable
from samples import all_samples

FAILURES = (ServerFailed, CeilingFailed, PoolUnavailable, StoreUnusable, StoreError, OSError, EOFError)
"""Why a benchmark cannot be run."""

Measure = Callable[[argparse.Namespace, Progress], Coroutine[None, None, Report]]


def run_and_report(name: str, arguments: argparse.Namespace, measure: Measure) -> int:
    """Measures, shows the tables and writes the files; 0 when all jobs were done, 1 when some failed, 2 after a
    failure. Ctrl-C and SIGTERM end what was started before they end this."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    progress, report = Progress(), None
    try:
        report = asyncio.run(measure(arguments, progress))
    except* FAILURES as group:
        progress.end()
        print(*(f"{name}: {error}" for error in _leaves(group)), sep="\n", file=sys.stderr)
    if report is None:
        return 2
    progress.end()
    print(text(report))
    write(report, arguments.json, arguments.html)
    return 1 if failed_jobs(report) else 0


def new_report(arguments: argparse.Namespace) -> Report:
    """This machine at this moment; nothing measured yet."""
    return Report(
        machine=fingerprint(),
        taken_at=datetime.now(UTC).isoformat(timespec="seconds"),
        quick=arguments.quick,
        load_before=os.getloadavg()[0],
    )


def parser(name: str, description: str | None) -> argparse.ArgumentParser:
    """With the arguments that every benchmark has."""
    made = argparse.ArgumentParser(prog=f"python -m benchmarks {name}", description=description)
    made.add_argument("--quick", action="store_true", help="less of everything: a look, not a measurement")
    made.add_argument("--json", type=Path, metavar="FILE", help="write the report here as well")
    made.add_argument("--html", type=Path, metavar="FILE", help="write the report here as a page with plots")
    return made


def numbers(text: str) -> list[int]:
    """`1,2,4` as ascending numbers."""
    found = sorted({int(part) for part in text.split(",")})
    if not found or found[0] < 1:
        raise argparse.ArgumentTypeError("numbers from 1, separated by commas")
    return found


def fractions(text: str) -> list[float]:
    """`0.5,0.9` as ascending shares; `0` as none."""
    found = sorted({float(part) for part in text.split(",")})
    if found[0] < 0:
        raise argparse.ArgumentTypeError("shares, separated by commas")
    return [share for share in found if share]


def images(folder: Path | None) -> list[Path]:
    """The images of a folder, or our samples. Raises FileNotFoundError where there are none."""
    if folder is None:
        return [sample.path for sample in all_samples()]
    found = sorted(path.resolve() for path in folder.rglob("*") if path.suffix.lower() in IMAGES)
    if not found:
        raise FileNotFoundError(f"no images in {folder}")
    return found


def _leaves(group: BaseExceptionGroup[BaseException]) -> Iterator[BaseException]:
    """The errors themselves, out of all nested groups."""
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error
