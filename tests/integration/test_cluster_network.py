"""Connections between nodes and PostgreSQL that fall silent: nobody hangs, and all goes on by itself."""

import asyncio
from collections.abc import Iterator

import pytest

from app.wiring import Tuning
from config.settings import Settings
from persistence.patience import Patience
from persistence.postgres.store import PostgresStore
from persistence.store import JobExists
from persistence.upload import Upload
from samples import sample
from tests.contract.jobs import after, job
from tests.integration.test_cluster import Node
from tests.live_server import PATIENCE
from tests.postgres import OwnServer
from tests.proxy import Proxy
from tests.scripted_pool import ScriptedPool

pytestmark = pytest.mark.anyio

PNG = sample("health").data


@pytest.fixture(scope="module")
def server() -> Iterator[OwnServer]:
    own = OwnServer()
    yield own
    own.remove()


@pytest.fixture
def tuning() -> Tuning:
    """Nodes that give up a silent connection after 1 s rather than 5, and look for work each 0.5 s rather than 2."""
    return Tuning(database=Patience(command=1.0, connect=1.0, retry=0.5, poll=0.5, reconnect_pause=0.1))


@pytest.fixture
def proxy(server: OwnServer) -> Iterator[Proxy]:
    """What the struck node reaches PostgreSQL through."""
    with Proxy(server.url) as wire:
        yield wire


@pytest.fixture
def settings(server: OwnServer) -> Settings:
    return Settings(
        database_url=server.url, role="api", queue_lease_seconds=1.0, retry_base_seconds=0.001, retry_max_seconds=0.01
    )


async def test_an_api_node_with_half_open_connections_answers_503_and_heals(run: Node, proxy: Proxy) -> None:
    async with run(database_url=proxy.url) as api:
        # several connections in the pool, as after some load
        await asyncio.gather(*(api.upload(PNG) for _ in range(8)))
        proxy.forget()
        refused = await api.upload(PNG)
        assert (refused.status_code, refused.json()["code"]) == (503, "store_unavailable")
        assert int(refused.headers["Retry-After"]) >= 1
        assert (await api.upload(PNG)).status_code == 202


async def test_an_api_node_that_is_cut_off_answers_503_and_works_again_after_it(run: Node, proxy: Proxy) -> None:
    async with run(database_url=proxy.url) as api:
        job_id = (await api.upload(PNG)).json()["id"]
        proxy.part()
        upload, poll = await asyncio.gather(api.upload(PNG), api.client.get(f"/images/{job_id}"))
        for refused in (upload, poll):
            assert (refused.status_code, refused.json()["code"]) == (503, "store_unavailable")
            assert int(refused.headers["Retry-After"]) >= 1
        assert (await api.client.get("/health/live")).status_code == 200
        proxy.heal()
        assert (await api.client.get(f"/images/{job_id}")).status_code == 202


async def test_a_worker_node_with_half_open_connections_heals(run: Node, proxy: Proxy) -> None:
    pool = ScriptedPool()
    async with run() as api, run(pool, role="worker", database_url=proxy.url):
        await pool.started.acquire()  # the sample
        assert (await api.ended((await api.upload(PNG)).json()["id"]))["status"] == "done"
        proxy.forget()
        assert (await api.ended((await api.upload(PNG)).json()["id"]))["status"] == "done"


async def test_a_job_of_a_worker_node_that_is_cut_off_is_read_by_another_and_the_late_outcome_is_dropped(
    run: Node, proxy: Proxy
) -> None:
    lonely, other = ScriptedPool(), ScriptedPool()
    async with run() as api, run(lonely, role="worker", database_url=proxy.url):
        await lonely.started.acquire()  # the sample
        lonely.hold()
        job_id = (await api.upload(PNG)).json()["id"]
        await lonely.started.acquire()
        proxy.part()
        async with run(other, role="worker"):
            taken = await api.ended(job_id)
            proxy.heal()
            lonely.release()
            assert (taken["status"], taken["attempts"]) == ("done", 2)
        assert await api.ended(job_id) == taken
        # it takes part again
        assert (await api.ended((await api.upload(PNG)).json()["id"]))["status"] == "done"


async def test_an_upload_whose_commit_was_not_answered_of_is_one_job_though_a_worker_has_it_by_then(
    server: OwnServer, proxy: Proxy
) -> None:
    elsewhere, store = await PostgresStore.open(server.url), await PostgresStore.open(proxy.url)
    committed = proxy.hold_answers_to(b"COMMIT")
    adding = asyncio.create_task(store.add(job(), Upload.of(PNG)))
    assert await asyncio.to_thread(committed.wait, PATIENCE)
    assert await elsewhere.replace(job(), job().claimed(after(1)))
    proxy.cut()
    await adding
    assert await store.get(job().id) == job().claimed(after(1))
    with pytest.raises(JobExists):
        await store.add(job(), Upload.of(PNG))
    await store.close()
    await elsewhere.close()
