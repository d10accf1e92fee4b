"""All benchmarks of this machine in one report: `python -m benchmarks all`."""

import argparse
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from benchmarks import command
from benchmarks.accuracy import run as accuracy
from benchmarks.engine import speed
from benchmarks.report.measures import Report
from benchmarks.report.progress import Progress
from benchmarks.service import pool, store, throughput
from samples import FOLDER as SAMPLES


def main(argv: Sequence[str]) -> int:
    """Runs them; 0 when all jobs were done, 1 when some failed, 2 when one could not be run."""
    parser = throughput.parser("all", __doc__)
    arguments = parser.parse_args(argv)
    return command.run_and_report("all", arguments, measure)


async def measure(arguments: argparse.Namespace, progress: Progress) -> Report:
    """The service, its pool, its store, and the engine: its speed and what it reads. Raises as command.FAILURES."""
    report = await throughput.measure(arguments, progress)
    small = argparse.Namespace(
        quick=arguments.quick, workers=max(arguments.workers), folder=None, database_url=arguments.database_url
    )
    pools = await pool.measure(small, progress)
    stores = await store.measure(small, progress)
    progress.end()
    quick = ["--quick"] if arguments.quick else []
    images = ["--images", str(arguments.images)] if arguments.images else []
    others = {
        "engine": _report_of(speed.main, [*quick, *images]),
        "accuracy": _report_of(accuracy.main, [str(SAMPLES), "--engine", "ours", *quick]),
    }
    return msgspec.structs.replace(report, pool=pools.pool, store=stores.store, others=others)


def _report_of(benchmark: Callable[[Sequence[str]], int], argv: Sequence[str]) -> msgspec.Raw:
    """A benchmark's own report; its progress and its table go where they always go. `null` where it cannot be run."""
    with tempfile.TemporaryDirectory(prefix="ocr-benchmark-") as folder:
        file = Path(folder, "report.json")
        benchmark([*argv, "--json", str(file)])
        return msgspec.Raw(file.read_bytes() if file.exists() else b"null")
