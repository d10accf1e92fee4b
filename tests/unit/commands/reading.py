"""Runs of `python -m app read` in the test's own process, on a pool whose answers the test decides."""

import argparse
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from app.commands.read.arguments import Order, configure
from app.commands.read.command import Readers, run
from app.commands.read.here import ReaderHere
from app.commands.read.outputs import Stdout
from app.commands.read.plan import Item
from app.commands.read.readers import options_of
from app.commands.read.reading import FileReader
from config.settings import Settings
from ocr_engine.result import OcrResult
from tests.scripted_pool import ScriptedPool, text_result

PNG = b"\x89PNG\r\n\x1a\n"


def picture(path: Path, text: str) -> Path:
    """What passes for a PNG in a folder, and which EchoPool reads as the text."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(PNG + text.encode())
    return path


def echo(image: bytes) -> OcrResult:
    """What `picture` wrote."""
    return text_result(image.removeprefix(PNG).decode())


def on(pool: ScriptedPool, when_ready: Callable[[], None] = lambda: None) -> Readers:
    """Reads by the pool; `when_ready` is called once it is."""

    @asynccontextmanager
    async def readers(order: Order, items: Sequence[Item]) -> AsyncIterator[FileReader]:
        when_ready()
        yield ReaderHere(pool, order.asked, options_of(order.asked, Settings()), workers=2, max_attempts=3)

    return readers


def read(*arguments: object, readers: Readers | None = None, stdout: Stdout | None = None) -> int:
    """The exit code."""
    parser = argparse.ArgumentParser()
    configure(parser)
    options = parser.parse_args([str(argument) for argument in arguments])
    return run(options, readers or on(ScriptedPool(default=echo)), stdout)
