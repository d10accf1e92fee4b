"""The reports of nodes in the shared database: published, read, forgotten."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Self

from msgspec import Struct

from persistence.patience import Patience
from persistence.postgres.connection import Connection, Connections


class NodeReport(Struct, frozen=True):
    """The latest word of one node."""

    node: str
    text: str
    age: float
    """Seconds, by the database's clock."""


class NodeReports:
    """One row a node."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    @classmethod
    @asynccontextmanager
    async def opened(cls, url: str, patience: Patience = Patience()) -> AsyncIterator[Self]:
        """On the database that a store has migrated. Closed at the end."""
        connections = await Connections.open(url, 1, patience)
        try:
            yield cls(connections)
        finally:
            await connections.close()

    async def publish(self, node: str, text: str) -> None:
        """Replaces the node's report, and forgets nodes that were silent for an hour. Raises StoreError."""

        async def work(connection: Connection, _: bool) -> None:
            await connection.execute(
                "INSERT INTO nodes (name, report, reported_at) VALUES ($1, $2, now()) "
                "ON CONFLICT (name) DO UPDATE SET report = excluded.report, reported_at = excluded.reported_at",
                node,
                text,
            )
            await connection.execute("DELETE FROM nodes WHERE reported_at < now() - interval '1 hour'")

        await self._connections.write(work)

    async def forget(self, node: str) -> None:
        """The node is no more. Raises StoreError."""

        async def work(connection: Connection, _: bool) -> None:
            await connection.execute("DELETE FROM nodes WHERE name = $1", node)

        await self._connections.write(work)

    async def recent(self, within: float) -> list[NodeReport]:
        """The reports younger than so many seconds, newest first. Raises StoreError."""
        rows = await self._connections.read(
            lambda connection: connection.fetch(
                "SELECT name, report, extract(epoch FROM now() - reported_at)::float8 FROM nodes "
                "WHERE reported_at > now() - make_interval(secs => $1) ORDER BY reported_at DESC",
                within,
            )
        )
        return [NodeReport(*row) for row in rows]
