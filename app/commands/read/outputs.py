"""Where outputs are written: beside their places first, and into them once they are whole; or to stdout."""

import asyncio
import os
import re
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from app.commands.read.reading import CannotWrite, Draft
from persistence.upload import move_durably

PARTIAL = ".partial"
"""What the name of an output ends with that lacks pages: it is not there yet, as far as the next run goes."""
BETWEEN = {"text": b"\f", "layout": b"\f", "markdown": b"\n", "csv": b"\n", "json": b""}
"""What stands between two files in one stream, of formats whose files can follow each other: text is pages apart by
form feeds."""
PIECE_BYTES = 64 * 1024


class StdoutClosed(Exception):
    """Nobody reads it any more."""


def draft_of(target: Path) -> Path:
    """Where an output is written until it is whole, in the same folder; what a killed run left there is removed.

    Raises CannotWrite.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        for left in target.parent.glob(f".{_plain(target.name)}.*.draft"):
            process = re.search(r"\.(\d+)\.draft$", left.name)
            if process and not _lives(int(process[1])):
                left.unlink(missing_ok=True)
    except OSError as error:
        raise unwritable(target, error) from error
    return target.with_name(f".{target.name}.{os.getpid()}.draft")


def kept_of(target: Path) -> Path:
    """Where the pages of a file wait that has this as its first output."""
    return target.with_name(f".{target.name}.pages")


def put(draft: Path, target: Path, *, whole: bool) -> None:
    """Moves a draft to its place, or, where pages of it are lacking, beside it. Raises CannotWrite."""
    partial = target.with_name(target.name + PARTIAL)
    try:
        move_durably(draft, target if whole else partial)
        if whole:
            partial.unlink(missing_ok=True)
    except OSError as error:
        raise unwritable(target, error) from error


def discard(drafts: Sequence[Draft]) -> None:
    """Removes those that are still there."""
    for draft in drafts:
        with suppress(OSError):
            draft.path.unlink(missing_ok=True)


def unwritable(target: Path, error: OSError) -> CannotWrite:
    """The error, for people."""
    return CannotWrite(f"{target} cannot be written: {error.strerror or error}")


class Stdout:
    """Files one after the other, each whole."""

    def __init__(self, descriptor: int = 1) -> None:
        self._descriptor = descriptor
        self._begun = False

    async def send(self, file: Path, format_name: str) -> None:
        """Returns when all is written. Raises StdoutClosed or CannotWrite."""
        between = BETWEEN.get(format_name, b"") if self._begun else b""
        self._begun = True
        await _in_a_thread_that_nobody_waits_for(lambda: self._send(file, between))

    def _send(self, file: Path, between: bytes) -> None:
        with file.open("rb") as opened:
            piece = between or opened.read(PIECE_BYTES)
            while piece:
                try:
                    piece = piece[os.write(self._descriptor, piece) :] or opened.read(PIECE_BYTES)
                except BrokenPipeError:
                    raise StdoutClosed from None
                except OSError as error:
                    raise CannotWrite(f"stdout cannot be written: {error.strerror}") from error


async def _in_a_thread_that_nobody_waits_for(work: Callable[[], None]) -> None:
    # a pager that is not scrolled holds a write for ever: an interruption must not wait for it, as it would for
    # a thread of asyncio's
    loop, done = asyncio.get_running_loop(), asyncio.Event()
    failure: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:
            failure.append(error)
        with suppress(RuntimeError):  # the loop is gone
            loop.call_soon_threadsafe(done.set)

    threading.Thread(target=run, name="stdout", daemon=True).start()
    await done.wait()
    if failure:
        raise failure[0]


def _plain(name: str) -> str:
    return re.sub(r"([\[\]*?])", r"[\1]", name)


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
