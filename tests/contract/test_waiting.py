"""What is promised to those who wait for a job's end, whoever tells of it: this process, or another node."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from app.jobs.events import JobEvents
from app.jobs.waiting import Waiters
from config.urls import is_postgres
from persistence.change import JobChange, change_of
from persistence.job import Job
from persistence.opening import open_store
from persistence.postgres.connection import connect
from persistence.postgres.notifications import listening
from persistence.store import JobStore
from persistence.upload import Upload
from tests.contract.jobs import RESULT, after, job
from tests.postgres import Postgres

pytestmark = pytest.mark.anyio

LONG = 3600.0
"""Seconds that no test waits: it would be ended as hanging."""


class Looks:
    """Reads the job from the store, and lets a test wait for that."""

    def __init__(self, store: JobStore) -> None:
        self._store = store
        self.done = asyncio.Semaphore(0)

    async def __call__(self) -> Job:
        found = await self._store.get("a")
        assert found is not None
        self.done.release()
        return found


class Telling:
    """A store whose changes are told, as all of this service are."""

    def __init__(self, store: JobStore, events: JobEvents) -> None:
        self._store = store
        self._events = events

    async def replace(self, old: Job, new: Job) -> bool:
        replaced = await self._store.replace(old, new)
        if replaced:
            self._events.changed(old, new)
        return replaced

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


@pytest.fixture
def waiters() -> Waiters:
    return Waiters()


@pytest.fixture(params=["this process", "another node"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "this process":
        return f"sqlite:///{tmp_path}/jobs.db"
    server: Postgres = request.getfixturevalue("postgres")
    return server.empty_database()


@pytest.fixture
async def stores(url: str, waiters: Waiters) -> AsyncIterator[tuple[JobStore | Telling, JobStore]]:
    """Where the job is written, and where those who wait read it."""
    async with contextlib.AsyncExitStack() as stack:
        reader = await open_store(url)
        stack.push_async_callback(reader.close)
        if not is_postgres(url):
            yield Telling(reader, waiters), reader
            return
        writer = await open_store(url)
        stack.push_async_callback(writer.close)
        await stack.enter_async_context(listening(url, lambda change: waiters.ring(change.id), waiters.ring_all))
        yield writer, reader


async def test_who_waits_is_woken_by_the_end(waiters: Waiters, stores: tuple[JobStore | Telling, JobStore]) -> None:
    writer, reader = stores
    look = Looks(reader)
    await writer.add(job(), Upload.of(b"image"))
    waiting = [asyncio.create_task(waiters.ended("a", look, LONG)) for _ in range(3)]
    for _ in waiting:
        await look.done.acquire()
    claimed = job().claimed(after(1))
    done = claimed.completed(RESULT, after(2))
    assert await writer.replace(job(), claimed)
    assert await writer.replace(claimed, done)
    assert await asyncio.gather(*waiting) == [done] * 3


async def test_an_end_that_comes_during_the_look_is_not_missed(
    waiters: Waiters, stores: tuple[JobStore | Telling, JobStore]
) -> None:
    writer, reader = stores
    await writer.add(job(), Upload.of(b"image"))
    cancelled = job().cancelled(after(1))
    stale: list[Job] = [job()]

    async def look() -> Job:
        if stale:
            assert await writer.replace(job(), cancelled)
            return stale.pop()
        found = await reader.get("a")
        assert found is not None
        return found

    assert await waiters.ended("a", look, LONG) == cancelled


def looking_at(*seen: Job) -> Callable[[], Awaitable[Job]]:
    left = list(seen)

    async def look() -> Job:
        return left.pop(0)

    return look


async def test_what_has_ended_is_answered_at_once(waiters: Waiters) -> None:
    done = job().cancelled(after(1))
    assert await waiters.ended("a", looking_at(done), LONG) == done


async def test_a_last_look_makes_up_for_a_lost_word(waiters: Waiters) -> None:
    done = job().cancelled(after(1))
    assert await waiters.ended("a", looking_at(job(), done), 0.0) == done


async def test_nobody_waits_when_the_service_stops(waiters: Waiters) -> None:
    looked = asyncio.Event()

    async def look() -> Job:
        looked.set()
        return job()

    waiting = asyncio.create_task(waiters.ended("a", look, LONG))
    await looked.wait()
    waiters.close()
    assert await waiting == job()
    assert waiters.full
    assert await waiters.ended("a", look, LONG) == job()


async def test_no_more_wait_than_may_and_who_leaves_makes_room() -> None:
    waiters = Waiters(max_requests=1)
    looked = asyncio.Event()

    async def look() -> Job:
        looked.set()
        return job()

    waiting = asyncio.create_task(waiters.ended("a", look, LONG))
    await looked.wait()
    assert waiters.full
    waiting.cancel()
    await asyncio.wait({waiting})
    assert not waiters.full


@pytest.fixture
def database(postgres: Postgres) -> str:
    return postgres.empty_database()


async def test_who_listens_is_told_of_doubt_when_the_connection_is_lost_and_hears_again(database: str) -> None:
    store = await open_store(database)
    await store.add(job(), Upload.of(b"image"))
    told: asyncio.Queue[JobChange] = asyncio.Queue()
    doubts = asyncio.Semaphore(0)
    async with listening(database, told.put_nowait, doubts.release):
        await doubts.acquire()  # listens
        connection = await connect(database)
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%' AND datname = "
            "current_database()"
        )
        await connection.close()
        await doubts.acquire()  # lost
        await doubts.acquire()  # listens again
        cancelled = job().cancelled(after(1))
        assert await store.replace(job(), cancelled)
        assert await told.get() == change_of(cancelled)
    await store.close()
