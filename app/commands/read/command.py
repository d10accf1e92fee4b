"""`python -m app read`: finds files, has them read, puts what was read where it belongs, and exits with what failed."""

import argparse
import asyncio
import os
import shutil
import signal
import stat
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from enum import IntEnum
from pathlib import Path

from app.commands.read.arguments import JOINABLE, STDIN, BadArguments, Order, order_of
from app.commands.read.kept import forget
from app.commands.read.lanes import in_lanes
from app.commands.read.outputs import Stdout, StdoutClosed, discard, draft_of, kept_of, put
from app.commands.read.plan import Item, Target, found, planned
from app.commands.read.progress import Progress
from app.commands.read.readers import reader_of
from app.commands.read.reading import CannotGoOn, CannotWrite, Draft, FileReader, Unreadable


class Exit(IntEnum):
    """What the command's exit code says; see `arguments.EPILOG`."""

    READ = 0
    SOME_FAILED = 1
    BAD_ARGUMENTS = 2
    CANNOT_GO_ON = 3
    CANNOT_WRITE = 4
    INTERRUPTED = 128 + signal.SIGINT
    STDOUT_CLOSED = 128 + signal.SIGPIPE
    TERMINATED = 128 + signal.SIGTERM


Readers = Callable[[Order, Sequence[Item]], AbstractAsyncContextManager[FileReader]]
"""Who reads these files; not asked where there are none. Raises BadArguments for what the order cannot have."""


def run(options: argparse.Namespace, readers: Readers | None = None, stdout: Stdout | None = None) -> int:
    """Does what the parsed arguments ask for; gives the exit code. `readers` stands in for the real ones in tests."""
    try:
        order = order_of(options)
        with tempfile.TemporaryDirectory(prefix="smart-queue-ocr-", ignore_cleanup_errors=True) as scratch:
            files = [*found(order.sources, _spooled(order.sources, Path(scratch)), order.output)]
            _joinable(order, len(files))
            items = planned(files, order.formats, order.output)
            run = Run(order, items, Path(scratch), stdout or Stdout())
            return asyncio.run(run.ended(readers or reader_of))
    except BadArguments as error:
        print(f"smart-queue-ocr: {error}", file=sys.stderr)
        return Exit.BAD_ARGUMENTS
    except KeyboardInterrupt:
        return Exit.INTERRUPTED


class Run:
    """One run over these files."""

    def __init__(self, order: Order, items: Sequence[Item], scratch: Path, stdout: Stdout) -> None:
        self._order = order
        self._items = items
        self._scratch = scratch
        self._stdout = stdout
        self._progress = Progress(len(items), quiet=order.quiet)
        self._whole: dict[int, Draft | None] = {}
        """What goes to stdout and waits for its turn, by the place of its file; None: nothing could be read."""
        self._next = 0
        self._sending = asyncio.Lock()

    async def ended(self, readers: Readers) -> Exit:
        """Reads all, and gives the exit code. Raises BadArguments."""
        task = asyncio.current_task()
        assert task is not None
        terminated: list[bool] = []

        def terminate() -> None:
            terminated.append(True)
            task.cancel()

        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, terminate)
        try:
            await self._all(readers)
        except CannotGoOn as error:
            self._progress.complain(str(error))
            return Exit.CANNOT_GO_ON
        except CannotWrite as error:
            self._progress.complain(str(error))
            return Exit.CANNOT_WRITE
        except StdoutClosed:
            return Exit.STDOUT_CLOSED
        except asyncio.CancelledError:
            if not terminated:
                raise
            return Exit.TERMINATED
        finally:
            self._progress.finish()
        return Exit.SOME_FAILED if self._progress.failed else Exit.READ

    async def _all(self, readers: Readers) -> None:
        left = list[tuple[int, Item]]()
        for place, item in enumerate(self._items):
            if not self._lacking(item):
                self._progress.ended(item.name, "there")
            elif why := _fault(item.source):
                await self._failed(place, item, why)
            else:
                left.append((place, item))
        if not left:
            return
        async with readers(self._order, [item for _, item in left]) as reader:
            waiting = iter(left)

            async def lane() -> None:
                for place, item in waiting:
                    await self._one(reader, place, item)

            await in_lanes(min(reader.at_once, len(left)), lane)

    async def _one(self, reader: FileReader, place: int, item: Item) -> None:
        targets = self._lacking(item)
        drafts = [self._draft(place, item, target) for target in targets]
        sent = False
        try:
            lacking = await reader.read(
                item.source, item.name, drafts, lambda done, total: self._progress.told(item.name, done, total)
            )
            for why in lacking:
                self._progress.complain(f"{item.name}: {why}")
            if self._order.output is None:
                sent = True
                await self._send(place, drafts[0])
            else:
                await asyncio.to_thread(_put_all, drafts, targets, whole=not lacking)
            self._progress.ended(item.name, "failed" if lacking else "read")
        except Unreadable as error:
            await self._failed(place, item, str(error))
        finally:
            if not sent:
                discard(drafts)

    async def _failed(self, place: int, item: Item, why: str) -> None:
        self._progress.complain(f"{item.name}: {why}")
        self._progress.ended(item.name, "failed")
        if self._order.output is None:
            await self._send(place, None)

    async def _send(self, place: int, draft: Draft | None) -> None:
        """In the order of the files, whichever is read first."""
        self._whole[place] = draft
        async with self._sending:
            while self._next in self._whole:
                ready = self._whole.pop(self._next)
                self._next += 1
                if ready is not None:
                    self._progress.hide()
                    await self._stdout.send(ready.path, ready.format.name)
                    discard([ready])

    def _lacking(self, item: Item) -> list[Target]:
        """Its outputs that are not there."""
        return [each for each in item.targets if self._order.force or each.path is None or not each.path.exists()]

    def _draft(self, place: int, item: Item, target: Target) -> Draft:
        if target.path is None:
            return Draft(format=target.format, path=self._scratch / f"{place}")
        first = item.targets[0].path
        return Draft(format=target.format, path=draft_of(target.path), kept=kept_of(first) if first else None)


def _put_all(drafts: Sequence[Draft], targets: Sequence[Target], *, whole: bool) -> None:
    for draft, target in zip(drafts, targets, strict=True):
        assert target.path is not None
        put(draft.path, target.path, whole=whole)
    for draft in drafts:
        if whole and draft.kept is not None:
            forget(draft.kept)


def _spooled(sources: Sequence[str], scratch: Path) -> dict[str, Path]:
    """Files with what comes through stdin and pipes, which can be read once only; by their names.

    Before the event loop runs: a thread that waits for more could not be ended.
    """
    spooled = dict[str, Path]()
    for number, source in enumerate(sources):
        if source != STDIN and not _is_a_stream(source):
            continue
        spooled[source] = scratch / f"stream-{number}"
        with spooled[source].open("wb") as file:
            if source == STDIN:
                shutil.copyfileobj(sys.stdin.buffer, file)
            else:
                with open(source, "rb") as stream:
                    shutil.copyfileobj(stream, file)
    return spooled


def _is_a_stream(source: str) -> bool:
    try:
        mode = os.stat(source).st_mode
    except OSError:
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISCHR(mode) or stat.S_ISSOCK(mode)


def _fault(source: Path) -> str:
    """Why it cannot be opened, so that no worker has to be started for that; else empty."""
    try:
        with source.open("rb"):
            return ""
    except OSError as error:
        return error.strerror or str(error)


def _joinable(order: Order, files: int) -> None:
    name = order.formats[0].name
    if order.output is None and files > 1 and name not in JOINABLE:
        raise BadArguments(f"{files} files as {name} cannot follow each other on stdout: say --output")
