"""Nodes and PostgreSQL die under load: nothing is lost, and everything heals by itself."""

import asyncio
import os
import signal
from collections.abc import Callable, Iterator

import psutil
import pytest

from config.settings import Settings
from samples import sample
from tests.e2e.conftest import Server, start  # noqa: F401 - a fixture
from tests.integration.conftest import Running, run, tuning  # noqa: F401 - fixtures
from tests.integration.test_cluster import Node
from tests.postgres import OwnServer, Postgres
from tests.scripted_pool import ScriptedPool

KNOWN = sample("health")


@pytest.fixture
def server() -> Iterator[OwnServer]:
    """A PostgreSQL that this test alone uses, and may stop."""
    own = OwnServer()
    yield own
    own.remove()


@pytest.fixture
def settings(server: OwnServer) -> Settings:
    return Settings(database_url=server.url, queue_lease_seconds=1.0, retry_base_seconds=0.001, retry_max_seconds=0.01)


async def accepted(api: Running) -> str:
    """The id of an upload that is repeated until it is taken, as a client should."""
    while True:
        answer = await api.upload(KNOWN.data)
        if answer.status_code == 202:
            return str(answer.json()["id"])
        assert (answer.status_code, answer.json()["code"]) == (503, "store_unavailable")
        assert int(answer.headers["Retry-After"]) >= 1


@pytest.mark.anyio
@pytest.mark.parametrize("way", ["fast", "immediate"])
async def test_a_restart_of_postgres_under_load_loses_nothing(run: Node, server: OwnServer, way: str) -> None:  # noqa: F811
    pool = ScriptedPool()
    pool.hold()
    async with run(role="api") as api, run(pool, role="worker", max_workers=2):
        before = [await accepted(api) for _ in range(5)]
        await pool.started.acquire()
        restart = asyncio.create_task(asyncio.to_thread(server.control, "restart", "-m", way))
        during = await asyncio.gather(*(accepted(api) for _ in range(20)))
        await restart
        pool.release()
        ended = [await until_done(api, job_id) for job_id in (*before, *during)]
        assert {job["status"] for job in ended} == {"done"}


async def until_done(api: Running, job_id: str) -> dict[str, object]:
    while True:
        answer = await api.client.get(f"/images/{job_id}")
        if answer.status_code == 200:
            return dict(answer.json())
        assert answer.status_code in (202, 503)


@pytest.mark.anyio
async def test_without_postgres_the_api_answers_503_and_works_again_when_it_is_back(
    run: Node,  # noqa: F811
    server: OwnServer,
) -> None:
    async with run(role="all") as node:
        await asyncio.to_thread(server.control, "stop", "-m", "immediate")
        refused = await node.upload(KNOWN.data)
        assert (refused.status_code, refused.json()["code"]) == (503, "store_unavailable")
        assert int(refused.headers["Retry-After"]) >= 1
        assert (await node.client.get("/health/live")).status_code == 200
        assert (await node.client.get("/health/ready")).status_code == 503
        await asyncio.to_thread(server.control, "restart")
        assert (await until_done(node, await accepted(node)))["status"] == "done"
        assert not node.failures


@pytest.mark.e2e
def test_a_killed_worker_node_s_job_is_read_by_another_node(start: Callable[..., Server], postgres: Postgres) -> None:  # noqa: F811
    database = {"DATABASE_URL": postgres.empty_database(), "QUEUE_LEASE_SECONDS": "2", "RETRY_BASE_SECONDS": "0.01"}
    api = start(ROLE="api", **database).ready()
    doomed = start(ROLE="worker", **database).ready()
    (reader,) = doomed.worker_pids()
    os.kill(reader, signal.SIGSTOP)
    job_id = api.upload(KNOWN.data)
    doomed.wait_for("job.claimed", job_id=job_id)
    doomed.process.kill()
    survivor = start(ROLE="worker", **database).ready()
    survivor.wait_for("job.done", job_id=job_id)
    job = api.client.get(f"/images/{job_id}").json()
    assert (job["status"], job["text"], job["attempts"]) == ("done", KNOWN.text, 2)
    assert [failure["code"] for failure in job["failures"]] == ["worker_crashed"]
    assert survivor.stop() == 0
    assert api.stop() == 0
    # the stopped process outlives its parent only until somebody lets it go on: it watches for that end
    psutil.Process(reader).send_signal(signal.SIGCONT)
