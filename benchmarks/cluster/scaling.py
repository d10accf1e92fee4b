"""Several nodes on one PostgreSQL: what the database carries, and what real OCR loses by being spread over nodes.

    python -m benchmarks cluster --nodes 1,2,4 --bytes 1000,100000,1000000

First, for each size of image, nodes with the real dispatcher, queue and store end a heap of jobs without reading them:
what PostgreSQL carries bounds what any number of OCR nodes can do. Then one node with two workers and two nodes with
one worker each read the same images in turns.
"""

import argparse
import asyncio
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import msgspec

from app import clock
from app.jobs.events import JobEvents
from app.jobs.reading.costly_files import CostlyFiles
from app.jobs.reading.dispatcher import Dispatcher
from app.jobs.reading.files import Files
from app.jobs.reading.reader import Reader
from app.jobs.reading.readings import Readings
from app.jobs.reading.retry import RetryPolicy
from benchmarks import command
from benchmarks.cluster import spread
from benchmarks.cluster.postgres import Database, Server, server
from benchmarks.report.measures import ClusterFigures, ClusterPoint, Report
from benchmarks.report.progress import Progress
from benchmarks.service.fake_service import FreePool
from benchmarks.service.server_process import FAKE, REAL
from config.settings import LEASE_SECONDS
from ocr_engine.result import ImageInfo
from persistence.job import Job, JobState
from persistence.postgres.queue import PgQueue
from persistence.postgres.store import PostgresStore
from persistence.upload import Upload

PRODUCERS = 8
"""Uploads at the same time."""
MAX_ROUND_BYTES = 400_000_000
"""Of all images of one round; of large ones there are fewer."""
LOOK_SECONDS = 0.02
"""How often it is asked whether all jobs have ended."""
READY = "ready"


def main(argv: Sequence[str]) -> int:
    """Runs the benchmark; 0 when all jobs were done, 1 when some failed, 2 when it could not be run."""
    arguments = parser().parse_args(argv)
    if arguments.node:
        asyncio.run(node(arguments.url, arguments.workers))
        return 0
    return command.run_and_report("cluster", arguments, measure)


async def measure(arguments: argparse.Namespace, progress: Progress) -> Report:
    """Everything, in new databases of one server. Raises as command.FAILURES."""
    report = command.new_report(arguments)
    points, splits = [], []
    progress.step("starting PostgreSQL")
    async with server(arguments.url) as postgres:
        for size in arguments.bytes:
            jobs = max(PRODUCERS, min(arguments.jobs // (5 if arguments.quick else 1), MAX_ROUND_BYTES // size))
            for nodes in arguments.nodes:
                async with postgres.database() as database:
                    points.append(await without_ocr(postgres, database, nodes, arguments.workers, jobs, size, progress))
        if not arguments.no_ocr:
            images = command.images(arguments.images)
            splits = await spread.measure(
                postgres,
                images,
                spread.QUICK if arguments.quick else spread.FULL,
                kind=FAKE if arguments.fake_engine else REAL,
                progress=progress,
            )
    figures = ClusterFigures(workers=arguments.workers, points=tuple(points), splits=tuple(splits))
    return msgspec.structs.replace(report, cluster=figures)


async def without_ocr(
    postgres: Server, database: Database, nodes: int, workers: int, jobs: int, size: int, progress: Progress
) -> ClusterPoint:
    """A heap of uploads with nobody reading, then its end by so many nodes."""
    jobs = jobs // PRODUCERS * PRODUCERS
    store = await PostgresStore.open(database.url)
    try:
        image = os.urandom(size)
        files, log, cpu = await database.size(), await database.written(), postgres.cpu_seconds()
        progress.step(f"uploads of {size / 1e6:g} MB", jobs)
        begun = time.perf_counter()
        await asyncio.gather(*(upload(store, jobs // PRODUCERS, image, progress) for _ in range(PRODUCERS)))
        uploading = time.perf_counter() - begun
        with started(database.url, nodes, workers) as running:
            await asyncio.gather(*(asyncio.to_thread(_wait_until_ready, process) for process in running))
            progress.step(f"{nodes} node{'s' * (nodes > 1)} without OCR, {size / 1e6:g} MB", jobs)
            begun = time.perf_counter()
            for process in running:
                assert process.stdin is not None
                process.stdin.close()  # the sign to begin
            while (await store.counts())[JobState.DONE] < jobs:  # noqa: ASYNC110 - other processes end them
                await asyncio.sleep(LOOK_SECONDS)
            ending = time.perf_counter() - begun
            spent = postgres.cpu_seconds()  # before the nodes' connections end: what they have spent is lost a moment
        return ClusterPoint(
            nodes=nodes,
            image_bytes=size,
            jobs=jobs,
            uploads_per_second=jobs / uploading,
            jobs_per_second=jobs / ending,
            database_cpu=None if cpu is None or spent is None else (spent - cpu) / jobs,
            log_bytes=(await database.written() - log) / jobs,
            kept_bytes=(await database.size() - files) / jobs,
        )
    finally:
        await store.close()


@contextmanager
def started(url: str, nodes: int, workers: int) -> Iterator[list[subprocess.Popen[str]]]:
    """The nodes' processes, which write a line when they could begin; killed in the end."""
    arguments = [sys.executable, "-m", "benchmarks", "cluster", "--node", "--url", url, "--workers", str(workers)]
    with ExitStack() as stack:
        running = []
        for _ in range(nodes):
            process = subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            running.append(stack.enter_context(process))
            stack.callback(process.kill)
        yield running


def _wait_until_ready(process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None
    if process.stdout.readline().strip() != READY:
        raise EOFError("a node ended before it could begin")


async def upload(store: PostgresStore, count: int, image: bytes, progress: Progress) -> None:
    """As the API does it, one after the other."""
    info = ImageInfo(media_type="image/png", width=1, height=1, frames=1, size=len(image))
    for _ in range(count):
        now = clock.now()
        await store.add(
            Job(id=str(uuid.uuid4()), image=info, created_at=now, updated_at=now, due_at=now), Upload.of(image)
        )
        progress.advance()


async def node(url: str, workers: int) -> None:
    """A worker node whose engine takes no time; begins when its standard input ends, and goes on until it is killed."""
    store = await PostgresStore.open(url)
    pool, policy = FreePool(workers), RetryPolicy(max_attempts=3, base_seconds=1, max_seconds=1)
    reader = Reader(store, pool, Files(store, pool.forget), CostlyFiles(), max_pages=1)
    async with PgQueue.opened(url, limit=sys.maxsize, lease=LEASE_SECONDS) as queue:
        dispatcher = Dispatcher(store, queue, reader, Readings(), policy, JobEvents())
        print(READY, flush=True)
        await asyncio.to_thread(sys.stdin.read)
        await queue.run(dispatcher.handle, concurrency=workers)


def parser() -> argparse.ArgumentParser:
    """Of this benchmark."""
    made = command.parser("cluster", __doc__)
    made.add_argument(
        "--url",
        help="a PostgreSQL server on which databases may be made, and are dropped again; without it one of our own",
    )
    made.add_argument(
        "--nodes", type=command.numbers, default=[1, 2, 4], metavar="N,N", help="nodes without OCR; 1,2,4"
    )
    made.add_argument("--workers", type=int, default=4, help="jobs that each of these handles at a time; 4")
    made.add_argument("--jobs", type=int, default=1000, help="jobs of each round, 400 MB at most; 1000")
    made.add_argument(
        "--bytes",
        type=command.numbers,
        default=[1_000, 100_000, 1_000_000, 10_000_000],
        metavar="N,N",
        help="sizes of an image; 1000,100000,1000000,10000000",
    )
    made.add_argument("--images", type=Path, metavar="DIR", help="folder of images to read; without it our samples")
    made.add_argument("--no-ocr", action="store_true", help="leave out what really reads")
    made.add_argument("--fake-engine", action="store_true", help=argparse.SUPPRESS)
    made.add_argument("--node", action="store_true", help=argparse.SUPPRESS)
    return made
