"""A received file on its way into a store: small ones in memory, larger ones in a file of its staging folder."""

import os
from pathlib import Path

from msgspec import Struct

IN_MEMORY_BYTES = 1_000_000
"""Files up to this size are passed on and stored as bytes in a row of the database; larger ones are streamed.

Measured on SQLite: a row of 200 MB takes 2.6 s, 764 MB of memory and holds every other write for 1 to 2 s; as a file
beside the database 0.3 s, no memory and 4 ms.
"""
CHUNK_BYTES = 1 << 20
"""What is read, written or sent at a time of a file that is streamed."""


class Upload(Struct, frozen=True, kw_only=True):
    """All that a store keeps of what a client sent, until the job is through with it."""

    size: int
    data: bytes = b""
    """The whole file, where `file` is None."""
    file: Path | None = None
    """The whole file; whoever stores it may move it away."""
    password: str = ""
    """Opens an encrypted document. Kept beside the file and forgotten with it. No repr shows it."""

    def __repr__(self) -> str:
        """What it is, not what is in it."""
        return f"{type(self).__name__}(size={self.size}, file={self.file})"

    def in_one_place(self) -> "Upload":
        """The same; one that is small enough for a row in memory, though it was gathered in a file. Raises OSError."""
        if self.file is None or self.size > IN_MEMORY_BYTES:
            return self
        return Upload(size=self.size, data=self.file.read_bytes(), password=self.password)

    @classmethod
    def of(cls, data: bytes) -> "Upload":
        """An upload that is held in memory."""
        return cls(size=len(data), data=data)


class StoredFile(Struct, frozen=True, kw_only=True):
    """An upload as a store hands it out again."""

    path: Path
    """Not to be written to."""
    password: str = ""

    def __repr__(self) -> str:
        """Without the secret."""
        return f"{type(self).__name__}(path={self.path})"


def make_durable(file: Path) -> None:
    """Returns when the bytes of a file are on the disk. Raises OSError."""
    _synced(file, os.O_RDONLY)


def move_durably(source: Path, target: Path) -> None:
    """Moves a file within its file system; on the disk under its new name when this returns. Raises OSError."""
    make_durable(source)
    os.rename(source, target)
    # the name is the folder's: without this a loss of power may forget it, whatever became of the bytes
    _synced(target.parent, os.O_RDONLY | os.O_DIRECTORY)


def _synced(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
