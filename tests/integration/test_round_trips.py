"""What the stores ask of a database beside the work: nothing, since each round trip costs both sides some 0.1 ms."""

import asyncio

import asyncpg

from persistence.patience import Patience
from persistence.postgres.connection import Connection, Connections
from tests.postgres import Postgres


def test_a_read_of_postgres_is_one_round_trip(postgres: Postgres) -> None:
    assert asyncio.run(asked_by_reads(postgres.empty_database())) == ["SELECT 1", "SELECT 2"]


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
