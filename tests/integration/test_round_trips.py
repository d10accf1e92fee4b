"""What the stores ask of a database beside the work: nothing, since each round trip costs both sides some 0.1 ms."""

import asyncio
import uuid
from datetime import timedelta
from typing import Any

import asyncpg
from pgqueuer.db import AsyncpgDriver
from pgqueuer.domain.types import QueueEntrypoint
from pgqueuer.queries import EntrypointExecutionParameter

from persistence.patience import Patience
from persistence.postgres import entry_table
from persistence.postgres.connection import Connection, Connections
from persistence.postgres.queue import OUTLOOK, ExactQueries
from persistence.queue import Unit
from tests.postgres import Postgres

KINDS = [QueueEntrypoint(entry_table.ENTRYPOINT)]


def test_a_read_of_postgres_is_one_round_trip(postgres: Postgres) -> None:
    assert asyncio.run(asked_by_reads(postgres.empty_database())) == ["SELECT 1", "SELECT 2"]


def test_while_all_workers_are_busy_the_queue_asks_postgres_nothing(postgres: Postgres) -> None:
    asyncio.run(busy_and_idle(postgres.empty_database()))


class WatchedDriver(AsyncpgDriver):
    """Remembers what it was asked."""

    def __init__(self, connection: "asyncpg.Connection[asyncpg.Record]") -> None:
        super().__init__(connection)
        self.asked: list[str] = []

    async def fetch(self, query: str, *args: Any) -> list[dict[str, Any]]:
        self.asked.append(query)
        return await super().fetch(query, *args)


async def busy_and_idle(url: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        handled: list[str] = ["a"]
        driver = WatchedDriver(connection)
        queries = ExactQueries(driver, max_entries=1, handled=handled)
        await entry_table.enqueue(connection, Unit("due"))
        assert await taken(queries) == []
        assert await queries.eligible_queued_work(KINDS) > 0
        assert driver.asked == []

        handled.clear()
        assert await outlook(queries) == (1, None, 0)
        assert await taken(queries) == ["due"]
        assert await outlook(queries) == (0, None, 0)
        await entry_table.enqueue(connection, Unit("later"), delay=100.0)
        due, eta, between = await outlook(queries)
        assert (due, between) == (0, 0)
        assert eta is not None
        assert timedelta(seconds=90) < eta < timedelta(seconds=101)
        assert driver.asked.count(OUTLOOK) == 3
    finally:
        await connection.close()


async def taken(queries: ExactQueries) -> list[str]:
    entries = await queries.dequeue(
        batch_size=1,
        entrypoints={kind: EntrypointExecutionParameter(concurrency_limit=0) for kind in KINDS},
        queue_manager_id=uuid.uuid4(),
        global_concurrency_limit=2,
        heartbeat_timeout=timedelta(seconds=30),
    )
    return [(entry.payload or b"").decode() for entry in entries]


async def outlook(queries: ExactQueries) -> tuple[int, timedelta | None, int]:
    """In the order in which PgQueuer asks."""
    due = await queries.eligible_queued_work(KINDS)
    return due, await queries.next_deferred_eta(KINDS), await queries.queued_work(KINDS)


async def asked_by_reads(url: str) -> list[str]:
    """All statements of two reads, on the pool's only connection."""
    asked: list[str] = []

    async def note(query: asyncpg.connection.LoggedQuery) -> None:
        asked.append(query.query)

    async def first(connection: Connection) -> None:
        connection.add_query_logger(note)
        await connection.fetchval("SELECT 1")

    connections = await Connections.open(url, 1, Patience())
    try:
        await connections.read(first)
        await connections.read(lambda connection: connection.fetchval("SELECT 2"))
    finally:
        await connections.close()
    return asked
