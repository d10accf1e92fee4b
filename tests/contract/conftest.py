"""The stores that every promise of JobStore is tested on."""

import itertools
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from obstore.store import MemoryStore

from persistence.objects.bucket import Objects
from persistence.objects.images import ObjectImages
from persistence.opening import open_store as open_by_url
from persistence.store import JobStore
from tests.postgres import Postgres

OpenStore = Callable[[], Coroutine[Any, Any, JobStore]]
"""Opens one and the same store each time: what was stored before is there."""


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
