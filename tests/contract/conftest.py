"""The stores that every promise of JobStore is tested on."""

import itertools
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from obstore.store import MemoryStore

from persistence.objects.bucket import Objects
from persistence.objects.images import ObjectImages
from persistence.opening import open_store as open_by_url
from persistence.postgres.connection import Connection
from persistence.store import JobStore
from tests.postgres import Postgres

OpenStore = Callable[[], Coroutine[Any, Any, JobStore]]
"""Opens one and the same store each time: what was stored before is there."""

LEFT_IN_SESSION = """
    SELECT 'SET ' || name FROM pg_settings WHERE source = 'session' AND setting <> reset_val
    UNION ALL SELECT 'LISTEN ' || channel FROM pg_listening_channels() AS channel
    UNION ALL SELECT 'advisory lock ' || objid FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()
    UNION ALL SELECT 'CURSOR ' || name FROM pg_cursors WHERE name <> ''
    UNION ALL SELECT 'TEMPORARY ' || relname FROM pg_class WHERE relnamespace = pg_my_temp_schema()
"""
"""In this session. asyncpg itself puts `jit` back to what it was."""


@pytest.fixture(autouse=True)
def sessions_left_as_they_were(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Whatever is done on a connection of a pool leaves its session as it was: nobody resets it for the next one."""
    left: list[str] = []
    create_pool = asyncpg.create_pool

    async def look(connection: Connection) -> None:
        left.extend(row[0] for row in await connection.fetch(LEFT_IN_SESSION))

    monkeypatch.setattr(asyncpg, "create_pool", lambda *args, **named: create_pool(*args, **{**named, "reset": look}))
    yield
    assert not left


@pytest.fixture(params=["sqlite", "postgres", "sqlite, images in memory", "postgres, images in a folder"])
def new_store(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], OpenStore]:
    """Each call gives the way to open another, empty store."""
    numbers = itertools.count()

    def sqlite() -> OpenStore:
        url = f"sqlite:///{tmp_path}/{next(numbers)}.db"
        return lambda: open_by_url(url)

    def postgres() -> OpenStore:
        url = server.empty_database()
        return lambda: open_by_url(url)

    def in_memory() -> OpenStore:
        jobs, objects = sqlite(), Objects(MemoryStore())

        async def opened() -> JobStore:
            return ObjectImages(await jobs(), objects)

        return opened

    def in_a_folder() -> OpenStore:
        url = server.empty_database()
        return lambda: open_by_url(url, f"file://{tmp_path}/images")

    if request.param == "sqlite":
        return sqlite
    if request.param == "sqlite, images in memory":
        return in_memory
    server: Postgres = request.getfixturevalue("postgres")
    return postgres if request.param == "postgres" else in_a_folder


@pytest.fixture
def open_store(new_store: Callable[[], OpenStore]) -> OpenStore:
    return new_store()


@pytest.fixture
async def store(open_store: OpenStore) -> AsyncIterator[JobStore]:
    opened = await open_store()
    yield opened
    await opened.close()
