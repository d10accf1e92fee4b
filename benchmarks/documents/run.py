"""`python -m benchmarks documents`: scanned pages as one PDF and as single images, by one worker and by several.

Speed by rounds in turn, so that what else the machine does falls on all alike; memory of one worker over a long file at
its tenth page and at its last; how long a page waits behind long files, by the service as it runs; and beside it what
people run today on the same file, where it is installed.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import msgspec
from msgspec import Struct

from benchmarks.documents import waits
from benchmarks.documents.draw import draw_scan, write_pdf
from benchmarks.documents.peers import PEERS, PeerFigures, word_f1
from benchmarks.documents.waits import Waits
from benchmarks.report.progress import Progress
from ocr_engine.options import EngineOptions, ReadOptions
from ocr_engine.workers.process_pool import ProcessOcrPool
from samples import sample

LINES, FEW_LINES = 44, 3
"""Of print on a page: as on a letter's; and as little as matters to memory, which long files are measured with."""
EARLY = 10
"""The page at which a worker's memory is first looked at."""
START_TIMEOUT, PAGE_TIMEOUT = 120.0, 600.0
PARTS = ("speed", "memory", "waits")
"""Of the benchmark; `speed` is ours and that of others."""


class Round(Struct, frozen=True, kw_only=True):
    """All pages once."""

    what: str
    """`pdf` or `images`."""
    workers: int
    pages: int
    seconds: float
    drawing: float
    """Seconds of a page on average until its pixels were there."""
    f1: float
    """Of the words."""


class WorkerMemory(Struct, frozen=True, kw_only=True):
    """One worker over a long file; bytes resident at most."""

    pages: int
    early: int
    late: int


class DocumentFigures(Struct, frozen=True, kw_only=True):
    """All that was measured."""

    rounds: tuple[Round, ...] = ()
    memory: WorkerMemory | None = None
    peers: tuple[PeerFigures, ...] = ()
    waits: tuple[Waits, ...] = ()


def main(argv: Sequence[str]) -> int:
    """Measures and prints; 0."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks documents", description=__doc__)
    parser.add_argument("--pages", type=int, default=100, help="of the file that is read for its speed")
    parser.add_argument("--workers", type=int, default=2, help="against one")
    parser.add_argument("--long", type=int, default=300, help="pages of the file that is read for its memory")
    parser.add_argument("--waits", type=int, default=40, help="pages that come in behind long files; 0: none")
    parser.add_argument("--nodes", type=int, default=1, help="that share the workers while pages wait; 2: a cluster")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--no-peers", action="store_true")
    parser.add_argument("--only", choices=PARTS, help="this part of it alone")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here as well")
    arguments = parser.parse_args(argv)
    progress = Progress()
    figures = asyncio.run(_measure(arguments, progress))
    progress.end()
    print(table(figures))
    if arguments.json:
        arguments.json.write_bytes(msgspec.json.format(msgspec.json.encode(figures)))
    return 0


async def _measure(arguments: argparse.Namespace, progress: Progress) -> DocumentFigures:
    parts = PARTS if arguments.only is None else (arguments.only,)
    with tempfile.TemporaryDirectory(prefix="ocr-benchmark-") as name:
        folder = Path(name)
        rounds, peers = await _speed(folder, arguments, progress) if "speed" in parts else ([], [])
        memory = await _memory(folder, arguments.long, progress) if "memory" in parts else None
        waited = await _waits(folder, arguments, progress) if "waits" in parts and arguments.waits else []
    return DocumentFigures(rounds=tuple(rounds), memory=memory, peers=tuple(peers), waits=tuple(waited))


async def _speed(
    folder: Path, arguments: argparse.Namespace, progress: Progress
) -> tuple[list[Round], list[PeerFigures]]:
    progress.step(f"drawing {arguments.pages} pages", arguments.pages)
    scans, images = [], []
    for number in range(arguments.pages):
        scans.append(draw_scan(number, LINES))
        images.append(folder / f"{number:04}.jpg")
        images[-1].write_bytes(scans[-1].jpeg)
        progress.advance()
    document, texts = folder / "scans.pdf", [scan.text for scan in scans]
    write_pdf(document, [scan.jpeg for scan in scans], arguments.pages)
    rounds = await _rounds(arguments, document, images, texts, progress)
    peers = [] if arguments.no_peers else [peer(document, texts, progress) for peer in PEERS]
    return rounds, [peer for peer in peers if peer]


async def _waits(folder: Path, arguments: argparse.Namespace, progress: Progress) -> list[Waits]:
    return await waits.measured(
        folder,
        pages=arguments.long,
        nodes=arguments.nodes,
        workers=arguments.workers,
        jobs=arguments.waits,
        lines=FEW_LINES,
        progress=progress,
    )


async def _rounds(
    arguments: argparse.Namespace, document: Path, images: list[Path], texts: list[str], progress: Progress
) -> list[Round]:
    found = []
    for count in dict.fromkeys((1, arguments.workers)):
        async with AsyncExitStack() as stack:
            pool = await _pool(count, stack)
            for _ in range(arguments.rounds):
                for what in ("pdf", "images"):
                    units = (
                        [(document, number) for number in range(1, len(images) + 1)]
                        if what == "pdf"
                        else [(image, 1) for image in images]
                    )
                    progress.step(f"{len(units)} pages as {what} by {count}", len(units))
                    found.append(await _round(pool, what, count, units, texts, progress))
    return found


async def _round(
    pool: ProcessOcrPool, what: str, workers: int, units: list[tuple[Path, int]], texts: list[str], progress: Progress
) -> Round:
    waiting = iter(enumerate(units))
    read, drawing = [""] * len(units), 0.0

    async def work() -> None:
        nonlocal drawing
        for index, (file, number) in waiting:
            result = await pool.read_page(file, number, ReadOptions())
            read[index] = result.text
            drawing += result.timings.decode
            progress.advance()

    begun = time.perf_counter()
    await asyncio.gather(*(work() for _ in range(workers)))
    seconds = time.perf_counter() - begun
    pool.forget(units[0][0])
    return Round(
        what=what,
        workers=workers,
        pages=len(units),
        seconds=seconds,
        drawing=drawing / len(units),
        f1=word_f1(texts, read),
    )


async def _memory(folder: Path, pages: int, progress: Progress) -> WorkerMemory:
    long = folder / "long.pdf"
    write_pdf(long, [draw_scan(number, FEW_LINES).jpeg for number in range(20)], pages)
    progress.step(f"memory: {pages} pages by one worker", pages)
    early = 0
    async with AsyncExitStack() as stack:
        pool = await _pool(1, stack)
        (pid,) = [worker.pid for worker in pool.workers()]
        for number in range(1, pages + 1):
            await pool.read_page(long, number, ReadOptions())
            if number == min(EARLY, pages):
                early = peak_of(pid)
            progress.advance()
        return WorkerMemory(pages=pages, early=early, late=peak_of(pid))


async def _pool(workers: int, stack: AsyncExitStack) -> ProcessOcrPool:
    pool = ProcessOcrPool(
        EngineOptions(),
        workers=workers,
        warm_up=sample("health").data,
        job_timeout=PAGE_TIMEOUT,
        start_timeout=START_TIMEOUT,
    )
    stack.push_async_callback(pool.close)
    await pool.start()
    return pool


def peak_of(pid: int | None) -> int:
    """Bytes that the process had resident at most."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))


def table(figures: DocumentFigures) -> str:
    """The figures for people."""
    parts = (
        speed_table(figures) if figures.rounds else "",
        memory_line(figures.memory) if figures.memory else "",
        waits.table(figures.waits) if figures.waits else "",
    )
    return "\n\n".join(filter(None, parts))


def speed_table(figures: DocumentFigures) -> str:
    """Ours, and those of others."""
    rows = [f"{'':26}{'workers':>8}{'pages':>7}{'pages/s':>9}{'drawing s':>11}{'word F1':>9}"]
    rows += [
        f"{each.what:26}{each.workers:8}{each.pages:7}{each.pages / each.seconds:9.3f}{each.drawing:11.3f}"
        f"{each.f1:9.4f}"
        for each in figures.rounds
    ]
    rows += [
        f"{each.name:26}{each.jobs:8}{each.pages:7}{each.pages / each.seconds:9.3f}{'':11}{each.f1:9.4f}"
        for each in figures.peers
    ]
    return "\n".join(rows)


def memory_line(memory: WorkerMemory) -> str:
    """What a worker took."""
    return (
        f"A worker's peak over {memory.pages} pages: {memory.early / 1e6:.0f} MB at page {EARLY}, "
        f"{memory.late / 1e6:.0f} MB at the last"
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
