"""Connections that cannot be had, and connections of which only some are lost: no job is, and all heals by itself."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator

import asyncpg
import pytest

from app import lifespan
from app.wiring import Tuning
from config.settings import Settings
from persistence.opening import open_store
from persistence.patience import Patience
from samples import sample
from tests.integration.conftest import Running
from tests.integration.test_cluster import Node
from tests.postgres import OwnServer
from tests.proxy import Proxy
from tests.scripted_pool import ScriptedPool

pytestmark = pytest.mark.anyio

PNG = sample("health").data
MOST = 40
"""Connections that the server allows: three nodes of 13 and one that looks on."""


@pytest.fixture(scope="module")
def server() -> Iterator[OwnServer]:
    own = OwnServer()
    own.set_up(f"ALTER SYSTEM SET max_connections = {MOST}")
    own.control("restart", "-m", "fast")
    yield own
    own.remove()


@pytest.fixture
def tuning() -> Tuning:
    """Nodes that give up after 0.5 s rather than 3, a silent connection after 1 s rather than 5."""
    return Tuning(database=Patience(command=1.0, connect=1.0, retry=0.5))


@pytest.fixture
def settings(server: OwnServer) -> Settings:
    return Settings(
        database_url=server.url,
        role="api",
        queue_lease_seconds=1.0,
        retry_base_seconds=0.001,
        retry_max_seconds=0.01,
        drain_seconds=1.0,
    )


class Crowd:
    """Other programs that have every connection of the server."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._held: list[asyncpg.Connection[asyncpg.Record]] = []

    async def push_in(self) -> None:
        """Ends whatever is connected, and takes its place until nobody else has one."""
        others = "FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> ALL($1::int[])"
        first = await asyncpg.connect(self._url)
        self._held.append(first)
        while True:
            ours = [one.get_server_pid() for one in self._held]
            await first.execute(f"SELECT pg_terminate_backend(pid) {others}", ours)
            try:
                while True:
                    self._held.append(await asyncpg.connect(self._url))
            except asyncpg.TooManyConnectionsError:
                ours = [one.get_server_pid() for one in self._held]
            if not await first.fetchval(f"SELECT count(*) {others}", ours):
                return

    async def leave(self) -> None:
        for one in self._held:
            await one.close()
        self._held.clear()


@pytest.fixture
async def crowd(server: OwnServer) -> AsyncIterator[Crowd]:
    others = Crowd(server.url)
    yield others
    await others.leave()


async def accepted(api: Running) -> str:
    """The id of an upload that is repeated until it is taken, as a client should."""
    while True:
        answer = await api.upload(PNG)
        if answer.status_code == 202:
            return str(answer.json()["id"])
        assert (answer.status_code, answer.json()["code"]) == (503, "store_unavailable")


async def until_done(api: Running, job_id: str) -> int:
    """The attempts of the job, once it is done."""
    while True:
        answer = await api.client.get(f"/images/{job_id}", headers={"Prefer": "wait=1"})
        if answer.status_code == 200:
            assert answer.json()["status"] == "done"
            return int(answer.json()["attempts"])
        assert answer.status_code in (202, 503)


async def test_nodes_without_a_free_connection_answer_503_and_go_on_when_there_is_one(run: Node, crowd: Crowd) -> None:
    pool = ScriptedPool()
    async with run() as api, run(pool, role="worker"):
        await pool.started.acquire()  # the sample
        pool.hold()
        reading = await accepted(api)
        await pool.started.acquire()
        waiting = await accepted(api)
        await crowd.push_in()
        upload, poll, ready = await asyncio.gather(
            api.upload(PNG), api.client.get(f"/images/{waiting}"), api.client.get("/health/ready")
        )
        for refused in (upload, poll):
            assert (refused.status_code, refused.json()["code"]) == (503, "store_unavailable")
            assert int(refused.headers["Retry-After"]) >= 1
        assert ready.status_code == 503
        assert (await api.client.get("/health/live")).status_code == 200
        pool.release()
        await crowd.leave()
        assert await until_done(api, reading) <= 2  # another one where the queue gave it out again
        assert await until_done(api, waiting) == 1
        assert await until_done(api, await accepted(api)) == 1


async def test_a_worker_node_whose_queue_is_out_of_reach_stores_what_it_reads_and_takes_jobs_again(
    run: Node, server: OwnServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lifespan, "open_store", lambda _, *rest: open_store(server.url, *rest))
    pool = ScriptedPool()
    with Proxy(server.url) as wire:
        async with run() as api, run(pool, role="worker", database_url=wire.url):
            await pool.started.acquire()  # the sample
            pool.hold()
            reading = await accepted(api)
            await pool.started.acquire()
            wire.part()
            pool.release()
            assert await until_done(api, reading) == 1
            waiting = await accepted(api)
            wire.heal()
            assert await until_done(api, waiting) == 1


async def test_a_worker_node_whose_store_is_out_of_reach_keeps_its_outcome_and_stores_it_once(
    run: Node, server: OwnServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = ScriptedPool()
    with Proxy(server.url) as wire:
        async with run() as api:
            monkeypatch.setattr(lifespan, "open_store", lambda _, *rest: open_store(wire.url, *rest))
            async with run(pool, role="worker", max_workers=2) as worker:
                await pool.started.acquire()  # the sample
                pool.hold()
                reading = await accepted(api)
                await pool.started.acquire()
                wire.part()
                pool.release()
                waiting = await accepted(api)  # the queue gives it to a worker that can read no row of it
                refused = await worker.client.get("/health/ready")
                assert refused.status_code == 503
                assert "the store cannot be written" in refused.text
                wire.heal()
                assert await until_done(api, reading) == 1
                assert await until_done(api, waiting) == 1
                assert len(pool.images) == 3


async def test_an_api_node_whose_queue_is_out_of_reach_takes_images_that_are_read(
    run: Node, server: OwnServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lifespan, "open_store", lambda _, *rest: open_store(server.url, *rest))
    with Proxy(server.url) as wire:
        async with run(database_url=wire.url) as api, run(role="worker"):
            wire.part()
            assert await until_done(api, await accepted(api)) == 1
            wire.heal()
            assert await until_done(api, await accepted(api)) == 1


async def test_a_worker_node_whose_queue_lost_its_connection_goes_on_to_hold_the_job_that_it_reads(
    run: Node, server: OwnServer
) -> None:
    pool = ScriptedPool()
    async with run() as api, run(pool, role="worker"), contextlib.AsyncExitStack() as later:
        await pool.started.acquire()  # the sample
        pool.hold()
        reading = await accepted(api)
        await pool.started.acquire()
        looker = await asyncpg.connect(server.url)
        later.push_async_callback(looker.close)
        await looker.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        )
        lost = await looker.fetchval("SELECT now()")
        held = "SELECT max(heartbeat) FROM pgqueuer WHERE dedupe_key = $1"
        while await looker.fetchval(held, reading) <= lost:
            assert len(pool.images) == 2, "given out again"
        pool.release()
        assert await until_done(api, reading) == 1
