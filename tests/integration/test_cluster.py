"""Several nodes on one PostgreSQL: whole applications, only their OCR processes are scripted."""

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta

import anyio
import psutil
import pytest
from pgqueuer.ports.repository import EntrypointExecutionParameter
from pgqueuer.types import QueueEntrypoint, QueueManagerId

from app.__main__ import main
from app.cluster.no_workers import NoWorkers
from app.cluster.nodes import Node as Member
from app.lifespan import opened_queue
from app.processes import processes
from config.settings import Settings
from ocr_engine.errors import InvalidImage
from ocr_engine.image import probe
from ocr_engine.options import EngineOptions
from ocr_engine.result import ImageInfo
from ocr_engine.workers.pool import PoolEvent
from persistence.job import Job
from persistence.opening import open_store
from persistence.patience import Patience
from persistence.postgres import entry_table
from persistence.postgres.connection import connect
from persistence.postgres.nodes import NodeReports
from persistence.upload import Upload
from samples import sample
from tests.integration.conftest import Running
from tests.postgres import Postgres
from tests.scripted_pool import ScriptedPool, text_result

pytestmark = pytest.mark.anyio

PNG = sample("health").data
Node = Callable[..., contextlib.AbstractAsyncContextManager[Running]]


@pytest.fixture
def database(postgres: Postgres) -> str:
    return postgres.empty_database()


@pytest.fixture
def node(run: Node, database: str) -> Node:
    """Starts a node on the shared database."""
    return lambda role, pool=None, **changes: run(
        pool, role=role, database_url=database, queue_lease_seconds=1.0, **changes
    )


async def test_every_api_node_knows_what_any_node_did(node: Node) -> None:
    async with node("api") as first, node("api") as second, node("worker", ScriptedPool(default=text_result("read"))):
        job_id = (await first.upload(PNG)).json()["id"]
        assert (await second.ended(job_id))["text"] == "read"
        assert (await first.ended(job_id))["text"] == "read"


async def test_the_bound_of_the_queue_counts_what_other_nodes_took(node: Node) -> None:
    async with node("api", queue_limit=3) as first, node("api", queue_limit=3) as second:
        for _ in range(3):
            assert (await first.upload(PNG)).status_code == 202
        while (await second.client.get("/queue")).json()["depth"] < 3:
            pass
        refused = await second.upload(PNG)
        assert (refused.status_code, refused.json()["code"]) == (503, "queue_full")
        assert (await first.upload(PNG)).status_code == 503


async def test_a_job_waits_for_the_first_worker_node(node: Node) -> None:
    async with node("api") as api:
        assert (await api.client.get("/health/ready")).json()["reasons"] == []
        job_id = (await api.upload(PNG)).json()["id"]
        assert (await api.client.get(f"/images/{job_id}")).json()["status"] == "queued"
        async with node("worker"):
            assert (await api.ended(job_id))["status"] == "done"


async def test_what_is_made_of_uploads_is_made_by_api_nodes_too(node: Node, settings: Settings) -> None:
    events: list[PoolEvent] = []
    drawing = NoWorkers(lambda: processes(settings, EngineOptions(), 1, events.append, reads=False))
    async with node("api", drawing) as api, node("worker", ScriptedPool(default=text_result("read"))):
        job_id = (await api.upload(PNG)).json()["id"]
        await api.ended(job_id)
        assert (await api.client.get(f"/images/{job_id}/file")).content == PNG
        assert not events
        picture = await api.client.get(f"/images/{job_id}/pages/1/image?width=40")
        assert (picture.status_code, probe(picture.content, 10**6).width) == (200, 40)
        document = await api.client.get(f"/images/{job_id}/result?format=pdf")
        assert document.content.startswith(b"%PDF-")
        assert [(event.kind, event.worker) for event in events] == [("started", "drawing-1")]
        assert drawing.workers() == []  # it takes no jobs
    assert psutil.pid_exists(events[0].pid or 0) is False


async def test_a_worker_node_answers_health_and_metrics_only(node: Node) -> None:
    async with node("worker") as worker:
        assert (await worker.upload(PNG)).status_code == 404
        assert (await worker.client.get("/")).status_code == 404
        assert (await worker.client.get("/health/ready")).status_code == 200
        assert (await worker.client.get("/metrics")).status_code == 200


async def test_a_dead_letter_is_requeued_from_another_node(node: Node) -> None:
    pool = ScriptedPool()
    async with node("api") as first, node("all", pool) as second:
        await pool.started.acquire()  # the sample, of which the node tells the others
        pool.script.append(InvalidImage("it is torn"))
        job_id = (await first.upload(PNG)).json()["id"]
        assert (await second.ended(job_id))["status"] == "dead-letter"
        assert (await first.client.post(f"/dead-letters/{job_id}/requeue")).status_code == 202
        assert (await second.ended(job_id))["status"] == "done"


async def test_the_bound_of_the_queue_is_that_of_all_nodes(node: Node) -> None:
    async with node("api", queue_limit=1) as first:
        await first.upload(PNG)
        async with node("api", queue_limit=1) as second:
            while second.service.queue.depth() == 0:  # it counts the entries once a second
                await anyio.lowlevel.checkpoint()
            refused = await second.upload(PNG)
            assert (refused.status_code, refused.json()["code"]) == (503, "queue_full")


async def test_a_job_is_cancelled_at_another_node_and_its_entry_is_gone(node: Node, database: str) -> None:
    async with node("api", queue_limit=1) as first, node("api", queue_limit=1) as second:
        job_id = (await first.upload(PNG)).json()["id"]
        assert (await second.client.delete(f"/images/{job_id}")).json()["status"] == "cancelled"
        assert (await first.ended(job_id))["status"] == "cancelled"
        connection = await connect(database)
        assert await entry_table.depth(connection) == 0
        await connection.close()
        while (await first.upload(PNG)).status_code != 202:  # which counts the entries once a second
            await anyio.lowlevel.checkpoint()


async def test_a_drained_node_leaves_its_job_to_the_others(node: Node) -> None:
    busy = ScriptedPool()
    busy.hold()
    async with node("api") as api:
        async with node("worker", busy, drain_seconds=0.01):
            await busy.started.acquire()  # the sample
            job_id = (await api.upload(PNG)).json()["id"]
            await busy.started.acquire()
        async with node("worker"):
            ended = await api.ended(job_id)
    assert (ended["status"], ended["attempts"], ended["failures"]) == ("done", 1, [])


@pytest.fixture
async def abandoned(database: str) -> AsyncIterator[str]:
    """The id of a job that a node had when it died: picked and claimed, and never heard of again."""
    store = await open_store(database)
    now = datetime.now(UTC)
    info = ImageInfo(media_type="image/png", width=1, height=1, frames=1, size=len(PNG))
    job = Job(id=str(uuid.uuid4()), image=info, created_at=now, updated_at=now, due_at=now)
    await store.add(job, Upload.of(PNG))
    connection = await connect(database)
    entries = await entry_table.queries(connection).dequeue(
        batch_size=1,
        entrypoints={QueueEntrypoint(entry_table.ENTRYPOINT): EntrypointExecutionParameter(concurrency_limit=0)},
        queue_manager_id=QueueManagerId(uuid.uuid4()),
        global_concurrency_limit=None,
        heartbeat_timeout=timedelta(seconds=1),
    )
    assert len(entries) == 1
    await connection.close()
    assert await store.replace(job, job.claimed(now))
    yield job.id
    await store.close()


async def test_what_a_dead_node_had_is_done_by_another_one_and_the_attempt_counts(node: Node, abandoned: str) -> None:
    async with node("all") as survivor:
        ended = await survivor.ended(abandoned)
    assert (ended["status"], ended["attempts"]) == ("done", 2)
    assert [failure["code"] for failure in ended["failures"]] == ["worker_crashed"]


async def test_a_lost_entry_of_the_queue_is_made_again_once(node: Node, database: str) -> None:
    async with node("api") as api:
        job_id = (await api.upload(PNG)).json()["id"]
        connection = await connect(database)
        await connection.execute("DELETE FROM pgqueuer")
        await connection.close()
        assert (await api.service.intake.rescue()).units == 1
        assert (await api.service.intake.rescue()).units == 0
        async with node("worker"):
            assert (await api.ended(job_id))["attempts"] == 1


async def test_a_queue_without_postgres_is_the_one_in_this_process() -> None:
    async with opened_queue(Settings(), Patience()) as queue:
        assert type(queue).__name__ == "LocalQueue"


@pytest.fixture
def unmigrated(postgres: Postgres) -> str:
    return postgres.new_database()


def test_migrate_makes_the_schema_once_and_refuses_a_newer_one(
    unmigrated: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def pretend_to_be_newer() -> None:
        connection = await connect(unmigrated)
        await connection.execute("INSERT INTO schema_migrations VALUES (999, 'of the future', now())")
        await connection.close()

    monkeypatch.setenv("DATABASE_URL", unmigrated)
    assert main(["migrate"]) == 0
    assert main(["migrate"]) == 0
    asyncio.run(pretend_to_be_newer())
    assert main(["migrate"]) == 3
    assert "newer version" in capsys.readouterr().err


async def test_nodes_that_start_at_once_migrate_one_after_the_other(unmigrated: str) -> None:
    stores = await asyncio.gather(*(open_store(unmigrated) for _ in range(3)))
    for store in stores:
        await store.check()
        await store.close()


async def test_an_api_node_says_how_the_worker_nodes_read_and_which_one_said_so(node: Node, database: str) -> None:
    pool = ScriptedPool(default=text_result(sample("health").text))
    async with node("api") as api, NodeReports.opened(database) as reports:
        alone = await api.client.get("/health/ai")
        assert (alone.status_code, alone.json()["status"]) == (503, "failing")
        assert "no worker node" in alone.json()["error"]["detail"]
        async with node("worker", pool, node_name="one") as worker:
            await Member("one", reports, worker.service.capacity, worker.service.ai_health).publish()
            answer = (await api.client.get("/health/ai")).json()
        assert (answer["status"], answer["similarity"]) == ("good", 1.0)
        assert answer["worker"] == "one/worker-1"
        assert (await api.client.get("/health/ai")).json()["status"] == "failing"  # it said that it left
