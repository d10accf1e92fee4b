"""All benchmarks of this machine in one report: `python -m benchmarks all`."""

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

import msgspec

from benchmarks import command, engine, pool, service, store
from benchmarks.measures import Report
from benchmarks.progress import Progress


def main(argv: Sequence[str]) -> int:
    """Runs them; 0 when all jobs were done, 1 when some failed, 2 when one could not be run."""
    parser = service.parser("all", __doc__)
    arguments = parser.parse_args(argv)
    return command.run_and_report("all", arguments, measure)


async def measure(arguments: argparse.Namespace, progress: Progress) -> Report:
    """The service, its pool, its store, and the engine beside the stock ones. Raises as command.FAILURES."""
    report = await service.measure(arguments, progress)
    small = argparse.Namespace(
        quick=arguments.quick, workers=max(arguments.workers), folder=None, database_url=arguments.database_url
    )
    pools = await pool.measure(small, progress)
    stores = await store.measure(small, progress)
    others = {} if arguments.quick else {"engine": _engine(arguments, progress)}
    return msgspec.structs.replace(report, pool=pools.pool, store=stores.store, others=others)


def _engine(arguments: argparse.Namespace, progress: Progress) -> msgspec.Raw:
    """The engine's own report; its progress and table go where they always go."""
    progress.step("engine")
    progress.end()
    with tempfile.TemporaryDirectory(prefix="ocr-benchmark-") as folder:
        file = Path(folder, "engine.json")
        engine.main(["--json", str(file), *(["--images", str(arguments.images)] if arguments.images else [])])
        return msgspec.Raw(file.read_bytes() if file.exists() else b"null")
