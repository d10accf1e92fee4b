"""A store that fails while the service runs: refused is what cannot be kept, kept is what was promised."""

import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from app.jobs.reading.dispatcher import DispatcherPauses
from app.wiring import Tuning
from persistence.sqlite.store import SqliteStore
from samples import sample
from tests.scripted_pool import ScriptedPool, text_result

pytestmark = pytest.mark.anyio

PNG = sample("health").data + bytes(500_000)
"""With enough behind its end that it fits in no page that a full database still has."""
LONG = text_result("a line of many words\n" * 20_000)
"""A result that does not fit there either."""


@pytest.fixture
def tuning() -> Tuning:
    """A stop that gives an outcome up after 0.05 s rather than 5."""
    return Tuning(dispatcher=DispatcherPauses(write=0.001, last_write=0.05))


Mend = Callable[[], Awaitable[None]]


async def pragma(store: SqliteStore, setting: str) -> None:
    await store.writer.run(lambda db: db.execute(f"PRAGMA {setting}").fetchall())


async def full(store: SqliteStore, _: Path) -> Mend:
    (pages,) = (await store.writer.run(lambda db: db.execute("PRAGMA page_count").fetchall()))[0]
    await pragma(store, f"max_page_count = {pages}")
    return lambda: pragma(store, "max_page_count = 100000")


async def read_only(store: SqliteStore, _: Path) -> Mend:
    await pragma(store, "query_only = ON")
    return lambda: pragma(store, "query_only = OFF")


async def locked(store: SqliteStore, database: Path) -> Mend:
    store.writer.patience = 0.001
    other = sqlite3.connect(database, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    async def mend() -> None:
        other.execute("ROLLBACK")
        other.close()

    return mend


async def away(_: SqliteStore, database: Path) -> Mend:
    """Its folder, as after a disk that came loose."""
    folder, elsewhere = database.parent, database.parent.with_name("elsewhere")
    folder.rename(elsewhere)

    async def mend() -> None:
        elsewhere.rename(folder)

    return mend


@pytest.mark.parametrize(
    ("break_it", "status", "code"),
    [
        (full, 507, "storage_full"),
        (read_only, 503, "store_unavailable"),
        (locked, 503, "store_unavailable"),
        (away, 503, "store_unavailable"),
    ],
)
async def test_uploads_are_refused_outcomes_wait_and_all_goes_on_when_it_is_mended(
    run: Any, tmp_path: Path, break_it: Any, status: int, code: str
) -> None:
    async with run(ScriptedPool(LONG)) as service:
        service.pool.hold()
        job_id = (await service.upload(PNG)).json()["id"]
        await service.pool.started.acquire()
        mend = await break_it(service.service.store.wrapped, tmp_path / "jobs.db")
        service.pool.release()
        for _ in range(3):
            answer = await service.upload(PNG)
            assert (answer.status_code, answer.json()["code"]) == (status, code)
            assert int(answer.headers["Retry-After"]) >= 1
            assert (await service.client.get(f"/images/{job_id}")).json()["status"] == "processing"
            assert (await service.client.get("/health/live")).status_code == 200
        await mend()
        job = await service.ended(job_id)
        assert (job["status"], job["attempts"], job["failures"]) == ("done", 1, [])
        assert (await service.upload(PNG)).status_code == 202
        assert (await service.client.get("/health/ready")).status_code == 200
        assert sum((await service.service.store.counts()).values()) == 2  # what was refused left nothing behind


async def test_a_folder_that_is_taken_away_is_a_store_that_fails(run: Any, tmp_path: Path) -> None:
    folder, elsewhere = tmp_path / "data", tmp_path / "elsewhere"
    async with run(database_url=f"sqlite:///{folder}/jobs.db") as service:
        job_id = (await service.upload(PNG)).json()["id"]
        await service.ended(job_id)
        folder.rename(elsewhere)
        for answer in (await service.upload(PNG), await service.client.get("/metrics")):
            assert (answer.status_code, answer.json()["code"]) == (503, "store_unavailable")
        assert (await service.client.get("/health/ready")).status_code == 503
        assert (await service.client.get(f"/images/{job_id}")).json()["status"] == "done"
        elsewhere.rename(folder)
        assert (await service.upload(PNG)).status_code == 202
        assert (await service.client.get("/health/ready")).status_code == 200


async def test_a_stop_while_the_store_is_broken_runs_the_job_again_after_the_start(run: Any, tmp_path: Path) -> None:
    async with run(ScriptedPool(LONG), drain_seconds=0.05) as service:
        service.pool.hold()
        job_id = (await service.upload(PNG)).json()["id"]
        await service.pool.started.acquire()
        await read_only(service.service.store.wrapped, tmp_path / "jobs.db")
        service.pool.release()
    async with run(ScriptedPool(text_result("again"))) as service:
        job = await service.ended(job_id)
        assert (job["status"], job["text"]) == ("done", "again")


async def test_a_stop_that_cannot_put_its_jobs_back_ends_all_the_same(run: Any, tmp_path: Path) -> None:
    async with run(drain_seconds=0.05) as service:
        service.pool.hold()
        job_id = (await service.upload(PNG)).json()["id"]
        await service.pool.started.acquire()
        await read_only(service.service.store.wrapped, tmp_path / "jobs.db")
    async with run(ScriptedPool(text_result("again"))) as service:
        job = await service.ended(job_id)
        assert (job["status"], job["text"]) == ("done", "again")
