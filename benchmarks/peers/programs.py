"""Other programs on the same images, each behind a small adapter. docs/benchmarks.md says how to add one."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Protocol

from benchmarks.report.measures import PeerPoint
from benchmarks.report.progress import Progress
from benchmarks.service.http_client import Client, form
from benchmarks.service.usage import resident

LOOP = Path(__file__).with_name("loop.py")
PEER_START_SECONDS = 120.0


class PeerFailed(Exception):
    """A peer that is installed did not start, or died."""


class RunningPeer(Protocol):
    """A peer that is ready."""

    pid: int
    """Of its root process."""

    async def read(self, image: Path) -> bool:
        """Reads one image; False where it failed on it. As many at once as it was started with workers."""


class Peer(Protocol):
    """Another program that reads images."""

    name: str
    scales: bool
    """May it be started with several workers?"""
    requires: str
    """A statement that succeeds where it is installed whole: parts of some packages import without the rest."""

    def start(self, python: Path, workers: int) -> AbstractAsyncContextManager[RunningPeer]:
        """The peer, ready; ended when left. Raises PeerFailed."""


class PlainLoop:
    """The engine as it comes, one process, one image after the other."""

    scales = False

    def __init__(self, module: str) -> None:
        self.name = f"{module}, plain loop"
        self.requires = f"from {module} import RapidOCR"
        self._module = module

    @asynccontextmanager
    async def start(self, python: Path, workers: int) -> AsyncIterator[RunningPeer]:
        """See Peer."""
        async with _process(
            [str(python), str(LOOP), self._module], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as process:
            loop = _RunningLoop(process)
            await loop.answer()
            yield loop


class _RunningLoop:
    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.pid = process.pid
        self._process = process

    async def read(self, image: Path) -> bool:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{image}\n".encode())
        return await self.answer() == "ok"

    async def answer(self) -> str:
        assert self._process.stdout is not None
        line = await self._process.stdout.readline()
        if not line:
            raise PeerFailed("the engine's process died")
        return line.decode().strip()


class RapidOcrApi:
    """`rapidocr_api`: FastAPI around RapidOCR, one engine for each of uvicorn's workers."""

    name = "rapidocr_api"
    requires = "import fastapi, rapidocr_api, uvicorn; from rapidocr import RapidOCR"
    scales = True

    @asynccontextmanager
    async def start(self, python: Path, workers: int) -> AsyncIterator[RunningPeer]:
        """See Peer."""
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        program = [str(python), "-m", "rapidocr_api.main", "-ip", "127.0.0.1", "-p", str(port), "-workers"]
        async with (
            _process([*program, str(workers)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as process,
            Client(f"http://127.0.0.1:{port}") as http,
        ):
            await _until_it_answers(http, process)
            yield _RunningApi(process.pid, http)


class _RunningApi:
    def __init__(self, pid: int, http: Client) -> None:
        self.pid = pid
        self._http = http

    async def read(self, image: Path) -> bool:
        body, content_type = form(_data(image), "image_file")
        return (await self._http.post("/ocr", body, content_type)).status == 200


PEERS: Sequence[Peer] = (PlainLoop("rapidocr_onnxruntime"), PlainLoop("rapidocr"), RapidOcrApi())


def _data(image: Path) -> bytes:
    return image.read_bytes()


async def measure(
    images: Sequence[Path], workers: Sequence[int], other_python: Path | None, progress: Progress
) -> list[PeerPoint]:
    """Every peer that our Python, or else the other one, can run. One that fails is left out, with a word on stderr."""
    points = []
    for peer in PEERS:
        python = next(
            (python for python in (Path(sys.executable), other_python) if python and _runs(python, peer)), None
        )
        if python is None:
            continue
        for count in workers if peer.scales else [1]:
            progress.step(f"{peer.name} with {count}", len(images))
            try:
                async with peer.start(python, count) as running:
                    points.append(await _read_all(peer.name, running, images, count, progress.advance))
            except (PeerFailed, OSError, EOFError) as error:
                progress.end()
                print(f"without {peer.name}: {error}", file=sys.stderr)
    return points


async def _read_all(
    name: str, peer: RunningPeer, images: Sequence[Path], workers: int, on_image: Callable[[], None]
) -> PeerPoint:
    errors = 0
    todo = iter(images)

    async def read_on() -> None:
        nonlocal errors
        for image in todo:
            errors += not await peer.read(image)
            on_image()

    for _ in range(workers):  # untimed: models load with the first image
        await peer.read(images[0])
    begun = time.monotonic()
    # one more than there are workers keeps a server busy; a plain loop takes one image at a time
    clients = workers + 1 if workers > 1 else 1
    await asyncio.gather(*(read_on() for _ in range(clients)))
    return PeerPoint(
        peer=name,
        workers=workers,
        images=len(images),
        rate=len(images) / (time.monotonic() - begun),
        resident=resident(peer.pid),
        errors=errors,
    )


def _runs(python: Path, peer: Peer) -> bool:
    """Can that Python import the peer? A child asks: what is imported here would be measured here."""
    done = subprocess.run([python, "-c", peer.requires], capture_output=True, check=False)
    return done.returncode == 0


@asynccontextmanager
async def _process(program: list[str], *, stdin: int, stdout: int) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        *program, stdin=stdin, stdout=stdout, stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)  # its workers, too
        await process.wait()


async def _until_it_answers(http: Client, process: asyncio.subprocess.Process) -> None:
    try:
        async with asyncio.timeout(PEER_START_SECONDS):
            while process.returncode is None:
                try:
                    await http.get("/")
                except (ConnectionError, EOFError):
                    await asyncio.sleep(0.2)
                else:
                    return
    except TimeoutError:
        raise PeerFailed(f"it did not answer within {PEER_START_SECONDS:g} s") from None
    raise PeerFailed("it ended before it answered")
