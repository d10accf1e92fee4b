"""Uploads that are being received: bounded all together and for each client, large ones gathered in a file."""

import asyncio
import errno
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import BinaryIO

from msgspec import Struct

from persistence.job import JobOptions
from persistence.store import StoreError, StoreFull
from persistence.upload import IN_MEMORY_BYTES, Upload


class IncomingFull(Exception):
    """Uploads that are being received have as many bytes as they may."""


class UploadFields(Struct, frozen=True, kw_only=True):
    """What came with a file."""

    options: JobOptions = JobOptions()
    password: str = ""
    sources: tuple[str, ...] = ()
    """URLs that the files were fetched from; empty where they were sent."""

    def __repr__(self) -> str:
        """Without the secret."""
        return f"{type(self).__name__}(options={self.options!r})"


class Incoming:
    """The bodies that are being received, bounded all together: a stalled upload holds what it has sent.

    One client may hold half of that, so that it cannot shut out the others.
    """

    def __init__(self, limit: int, largest: int = 0, in_memory: int = IN_MEMORY_BYTES) -> None:
        """`limit` in bytes; a client may always hold `largest` of them: one file. Of each `in_memory` are in memory."""
        self._limit = limit
        self._in_memory = in_memory
        self._share = max(limit // 2, largest)
        self._of_client: Counter[str] = Counter()
        self.bytes = 0
        """Held now."""

    @asynccontextmanager
    async def body(self, client: str, staging: Path) -> AsyncIterator["Body"]:
        """A body to fill; its bytes count until the end of the block, where a file in `staging` is removed as well."""
        body = Body(staging, lambda size: self._hold(client, size), self._in_memory)
        try:
            yield body
        finally:
            self._let_go(client, body.size)
            await body.discard()

    @contextmanager
    def room(self, client: str, size: int) -> Iterator[None]:
        """Holds so many bytes for what is made of a body. Raises IncomingFull."""
        self._hold(client, size)
        try:
            yield
        finally:
            self._let_go(client, size)

    def _let_go(self, client: str, size: int) -> None:
        self.bytes -= size
        self._of_client[client] -= size
        if not self._of_client[client]:
            del self._of_client[client]

    def _hold(self, client: str, size: int) -> None:
        # what has come counts, not what was announced: to announce costs a client nothing
        if self.bytes + size > self._limit or self._of_client[client] + size > self._share:
            raise IncomingFull
        self.bytes += size
        self._of_client[client] += size


class Body:
    """The file of an upload, as far as it has come: up to so many bytes in memory, beyond that on disk."""

    def __init__(self, staging: Path, hold: Callable[[int], None], in_memory: int = IN_MEMORY_BYTES) -> None:
        self._in_memory = in_memory
        self._path = staging / f"upload-{uuid.uuid4().hex}"
        self._hold = hold
        self._tail = bytearray()
        """What is not on disk."""
        self._file: BinaryIO | None = None
        self.size = 0

    async def add(self, chunk: bytes | bytearray) -> None:
        """Raises IncomingFull, StoreFull or StoreError."""
        self._hold(len(chunk))
        self.size += len(chunk)
        self._tail += chunk
        if len(self._tail) > self._in_memory:
            await self._spill()

    async def upload(self, password: str = "") -> Upload:
        """All that came. A file is removed at the end of the body's block, unless a store has moved it away.

        Raises StoreFull or StoreError.
        """
        if self._file is None:
            return Upload(size=self.size, data=bytes(self._tail), password=password)
        await self._spill()
        try:
            await asyncio.to_thread(self._file.close)  # of a batch there may be a thousand
        except OSError as error:
            raise unwritable(self._path.parent, error) from error
        return Upload(size=self.size, file=self._path, password=password)

    async def discard(self) -> None:
        """Forgets what is still held. Twice is harmless."""
        self._tail.clear()  # at once, not when the last traceback of a failed request is gone
        if self._file is not None:
            await asyncio.to_thread(self._remove, self._file)

    async def _spill(self) -> None:
        tail, self._tail = self._tail, bytearray()
        try:
            if self._file is None:
                self._file = await asyncio.to_thread(self._path.open, "wb")
            await asyncio.to_thread(self._file.write, tail)
        except OSError as error:
            raise unwritable(self._path.parent, error) from error

    def _remove(self, file: BinaryIO) -> None:
        try:
            file.close()
        finally:
            self._path.unlink(missing_ok=True)


def unwritable(folder: Path, error: OSError) -> StoreError:
    """What it means that files on their way in cannot be written there."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return StoreFull(f"no room in {folder} for an upload")
    return StoreError(f"{folder} cannot be written: {error.strerror}")
