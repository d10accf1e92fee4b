"""The files of one request as they come: each whole in a file of its own, ZIPs unpacked; nothing is stored yet."""

import asyncio
import shutil
import threading
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TypeVar

from msgspec import Struct

from app.batches.archive import MAGIC, Archive, ArchiveLimits, Unpacked
from app.batches.names import clean_name
from app.batches.refusals import BatchTooLarge, EmptyFile, TooManyFiles
from app.jobs.admission import Admission
from app.jobs.incoming import Body, Incoming, unwritable
from persistence.upload import Upload

T = TypeVar("T")


class Arrived(Struct, frozen=True, kw_only=True):
    """A file that came: its bytes, or why it is refused."""

    name: str
    upload: Upload = Upload(size=0)
    error: Exception | None = None


class Parcel:
    """Gathers the files, one after the other: `begin`, `add` its pieces, `end`."""

    def __init__(
        self,
        client: str,
        folder: Path,
        incoming: Incoming,
        admission: Admission,
        limits: ArchiveLimits,
        stack: AsyncExitStack,
    ) -> None:
        self.limits = limits
        self._client = client
        self._folder = folder
        self._incoming = incoming
        self._admission = admission
        self._stack = stack
        self._arrived: list[Arrived] = []
        self._bytes = 0
        self._body: Body | None = None
        self._name = ""
        self._head = b""
        self._error: Exception | None = None

    @property
    def arrived(self) -> Sequence[Arrived]:
        """Those that ended, in their order."""
        return self._arrived

    async def begin(self, name: str) -> None:
        """Another file comes. Raises TooManyFiles, or StoreFull and MemoryShort where the machine is short of room."""
        self._require_place()
        if shortage := await self._admission.short_of():
            raise shortage
        self._body = await self._stack.enter_async_context(self._incoming.body(self._client, self._folder))
        self._name, self._head, self._error = clean_name(name), b"", None

    async def add(self, piece: bytes | bytearray) -> None:
        """A piece of it. Raises BatchTooLarge where all together are, IncomingFull, StoreError."""
        assert self._body is not None
        self._bytes += len(piece)
        if self._bytes > self.limits.max_bytes:
            raise BatchTooLarge(f"a batch may have at most {self.limits.max_bytes} bytes")
        if self._error is not None:
            return
        if len(self._head) < len(MAGIC[0]):
            self._head += bytes(piece[: len(MAGIC[0])])
        if not self._head.startswith(MAGIC) and self._body.size + len(piece) > self.limits.max_file_bytes:
            self._error = BatchTooLarge(f"a file may have at most {self.limits.max_file_bytes} bytes")
            return
        await self._body.add(piece)

    def fail(self, error: Exception) -> None:
        """It cannot be had: at its end it is refused for this reason."""
        self._error = error

    async def end(self) -> None:
        """The file is whole. A ZIP is unpacked. Raises as Archive, TooManyFiles, IncomingFull, StoreError."""
        assert self._body is not None
        body, self._body = self._body, None
        upload = await body.upload()
        if self._error is not None:
            self.refuse(self._name, self._error)
        elif not upload.size:
            self.refuse(self._name, EmptyFile("the file is empty"))
        elif self._head.startswith(MAGIC):
            await self._unpack(upload)
        else:
            self._arrived.append(Arrived(name=self._name, upload=upload))

    def refuse(self, name: str, error: Exception) -> None:
        """A file that is none of the batch's jobs, for this reason."""
        self._require_place()
        self._arrived.append(Arrived(name=name, error=error))

    async def _unpack(self, upload: Upload) -> None:
        path = upload.file or self._folder / uuid.uuid4().hex
        left = self.limits.max_files - len(self._arrived)
        limits = ArchiveLimits(
            max_files=left, max_file_bytes=self.limits.max_file_bytes, max_bytes=self.limits.max_bytes
        )
        try:
            if upload.file is None:
                await asyncio.to_thread(path.write_bytes, upload.data)
            archive = await asyncio.to_thread(Archive, path, limits)
        except OSError as error:
            raise unwritable(self._folder.parent, error) from error
        self._stack.callback(archive.close)
        self._stack.enter_context(self._incoming.room(self._client, archive.size))
        folder = self._folder / f"zip-{uuid.uuid4().hex}"
        for each in await _in_thread(lambda stop: _unpacked(archive, folder, stop)):
            if each.file is None:
                self.refuse(each.name, each.error or EmptyFile("the file is empty"))
            else:
                self._arrived.append(Arrived(name=each.name, upload=Upload(size=each.size, file=each.file)))

    def _require_place(self) -> None:
        if len(self._arrived) >= self.limits.max_files:
            raise TooManyFiles(self.limits.max_files)


class Parcels:
    """Parcels under way, bounded all together by what they have on disk."""

    def __init__(self, staging: Path, incoming: Incoming, admission: Admission, limits: ArchiveLimits) -> None:
        self._staging = staging
        self._incoming = incoming
        self._admission = admission
        self._limits = limits

    @asynccontextmanager
    async def parcel(self, client: str) -> AsyncIterator[Parcel]:
        """A parcel to fill. What no store has taken by the end of the block is removed. Raises StoreError."""
        folder = self._staging / f"parcel-{uuid.uuid4().hex}"
        try:
            await asyncio.to_thread(folder.mkdir)
        except OSError as error:
            raise unwritable(folder.parent, error) from error
        try:
            async with AsyncExitStack() as stack:
                yield Parcel(client, folder, self._incoming, self._admission, self._limits, stack)
        finally:
            await asyncio.shield(asyncio.to_thread(shutil.rmtree, folder, True))


def _unpacked(archive: Archive, folder: Path, stop: threading.Event) -> Sequence[Unpacked]:
    try:
        folder.mkdir()
        return archive.unpack(folder, stop)
    except OSError as error:
        raise unwritable(folder.parent, error) from error


async def _in_thread(work: Callable[[threading.Event], T]) -> T:
    """What `work` gives, in a thread. Cancelled, it tells it to stop and waits for that: it writes into a folder."""
    stop = threading.Event()
    working = asyncio.ensure_future(asyncio.to_thread(work, stop))
    try:
        return await asyncio.shield(working)
    except asyncio.CancelledError:
        stop.set()
        await asyncio.wait({working})
        raise
