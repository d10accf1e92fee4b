"""Several nodes on one PostgreSQL: how many jobs a second store and queue carry when reading costs nothing.

    python -m benchmarks cluster --url postgresql://user:password@host/empty_database --nodes 1,2,4 --bytes 100000

Each node is a process of its own with the real dispatcher, queue and store; only the recognition is left out. What the
database carries bounds what any number of OCR nodes can do.
"""

import argparse
import asyncio
import subprocess
import sys
import time
import uuid
from collections.abc import Sequence

from app import clock
from app.dispatcher import Dispatcher
from app.queue_pgqueuer import PgQueue
from app.retry import RetryPolicy
from ocr_engine.result import ImageInfo, OcrPage, OcrResult
from persistence.job import Job, JobState
from persistence.postgres import PostgresStore

PRODUCERS = 8
"""Uploads at the same time."""
LOOK_SECONDS = 0.02
"""How often it is asked whether all jobs have ended."""
READY = "ready"


class Nothing:
    """An OcrPool that reads no text in no time."""

    async def recognise(self, image: bytes) -> OcrResult:
        """An empty page."""
        return OcrResult(pages=(OcrPage(number=1, width=1, height=1),))


def main(argv: Sequence[str]) -> int:
    """Prints a table: nodes, uploads a second, jobs a second, megabytes a second."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks cluster", description=__doc__)
    parser.add_argument("--url", required=True, help="a PostgreSQL database without jobs; the jobs stay in it")
    parser.add_argument("--nodes", default="1,2,4", help="how many worker nodes, one after the other [1,2,4]")
    parser.add_argument("--workers", type=int, default=4, help="jobs that a node handles at a time [4]")
    parser.add_argument("--jobs", type=int, default=1000, help="jobs of each round [1000]")
    parser.add_argument("--bytes", type=int, default=100_000, help="size of an image [100000]")
    parser.add_argument("--node", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(argv)
    if options.node:
        asyncio.run(node(options.url, options.workers))
        return 0
    print("| nodes | uploads a second | jobs a second | MB a second |\n|---|---|---|---|")
    for count in map(int, options.nodes.split(",")):
        uploads, ends = asyncio.run(measured(options.url, count, options.workers, options.jobs, options.bytes))
        print(f"| {count} | {uploads:.0f} | {ends:.0f} | {ends * options.bytes / 1e6:.1f} |", flush=True)
    return 0


async def measured(url: str, nodes: int, workers: int, jobs: int, size: int) -> tuple[float, float]:
    """Uploads a second with nobody reading, then jobs that end a second with so many nodes."""
    store = await PostgresStore.open(url)
    ended_before = (await store.counts())[JobState.DONE]
    begun = time.perf_counter()
    await asyncio.gather(*(upload(store, jobs // PRODUCERS, bytes(size)) for _ in range(PRODUCERS)))
    uploads = jobs // PRODUCERS * PRODUCERS / (time.perf_counter() - begun)
    running = started(url, nodes, workers)
    try:
        for process in running:
            assert process.stdout is not None
            await asyncio.to_thread(process.stdout.readline)
        begun = time.perf_counter()
        for process in running:
            assert process.stdin is not None
            process.stdin.close()  # the sign to begin
        wanted = ended_before + jobs // PRODUCERS * PRODUCERS
        while (await store.counts())[JobState.DONE] < wanted:  # noqa: ASYNC110 - other processes end them
            await asyncio.sleep(LOOK_SECONDS)
        ends = jobs // PRODUCERS * PRODUCERS / (time.perf_counter() - begun)
    finally:
        for process in running:
            process.kill()
            process.wait()
        await store.close()
    return uploads, ends


def started(url: str, nodes: int, workers: int) -> list[subprocess.Popen[str]]:
    """The nodes' processes; each writes a line when it could begin."""
    command = [sys.executable, "-m", "benchmarks", "cluster", "--node", "--url", url, "--workers", str(workers)]
    return [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(nodes)]


async def upload(store: PostgresStore, count: int, image: bytes) -> None:
    """As the API does it, one after the other."""
    info = ImageInfo(media_type="image/png", width=1, height=1, frames=1, size=len(image))
    for _ in range(count):
        now = clock.now()
        await store.add(Job(id=str(uuid.uuid4()), image=info, created_at=now, updated_at=now, due_at=now), image)


async def node(url: str, workers: int) -> None:
    """A worker node; begins when its standard input ends, and goes on until it is killed."""
    store = await PostgresStore.open(url)
    dispatcher = Dispatcher(store, Nothing(), RetryPolicy(max_attempts=3, base_seconds=1, max_seconds=1))
    async with PgQueue.opened(url, limit=sys.maxsize) as queue:
        print(READY, flush=True)
        await asyncio.to_thread(sys.stdin.read)
        await queue.run(dispatcher.handle, concurrency=workers)
