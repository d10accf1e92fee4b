"""Pages that were read, in a file: memory does not grow with a document, and the next run goes on where one ended."""

import errno
import fcntl
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

import msgspec
from msgspec import Struct

from ocr_engine.result import OcrPage
from ocr_engine.searchable.order import PagesInFile


class Origin(Struct, frozen=True, kw_only=True):
    """What the pages were read of, and how: those of another origin are no use. The first line of the file."""

    version: str
    size: int
    modified: int
    """Nanoseconds."""
    asked: str
    """Whatever changes what is read; no secret."""


class _Numbered(Struct):
    number: int


class KeptPages:
    """The pages of one document by their numbers."""

    def __init__(self, path: Path, file: BinaryIO, begins: dict[int, int]) -> None:
        self._path = path
        self._file = file
        self._begins = begins
        """Where each page's line begins."""

    def __contains__(self, number: int) -> bool:
        return number in self._begins

    def __len__(self) -> int:
        return len(self._begins)

    def add(self, page: OcrPage) -> None:
        """Keeps it. Raises OSError."""
        begin = self._file.seek(0, os.SEEK_END)
        self._file.write(msgspec.json.encode(page) + b"\n")
        self._file.flush()
        self._begins[page.number] = begin

    def of(self, numbers: Iterable[int]) -> PagesInFile:
        """Those of these pages that are kept, in this order."""
        return PagesInFile(self._path, tuple(self._begins[number] for number in numbers if number in self._begins))


@contextmanager
def kept_pages(path: Path, origin: Origin) -> Iterator[KeptPages]:
    """What an earlier run has left there of the same origin, and what comes to it; a file without pages is removed.

    Beside a run that has the file open, in one that this process alone knows. Raises OSError.
    """
    with _opened(path) as (own, file):
        pages = KeptPages(own, file, _begins(file, origin))
        try:
            yield pages
        finally:
            if not len(pages):
                own.unlink(missing_ok=True)


def forget(path: Path) -> None:
    """Removes what is kept there, unless another run is at it."""
    with suppress(OSError), path.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        path.unlink()


@contextmanager
def _opened(path: Path) -> Iterator[tuple[Path, BinaryIO]]:
    for own in (path, path.with_name(f"{path.name}.{os.getpid()}")):
        with own.open("a+b") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            except OSError as error:
                if error.errno not in (errno.ENOTSUP, errno.ENOLCK, errno.ENOSYS):
                    raise  # where files cannot be locked, nobody is asked
            try:
                yield own, file
            finally:
                if own != path:
                    own.unlink(missing_ok=True)
            return


def _begins(file: BinaryIO, origin: Origin) -> dict[int, int]:
    """Of the pages in the file, which begins with their origin from then on; a line that was cut off is dropped."""
    head = msgspec.json.encode(origin) + b"\n"
    file.seek(0)
    begins = dict[int, int]()
    if file.readline() == head:
        at = len(head)
        for line in file:
            try:
                number = msgspec.json.decode(line, type=_Numbered).number if line.endswith(b"\n") else 0
            except msgspec.MsgspecError:
                number = 0
            if not number:
                break
            begins[number] = at
            at += len(line)
        file.truncate(at)
    else:
        file.truncate(0)
        file.write(head)
        file.flush()
    return begins
