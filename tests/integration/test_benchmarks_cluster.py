"""The cluster benchmark on a real PostgreSQL, with an engine that takes no time."""

import asyncpg
import pytest

from benchmarks.cluster import scaling, spread
from benchmarks.cluster.postgres import server
from benchmarks.report.progress import Progress
from benchmarks.service.server_process import FAKE
from persistence.store import StoreUnusable
from samples import sample
from tests.postgres import Postgres

pytestmark = pytest.mark.anyio


@pytest.fixture
def url(postgres: Postgres) -> str:
    return postgres.new_database()


async def databases(url: str) -> list[str]:
    connection = await asyncpg.connect(url)
    try:
        rows = await connection.fetch("SELECT datname FROM pg_database WHERE datname LIKE 'ocr_benchmark_%'")
    finally:
        await connection.close()
    return [row["datname"] for row in rows]


async def test_nodes_without_ocr_end_every_job_and_leave_no_database(url: str) -> None:
    async with server(url) as running, running.database() as database:
        point = await scaling.without_ocr(running, database, 2, 2, 16, 50_000, Progress())
        assert len(await databases(url)) == 1
    assert await databases(url) == []
    assert (point.nodes, point.jobs, point.image_bytes) == (2, 16, 50_000)
    assert point.uploads_per_second > 0
    assert point.jobs_per_second > 0
    # every image is written to the log once, and to the table
    assert 50_000 < point.log_bytes < 150_000
    assert point.database_cpu is None  # not a server of the benchmark's own


async def test_one_node_and_two_read_the_same_jobs_and_lose_none(url: str) -> None:
    plan = spread.Plan(round_seconds=0.1, pairs=1, rate=0.5, rate_seconds=0.2)
    async with server(url) as running:
        splits = await spread.measure(running, [sample("tiny").path], plan, kind=FAKE, progress=Progress())
    assert [(split.nodes, split.workers) for split in splits] == [(1, 2), (2, 1)]
    for split in splits:
        assert split.errors == 0
        assert split.rate > 0
        assert split.load.jobs == split.load.latency.count
        assert split.predicted_p50[0] <= split.predicted_p50[1]
    assert splits[0].recognition.count == splits[1].recognition.count > 0


async def test_a_server_of_its_own_says_what_it_spends_and_is_gone_afterwards() -> None:
    async with server(None) as own:
        before = own.cpu_seconds()
        async with own.database() as database:
            gone = database.url
            assert await database.size() > 1_000_000
        after = own.cpu_seconds()
    assert before is not None
    assert after is not None
    assert after >= before
    with pytest.raises((OSError, asyncpg.PostgresError)):
        await asyncpg.connect(gone)


async def test_a_server_that_cannot_be_reached_is_told() -> None:
    with pytest.raises(StoreUnusable, match="PostgreSQL: "):
        async with server("postgresql://nobody@127.0.0.1:1/none") as running, running.database():
            pass
