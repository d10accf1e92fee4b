"""How fast and how durably jobs are stored: `python -m benchmarks store`."""

import argparse
import asyncio
import os
import tempfile
import time
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import msgspec
from msgspec import Struct

from benchmarks import command
from benchmarks.report.measures import Report, StoreFigures, StorePoint, percentiles
from benchmarks.report.progress import Progress
from benchmarks.service.fake_service import PAGE
from ocr_engine.result import ImageInfo, OcrResult
from persistence.job import Job
from persistence.opening import open_store
from persistence.store import JobStore
from persistence.upload import Upload

RESULT = OcrResult(pages=(PAGE,), worker="worker-1")
WAL_SAMPLE_SECONDS = 0.005


class Plan(Struct, frozen=True, kw_only=True):
    """What is stored, and where."""

    sizes: tuple[int, ...] = (100_000, 1_000_000, 10_000_000)
    """Bytes of an image; a quick look takes the first two."""
    writers: tuple[int, ...] = (1, 8)
    memory_disk: Path | None = Path("/dev/shm")
    """Where a sync costs nothing: the difference to a disk is what durability costs there."""


FULL = Plan()


def main(argv: Sequence[str]) -> int:
    """Runs the benchmark; 0 when it could be run, 2 when it could not."""
    return command.run_and_report("store", parser().parse_args(argv), measure)


async def measure(arguments: argparse.Namespace, progress: Progress, plan: Plan = FULL) -> Report:
    """Every store with every size. Raises StoreUnusable and StoreError."""
    report = command.new_report(arguments)
    points = []
    with tempfile.TemporaryDirectory(prefix="ocr-benchmark-", dir=arguments.folder) as folder:
        sync = _sync_seconds(Path(folder))
        points += await _of_file("sqlite, synced to disk", Path(folder), arguments.quick, plan, progress)
    if plan.memory_disk and plan.memory_disk.is_dir():
        with tempfile.TemporaryDirectory(prefix="ocr-benchmark-", dir=plan.memory_disk) as folder:
            points += await _of_file("sqlite, memory disk", Path(folder), arguments.quick, plan, progress)
    if arguments.database_url:
        name = arguments.database_url.partition(":")[0]
        points += await _of_url(name, arguments.database_url, None, arguments.quick, plan, progress)
    figures = StoreFigures(sync_seconds=sync, points=tuple(points))
    return msgspec.structs.replace(report, store=figures)


async def _of_file(name: str, folder: Path, quick: bool, plan: Plan, progress: Progress) -> list[StorePoint]:
    file = folder / "jobs.db"
    return await _of_url(name, f"sqlite:///{file}", file.with_name("jobs.db-wal"), quick, plan, progress)


async def _of_url(
    name: str, url: str, wal: Path | None, quick: bool, plan: Plan, progress: Progress
) -> list[StorePoint]:
    points = []
    store = await open_store(url)
    try:
        for size in plan.sizes[: 2 if quick else None]:
            for writers in plan.writers:
                jobs = max(8, (20_000_000 if quick else 200_000_000) // max(size, 500_000))
                progress.step(f"store: {name}, {size / 1e6:g} MB, {writers} at once", jobs)
                points.append(await _point(store, name, size, writers, jobs, wal, progress))
    finally:
        await store.close()
    return points


async def _point(
    store: JobStore, name: str, size: int, writers: int, jobs: int, wal: Path | None, progress: Progress
) -> StorePoint:
    image = os.urandom(size)
    todo = iter(range(jobs))
    adds, claims, completions = list[float](), list[float](), list[float]()

    async def writer() -> None:
        for _ in todo:
            job = _new_job(size)
            begun = time.perf_counter()
            await store.add(job, Upload.of(image))
            added = time.perf_counter()
            claimed = job.claimed(datetime.now(UTC))
            await store.replace(job, claimed)
            taken = time.perf_counter()
            await store.image(job.id)
            read = time.perf_counter()
            await store.replace(claimed, claimed.completed(RESULT, datetime.now(UTC)))
            completions.append(time.perf_counter() - read)
            adds.append(added - begun)
            claims.append(taken - added)
            progress.advance()

    watch = asyncio.create_task(_peak(wal)) if wal else None
    begun = time.perf_counter()
    await asyncio.gather(*(writer() for _ in range(writers)))
    seconds = time.perf_counter() - begun
    return StorePoint(
        store=name,
        image_bytes=size,
        writers=writers,
        jobs=jobs,
        transitions_per_second=3 * jobs / seconds,
        megabytes_per_second=jobs * size / 1e6 / seconds,
        add=percentiles(adds),
        claim=percentiles(claims),
        complete=percentiles(completions),
        wal_peak=await _ended(watch) if watch else None,
    )


def _new_job(size: int) -> Job:
    moment = datetime.now(UTC)
    info = ImageInfo(media_type="image/png", width=800, height=1200, frames=1, size=size)
    return Job(id=str(uuid.uuid4()), image=info, created_at=moment, updated_at=moment, due_at=moment)


async def _peak(wal: Path) -> int:
    """The largest size that the file had, until cancelled."""
    peak = 0
    try:
        while True:
            peak = max(peak, _size(wal))
            await asyncio.sleep(WAL_SAMPLE_SECONDS)
    except asyncio.CancelledError:
        return peak


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except FileNotFoundError:
        return 0


async def _ended(watch: asyncio.Task[int]) -> int:
    watch.cancel()
    return await watch


def _sync_seconds(folder: Path) -> float:
    seconds = []
    with (folder / "sync").open("wb") as file:
        for _ in range(30):
            begun = time.perf_counter()
            file.write(bytes(4096))
            file.flush()
            os.fsync(file.fileno())
            seconds.append(time.perf_counter() - begun)
    return median(seconds)


def parser() -> argparse.ArgumentParser:
    """Of this benchmark."""
    made = command.parser("store", __doc__)
    made.add_argument(
        "--folder", type=Path, metavar="DIR", help="on whose disk to measure; without it the system's temporary folder"
    )
    made.add_argument(
        "--database-url",
        metavar="URL",
        help="another store as well; jobs are added there and stay, so give an empty one",
    )
    return made
