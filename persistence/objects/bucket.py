"""An object storage by URL, through obstore: S3 and its like, Google Cloud Storage, Azure, a folder, memory."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, MemoryStore, ObjectStore, from_url

from persistence.store import StoreError, StoreUnusable
from persistence.upload import CHUNK_BYTES

if TYPE_CHECKING:  # words of obstore's type stubs only
    from obstore.store import ClientConfig, RetryConfig
PARTS_AT_ONCE = 2
"""Of 5 MB each, of a file that is written in parts. obstore's own 12 take 118 MB for a file of 200 MB."""
MAX_REQUEST_TIME = timedelta(seconds=200)
"""Longest transfer of one file: 200 MB at 1 MB/s."""
MAX_CONNECT_TIME = timedelta(seconds=5)
CLIENT_OPTIONS: "ClientConfig" = {
    "timeout": MAX_REQUEST_TIME,
    "connect_timeout": MAX_CONNECT_TIME,
    "allow_http": True,  # who names such an endpoint (AWS_ENDPOINT_URL) means it
}
RETRY_OPTIONS: "RetryConfig" = {"max_retries": 2, "retry_timeout": timedelta(seconds=3)}
"""As patient as with the database; who waits longer is the caller."""
PROBE_KEY = "write-probe"

OBSTORE_FAULTS = (BaseError, OSError)
"""What obstore raises; some of it as the builtin errors for files."""


class Objects:
    """Bytes under keys. A key is written once, and never with other bytes."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store
        self._folder = _folder(store)

    @classmethod
    async def open(cls, url: str) -> "Objects":
        """The store that the URL names, written to once as a trial. Credentials come from the environment.

        Raises StoreUnusable.
        """
        try:
            store = _store(url)
            await obstore.put_async(store, PROBE_KEY, b"")
        except (*OBSTORE_FAULTS, ValueError) as error:
            raise StoreUnusable(f"IMAGE_STORE_URL cannot be used: {_first_line(error)}") from error
        return cls(store)

    async def put(self, key: str, data: bytes | Path) -> None:
        """Writes bytes, or those of a file in pieces. Raises StoreError."""
        await self._require_in_place()
        try:
            await obstore.put_async(self._store, key, data, max_concurrency=PARTS_AT_ONCE)
        except OBSTORE_FAULTS as error:
            raise _fault(error) from error

    async def get(self, key: str) -> bytes | None:
        """None where there is no such object. Raises StoreError."""
        try:
            found = await obstore.get_async(self._store, key)
            return bytes(await found.bytes_async())
        except FileNotFoundError:
            await self._require_in_place()
            return None
        except OBSTORE_FAULTS as error:
            raise _fault(error) from error

    async def get_into(self, key: str, target: Path) -> bool:
        """Writes the object into a file, piece by piece; False where there is no such object. Raises StoreError."""
        try:
            found = await obstore.get_async(self._store, key)
            with await asyncio.to_thread(target.open, "wb") as file:
                async for piece in found.stream(min_chunk_size=CHUNK_BYTES):
                    await asyncio.to_thread(file.write, piece)
        except FileNotFoundError:
            await self._require_in_place()
            return False
        except OBSTORE_FAULTS as error:
            raise _fault(error) from error
        return True

    async def delete(self, key: str) -> None:
        """No object has that key afterwards. Raises StoreError."""
        try:
            await obstore.delete_async(self._store, key)
        except FileNotFoundError:
            return
        except OBSTORE_FAULTS as error:
            raise _fault(error) from error

    async def check(self) -> None:
        """Returns if an image could be written now. Raises StoreError."""
        await self.put(PROBE_KEY, b"")

    async def older_than(self, age: timedelta) -> AsyncIterator[str]:
        """Keys of the objects that were written so long ago. Raises StoreError."""
        try:
            async for some in obstore.list(self._store):
                for found in some:
                    if found["path"] != PROBE_KEY and datetime.now(UTC) - found["last_modified"] >= age:
                        yield found["path"]
        except OBSTORE_FAULTS as error:
            raise _fault(error) from error

    async def _require_in_place(self) -> None:
        """Raises StoreError where the folder of a store of files is another one than at first."""
        if self._folder != await asyncio.to_thread(_folder, self._store):
            raise StoreError("the folder of the images was replaced or unmounted while in use; put the old one back")


def _folder(store: ObjectStore) -> tuple[int, int] | None:
    """Which folder a store of files leads to at this moment; None where it leads nowhere, or the store has no files."""
    if not isinstance(store, LocalStore) or store.prefix is None:
        return None
    try:
        facts = store.prefix.stat()
    except OSError:
        return None
    return facts.st_dev, facts.st_ino


def _store(url: str) -> ObjectStore:
    if url.startswith("file:"):
        return LocalStore.from_url(url, mkdir=True)
    if url.startswith("memory:"):
        return MemoryStore()
    return from_url(url, client_options=CLIENT_OPTIONS, retry_config=RETRY_OPTIONS)


def _fault(error: Exception) -> StoreError:
    return StoreError(f"the object storage failed: {_first_line(error)}")


def _first_line(error: Exception) -> str:
    # the lines after it are a dump of the client's inside
    return str(error).partition("\n")[0] or type(error).__name__
