"""ZIPs from strangers: what is in them, and its files unpacked, within limits that no lie of theirs moves.

Python's zipfile reads the directory, whose size is bounded before it is read; names are labels only. An entry gives at
most as many bytes as the directory says, so that their sum, which is judged first, bounds all that is written.
"""

import io
import struct
import threading
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from msgspec import Struct

from app.batches.names import clean_name, is_skipped
from app.batches.refusals import ArchiveTooLarge, BadArchive, BatchTooLarge, EmptyFile, LockedEntry, TooManyFiles

MAGIC = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
"""How ZIPs begin: with a file, empty, or split."""
DIRECTORY_BYTES_PER_FILE = 1024
"""Room in the directory for each file that there may be: usual entries have 100 to 200 bytes."""
MAX_INFLATION = 200
"""Bytes of files for each byte of the ZIP; deflate itself stops at 1030. A page of text saved as BMP has some 50."""
FREE_INFLATED_BYTES = 64_000_000
"""So much may be in a ZIP however tightly it is packed: an empty page that was scanned packs as tightly as any bomb."""
INFLATED_AT_ONCE = 256 * 1024
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""Others unpack a small piece to gigabytes at one go."""
_OFFICE = {"[Content_Types].xml", "mimetype", "META-INF/MANIFEST.MF"}
"""What tells documents and programs that are ZIPs inside."""
_FAULTS = (
    *(zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, struct.error, EOFError),
    *(NotImplementedError, ValueError, RuntimeError, OverflowError, KeyError),
)
"""What zipfile raises at files that are not as they should be; NotImplementedError at methods that it does not know."""


class ArchiveLimits(Struct, frozen=True, kw_only=True):
    """Files, bytes of one of them, and bytes of all."""

    max_files: int
    max_file_bytes: int
    max_bytes: int


class Unpacked(Struct, frozen=True, kw_only=True):
    """A file of a ZIP: where it is now, or why it is not."""

    name: str
    file: Path | None = None
    size: int = 0
    error: Exception | None = None


class _LeadsOut(zipfile.BadZipFile, OSError):
    """OSError is what zipfile expects where it looks for what only long ZIPs have, in one without files."""


class _Bounded(io.FileIO):
    """A file of which no more is read at a time than a directory may have."""

    def __init__(self, path: Path, max_read: int, refused: Exception) -> None:
        super().__init__(path, "rb")
        self._max_read = max_read
        self._refused = refused
        self._size = path.stat().st_size

    def read(self, size: int | None = -1, /) -> bytes:
        """Raises what was given for it."""
        left = self._size - self.tell()
        wanted = left if size is None or size < 0 else min(size, left)
        if wanted > self._max_read:
            raise self._refused
        return super().read(max(0, wanted)) or b""

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Raises BadZipFile for a place before the beginning, or beyond all files."""
        try:
            return super().seek(offset, whence)
        except OSError:
            raise _LeadsOut("an offset leads out of it") from None


class Archive:
    """A ZIP whose directory was read and found within the limits. Its methods belong in a thread."""

    def __init__(self, path: Path, limits: ArchiveLimits) -> None:
        """Raises TooManyFiles, ArchiveTooLarge, BadArchive, OSError."""
        self._limits = limits
        room = max(1 << 17, limits.max_files * DIRECTORY_BYTES_PER_FILE)
        file = _Bounded(path, room, TooManyFiles(limits.max_files))
        try:
            self._zip = zipfile.ZipFile(file)
            self._entries = [entry for entry in self._zip.infolist() if not is_skipped(entry.filename)]
            self._require_fair(path.stat().st_size)
        except _FAULTS as error:
            file.close()
            raise BadArchive(f"the ZIP cannot be read: {_in_words(error)}") from None
        except BaseException:
            file.close()
            raise
        self._file = file

    @property
    def size(self) -> int:
        """Bytes that its files have, as they are declared; unpacked they are no more."""
        return sum(entry.file_size for entry in self._entries if _refusal(entry, self._limits) is None)

    def unpack(self, folder: Path, stop: threading.Event) -> Sequence[Unpacked]:
        """Its files, each in a file of the folder, in the order of the directory. Ends early once `stop` is set.

        Raises OSError where the folder cannot be written.
        """
        unpacked = []
        for number, entry in enumerate(self._entries, 1):
            if stop.is_set():
                break
            unpacked.append(self._unpack(entry, folder / f"{folder.name}-{number}", stop))
        return unpacked

    def close(self) -> None:
        """Twice is harmless."""
        self._zip.close()
        self._file.close()

    def _require_fair(self, size: int) -> None:
        limits, declared = self._limits, sum(entry.file_size for entry in self._entries)
        if len(self._entries) > limits.max_files:
            raise TooManyFiles(limits.max_files)
        if {entry.filename for entry in self._entries} & _OFFICE:
            raise BadArchive("this is a document or program that is a ZIP inside; save it as PDF")
        if declared > limits.max_bytes:
            raise ArchiveTooLarge(f"unpacked it has {declared} bytes; a batch may have {limits.max_bytes}")
        if declared > max(FREE_INFLATED_BYTES, MAX_INFLATION * size):
            raise ArchiveTooLarge(f"unpacked it is more than {MAX_INFLATION} times as large")
        if sum(entry.compress_size for entry in self._entries) > size:
            raise BadArchive("the ZIP cannot be read: its files lie one upon the other")

    def _unpack(self, entry: zipfile.ZipInfo, target: Path, stop: threading.Event) -> Unpacked:
        name = clean_name(entry.filename)
        if error := _refusal(entry, self._limits):
            return Unpacked(name=name, error=error)
        try:
            with self._zip.open(entry) as packed:
                beginning = packed.read(INFLATED_AT_ONCE)
                if beginning.startswith(MAGIC):
                    return Unpacked(name=name, error=BadArchive("a ZIP in a ZIP is not unpacked"))
                with target.open("wb") as file:
                    size = _copied(beginning, packed, file, stop)
        except _FAULTS as error:
            target.unlink(missing_ok=True)
            return Unpacked(name=name, error=BadArchive(f"it cannot be unpacked: {_in_words(error)}"))
        return Unpacked(name=name, file=target, size=size)


def _copied(beginning: bytes, packed: IO[bytes], file: IO[bytes], stop: threading.Event) -> int:
    size, piece = 0, beginning
    while piece and not stop.is_set():
        file.write(piece)
        size += len(piece)
        piece = packed.read(INFLATED_AT_ONCE)
    return size


def _refusal(entry: zipfile.ZipInfo, limits: ArchiveLimits) -> Exception | None:
    """Why an entry is not even tried."""
    if entry.flag_bits & 0x41:  # encrypted, by the old or the strong way
        return LockedEntry("it is encrypted in the ZIP; send it without encryption")
    if not entry.file_size:
        return EmptyFile("the file is empty")
    if entry.file_size > limits.max_file_bytes:
        return BatchTooLarge(f"a file may have at most {limits.max_file_bytes} bytes")
    if entry.compress_type not in _METHODS:
        return BadArchive("it is packed by another method than deflate")
    return None


def _in_words(error: BaseException) -> str:
    return str(error).partition(chr(10))[0][:200] or type(error).__name__
