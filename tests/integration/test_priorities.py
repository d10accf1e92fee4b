"""What is high comes before what is normal and low, on both queues, and nothing starves; keys have a highest one."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from app.http.access.key_file import hash_key
from persistence.job import JobOptions, Priority
from persistence.opening import open_store
from persistence.postgres.connection import Connection, connect
from persistence.upload import Upload
from samples import sample
from tests.contract.jobs import job
from tests.postgres import Postgres
from tests.scripted_pool import ScriptedPool, text_result

pytestmark = pytest.mark.anyio

PNG = sample("tiny").data
Add = Callable[[str, Priority, str], Any]


@pytest.fixture
def database(postgres: Postgres) -> str:
    return postgres.empty_database()


@pytest.fixture
async def add(database: str) -> AsyncIterator[Add]:
    """Adds a job of that id, priority and owner to the shared store."""
    store = await open_store(database)

    async def add(name: str, priority: Priority, owner: str = "ann") -> None:
        await store.add(structs.replace(job(name, owner=owner), options=JobOptions(priority=priority)), Upload.of(PNG))

    yield add
    await store.close()


@pytest.fixture
async def connection(database: str, add: Add) -> AsyncIterator[Connection]:
    connection = await connect(database)
    yield connection
    await connection.close()


async def order(connection: Connection) -> list[str]:
    """As nodes take them."""
    found = await connection.fetch("SELECT dedupe_key FROM pgqueuer ORDER BY priority DESC, id")
    return [record["dedupe_key"] for record in found]


async def test_in_the_shared_queue_high_is_next_and_low_lets_others_go_first(add: Add, connection: Connection) -> None:
    for number in range(9):
        await add(f"normal-{number}", "normal", "ann")
    await add("low", "low", "ann")
    await add("high", "high", "ann")
    await add("high of bob", "high", "bob")
    await add("of cem", "normal", "cem")
    assert (await order(connection))[:5] == ["normal-0", "high", "high of bob", "of cem", "normal-1"]
    assert (await order(connection)).index("low") in (7, 8)
    for number in range(8):
        await add(f"high-{number}", "high", "ann")
    assert (await order(connection)).index("normal-3") > 12, "its turns are a quarter as long"


async def test_in_the_shared_queue_nothing_is_overtaken_for_ever(add: Add, connection: Connection) -> None:
    await add("normal", "normal", "ann")
    await add("low", "low", "bob")
    await connection.execute("DELETE FROM pgqueuer WHERE dedupe_key = 'normal'")
    await add("normal of cem", "normal", "cem")
    await add("low of cem", "low", "cem")
    await connection.execute("UPDATE pgqueuer SET created = created - interval '61 seconds' WHERE dedupe_key = 'low'")
    await add("high", "high", "dan")
    await add("high, too", "high", "eve")
    found = await order(connection)
    assert found.index("low") < found.index("high") < found.index("low of cem")


async def test_a_key_may_be_bound_to_a_highest_priority(run: Any, tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    keys.write_text(f"ann:{hash_key('sq_ann')}\nbob:{hash_key('sq_bob')} priority=normal\n")
    pool = ScriptedPool(default=text_result("read"))
    async with run(pool, api_keys_file=str(keys)) as service:
        got = [
            (await service.client.post("/images", content=PNG, params=asked, headers={"X-API-Key": key})).json()
            for key, asked in [
                ("sq_ann", {"priority": "high"}),
                ("sq_bob", {"priority": "high"}),
                ("sq_bob", {"priority": "low"}),
                ("sq_bob", {}),
                ("sq_ann", {}),
            ]
        ]
        assert [each["options"]["priority"] for each in got] == ["high", "normal", "low", "normal", "normal"]


async def test_what_is_high_is_read_before_what_waits_after_a_restart_too(run: Any) -> None:
    pool = ScriptedPool(default=text_result("read"))
    pool.hold()
    async with run(pool, max_workers=1, drain_seconds=0.01) as service:
        first = (await service.client.post("/images", content=PNG)).json()["id"]
        await pool.started.acquire()
        waiting = [(await service.client.post("/images", content=PNG)).json()["id"] for _ in range(3)]
        high = (await service.client.post("/images?priority=high", content=PNG)).json()["id"]
        low = (await service.client.post("/images?priority=low", content=PNG)).json()["id"]
    async with run(ScriptedPool(default=text_result("read")), max_workers=1) as service:
        jobs = {name: await service.ended(name) for name in (first, *waiting, high, low)}
        moments = sorted(jobs, key=lambda name: jobs[name]["timestamp"])
        assert moments.index(high) <= 1
        assert moments.index(low) >= 3
