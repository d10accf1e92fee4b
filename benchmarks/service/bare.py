"""Plain processes with a bare engine each, on the same images as the service: the ceiling that the CPUs set.

The parent hands each process its next image when it is through with the last, as the service does, and does nothing
else.
"""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from ocr_engine.engine import Engine
from ocr_engine.options import EngineOptions


class CeilingFailed(Exception):
    """A bare engine did not start, or died."""


class BareEngines:
    """N processes that read images."""

    def __init__(self, processes: Sequence[asyncio.subprocess.Process]) -> None:
        self._processes = processes

    async def read(self, images: Sequence[Path], on_image: Callable[[], None] = lambda: None) -> float:
        """Seconds until every image was read. Raises CeilingFailed."""
        return (await self.read_within(images, float("inf"), on_image))[1]

    async def read_within(
        self, images: Sequence[Path], seconds: float, on_image: Callable[[], None] = lambda: None
    ) -> tuple[int, float]:
        """How many were read when the time was up (images begun are finished), and the seconds that it took."""
        todo, begun, read = iter(images), time.monotonic(), 0

        async def hand_out(process: asyncio.subprocess.Process) -> None:
            nonlocal read
            while time.monotonic() - begun < seconds and (image := next(todo, None)) is not None:
                assert process.stdin is not None
                process.stdin.write(f"{image}\n".encode())
                await _line(process)
                read += 1
                on_image()

        async with asyncio.TaskGroup() as group:
            for process in self._processes:
                group.create_task(hand_out(process))
        return read, time.monotonic() - begun


@asynccontextmanager
async def bare_engines(number: int, options: EngineOptions, warm_up: Path) -> AsyncIterator[BareEngines]:
    """So many, each of which has read the warm-up image. Raises CeilingFailed."""
    processes: list[asyncio.subprocess.Process] = []
    try:
        for _ in range(number):
            processes.append(  # noqa: PERF401 - those that did start must be ended
                await asyncio.create_subprocess_exec(
                    sys.executable,
                    "-m",
                    "benchmarks.service.bare",
                    msgspec.json.encode(options).decode(),
                    cwd=Path(__file__).parents[2],
                    stdin=asyncio.subprocess.PIPE,
                    stdout=asyncio.subprocess.PIPE,
                    start_new_session=True,
                )
            )
        engines = BareEngines(processes)
        for process in processes:
            await BareEngines([process]).read([warm_up])
        yield engines
    finally:
        for process in processes:
            if process.returncode is None:
                process.kill()
            await process.wait()


async def _line(process: asyncio.subprocess.Process) -> None:
    assert process.stdout is not None
    if not await process.stdout.readline():
        raise CeilingFailed("a bare engine died; its last words stand above")


def serve(options: EngineOptions) -> None:
    """The child: reads images until there are no more."""
    engine = Engine(options)
    for line in sys.stdin:
        engine.recognise(Path(line.rstrip("\n")).read_bytes())
        print(flush=True)


if __name__ == "__main__":
    serve(msgspec.json.decode(sys.argv[1], type=EngineOptions))
