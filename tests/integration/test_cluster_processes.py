"""Nodes as processes that freeze or die at the worst moment: one job, one outcome."""

import asyncio
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from persistence.opening import open_store
from samples import sample
from tests.chaos.node import Node
from tests.e2e.conftest import PATIENCE, Server
from tests.postgres import Postgres

KNOWN = sample("health")
Start = Callable[..., Server]


@pytest.fixture
def database(postgres: Postgres) -> str:
    return postgres.empty_database()


@pytest.fixture
def node(database: str, tmp_path: Path) -> Iterator[Start]:
    """Starts nodes with an engine that knows the samples by heart; whatever still runs at the end is killed."""
    nodes = []

    def started(role: str, **settings: str) -> Server:
        shared = {"ROLE": role, "DATABASE_URL": database, "QUEUE_LEASE_SECONDS": "1", "RETRY_BASE_SECONDS": "0.01"}
        life = Node(role, tmp_path, shared | settings, "tests.chaos.scripted_service")
        nodes.append(life)
        life.start()
        return life.server.ready()

    yield started
    for life in nodes:
        life.end()
        life.server.client.close()


@pytest.mark.parametrize("thawed", ["while the other one reads", "after the other one has read"])
def test_the_late_outcome_of_a_frozen_node_is_dropped_and_the_job_ends_once(node: Start, thawed: str) -> None:
    api, frozen = node("api"), node("worker", SCRIPTED_HOLD="1")
    job_id = api.upload(KNOWN.data)
    frozen.wait_for("job.claimed", job_id=job_id)
    frozen.process.send_signal(signal.SIGSTOP)
    # it comes while the process is stopped: the recognition ends when it is thawed, and never before
    frozen.process.send_signal(signal.SIGUSR1)
    other = node("worker", SCRIPTED_HOLD="1")
    other.wait_for("job.claimed", job_id=job_id)
    if thawed.startswith("while"):
        frozen.process.send_signal(signal.SIGCONT)
        frozen.wait_for("job.outcome_dropped", job_id=job_id)
        other.process.send_signal(signal.SIGUSR1)
        other.wait_for("job.done", job_id=job_id)
    else:
        other.process.send_signal(signal.SIGUSR1)
        other.wait_for("job.done", job_id=job_id)
        frozen.process.send_signal(signal.SIGCONT)
        frozen.wait_for("job.outcome_dropped", job_id=job_id)
    told = api.client.get(f"/images/{job_id}").json()
    assert (told["status"], told["text"], told["attempts"]) == ("done", KNOWN.text, 2)
    assert [failure["code"] for failure in told["failures"]] == ["worker_crashed"]
    assert (ends(frozen), ends(other)) == (0, 1)
    # and takes part again
    assert other.stop() == 0
    another = api.upload(KNOWN.data)
    frozen.wait_for("job.done", job_id=another)


def test_an_upload_whose_node_dies_before_it_answers_is_one_job_that_ends_once(node: Start, database: str) -> None:
    dying, api = node("api", SCRIPTED_DEATH="job.accepted"), node("api")
    with pytest.raises(httpx.TransportError):
        dying.client.post("/images", files={"file": KNOWN.data})
    assert dying.process.wait(PATIENCE) == -signal.SIGKILL
    worker = node("worker")
    job_id = worker.wait_for("job.done")["job_id"]
    told = api.client.get(f"/images/{job_id}").json()
    assert (told["status"], told["text"], told["attempts"]) == ("done", KNOWN.text, 1)
    # a client that tries again has a job of its own: the first one's id was never told
    again = api.upload(KNOWN.data)
    worker.wait_for("job.done", job_id=again)
    assert ends(worker) == 2
    assert asyncio.run(stored(database)) == 2


async def stored(database: str) -> int:
    """Jobs of every state."""
    store = await open_store(database)
    try:
        return sum((await store.counts()).values())
    finally:
        await store.close()


def ends(node: Server) -> int:
    """Jobs that the node's metrics say it has ended."""
    lines = node.client.get("/metrics").text.splitlines()
    return sum(int(float(line.split()[-1])) for line in lines if line.startswith("ocr_jobs_ended_total{"))
