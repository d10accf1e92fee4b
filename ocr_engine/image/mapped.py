"""A file's bytes without its memory: mapped, so that only what is looked at is read."""

import mmap
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class MappedFile(mmap.mmap):
    """Bytes that also have a descriptor, as libtiff takes it; without one Pillow would give it a copy of the file."""

    _descriptor = -1

    def fileno(self) -> int:
        """The open file."""
        return self._descriptor

    def close(self) -> None:
        """Unmaps and closes. Twice is harmless."""
        super().close()
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)


Buffer = bytes | MappedFile


def map_file(path: Path) -> Buffer:
    """The file's bytes. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        if not os.fstat(descriptor).st_size:
            return b""  # nothing cannot be mapped
        mapped = MappedFile(descriptor, 0, access=mmap.ACCESS_READ)
        mapped._descriptor, descriptor = descriptor, -1
        return mapped
    finally:
        if descriptor >= 0:
            os.close(descriptor)


@contextmanager
def path_of(data: Buffer) -> Iterator[str]:
    """A path under which the bytes can be opened meanwhile, for what takes nothing else. Raises OSError."""
    if isinstance(data, MappedFile):
        yield f"/proc/self/fd/{data.fileno()}"
        return
    descriptor = os.memfd_create("image")
    try:
        with open(descriptor, "wb", closefd=False) as file:
            file.write(data)
        yield f"/proc/self/fd/{descriptor}"
    finally:
        os.close(descriptor)
