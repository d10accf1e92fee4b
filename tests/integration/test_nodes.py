"""What nodes on one PostgreSQL know of each other."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest

from app.cluster.nodes import Node, default_name
from app.cluster.shared_health import SharedHealth
from app.health import Grade, Verdict
from app.jobs.capacity import Capacity
from persistence.opening import open_store
from persistence.postgres.nodes import NodeReports
from tests.postgres import Postgres

pytestmark = pytest.mark.anyio


class ReadsWell:
    """The health of workers that read the sample as they should."""

    async def verdict(self) -> Verdict:
        return Verdict(
            grade=Grade.GOOD,
            latency_seconds=0.2,
            ocr_seconds=0.1,
            sample_text="text",
            expected_text="text",
            similarity=1.0,
            confidence=0.9,
            worker="worker-1",
            taken_at=0.0,
        )

    def age(self, verdict: Verdict) -> float:
        return 0.0

    async def close(self) -> None:
        return


@pytest.fixture
def database(postgres: Postgres) -> str:
    return postgres.empty_database()


@pytest.fixture
async def reports(database: str) -> AsyncIterator[NodeReports]:
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback((await open_store(database)).close)
        yield await stack.enter_async_context(NodeReports.opened(database))


async def test_every_node_knows_the_workers_of_all_and_of_none_twice(reports: NodeReports) -> None:
    api = Capacity(workers=0, first_guess=9.0)
    watcher = Node("api", reports, api, None)
    first = Node("first", reports, Capacity(workers=1, first_guess=1.0), ReadsWell())
    second_capacity = Capacity(workers=3, first_guess=2.0)
    second = Node("second", reports, second_capacity, ReadsWell())

    await watcher.publish()
    await watcher.refresh()
    assert (api.workers, api.drain_seconds(4)) == (0, None)

    await first.publish()
    await second.publish()
    await watcher.refresh()
    assert (api.workers, api.service_seconds) == (4, 1.75)
    await second.refresh()
    assert (second_capacity.workers, second_capacity.own_workers) == (4, 3)

    await second.leave()
    await watcher.refresh()
    assert (api.workers, api.service_seconds) == (1, 1.0)


async def test_nodes_on_one_host_have_rows_of_their_own(reports: NodeReports) -> None:
    for name in (default_name(), f"{default_name()}0"):
        await Node(name, reports, Capacity(workers=1, first_guess=1.0), ReadsWell()).publish()
    assert len(await reports.recent(60.0)) == 2


async def test_a_node_that_is_silent_counts_no_longer(reports: NodeReports) -> None:
    await Node("one", reports, Capacity(workers=1, first_guess=1.0), ReadsWell()).publish()
    assert await reports.recent(0.0) == []


async def test_a_node_that_speaks_another_way_is_passed_over(reports: NodeReports) -> None:
    capacity = Capacity(workers=0, first_guess=9.0)
    await Node("reader", reports, Capacity(workers=2, first_guess=1.0), ReadsWell()).publish()
    await reports.publish("from the future", '{"readings": []}')
    await Node("api", reports, capacity, None).refresh()
    assert capacity.workers == 2
    assert (await SharedHealth(reports, "text").verdict()).worker == "reader/worker-1"


async def test_a_node_that_hears_and_says_nothing_any_more_is_not_ready(
    run: Any, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def die(_: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(Node, "publish", die)
    async with run(database_url=database) as service:
        answer = await service.client.get("/health/ready")
        while answer.json()["reasons"] != ["the loop 'node-report' died"]:
            answer = await service.client.get("/health/ready")
        assert answer.status_code == 503
