"""The Outbox on PostgreSQL; what is written together with a subject runs inside the transaction of its caller."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from persistence.cursor import Cursor
from persistence.outbox.delivery import Delivery, DeliveryState
from persistence.outbox.port import DeliveryListing, Receiver, Undelivered, receiver_names
from persistence.postgres.connection import Connection, Connections, storable
from persistence.rows import DELIVERY_COLUMNS, delivery_from_row, to_delivery_row

# of our own constants only
_NAMES = ", ".join(DELIVERY_COLUMNS)
_VALUES = ", ".join(f"${number}" for number, _ in enumerate(DELIVERY_COLUMNS, 1))
INSERT = f"INSERT INTO deliveries ({_NAMES}) VALUES ({_VALUES}) ON CONFLICT (id) DO NOTHING"  # noqa: S608
UPDATE = f"""
    UPDATE deliveries SET ({_NAMES}) = ({_VALUES})
    WHERE id = $1 AND revision = ${len(DELIVERY_COLUMNS) + 1} AND status = ${len(DELIVERY_COLUMNS) + 2}
    RETURNING id
"""  # noqa: S608
DUE = f"""
    SELECT {_NAMES} FROM deliveries
    WHERE status = 'pending' AND due_at <= $1 AND (claimed_until IS NULL OR claimed_until <= $1)
        AND owner || ' ' || host <> ALL ($2::text[]) AND owner <> ALL ($3::text[])
    ORDER BY due_at, id LIMIT 1 FOR UPDATE SKIP LOCKED
"""  # noqa: S608
BY_ID = f"SELECT {_NAMES} FROM deliveries WHERE id = $1"  # noqa: S608
OF_SUBJECT = f"SELECT {_NAMES} FROM deliveries WHERE kind = $1 AND subject_id = $2 ORDER BY created_at, id"  # noqa: S608
LISTED = f"""
    SELECT {_NAMES} FROM deliveries
    WHERE ($1::text IS NULL OR owner = $1) AND ($2::text IS NULL OR status = $2)
        AND ($3::timestamptz IS NULL OR (created_at, id) < ($3, $4))
    ORDER BY created_at DESC, id DESC LIMIT $5
"""  # noqa: S608
UNDELIVERED = """
    SELECT count(*) FILTER (WHERE status = 'pending') AS pending,
        min(created_at) FILTER (WHERE status = 'pending') AS oldest,
        count(*) FILTER (WHERE status = 'failed') AS failed
    FROM deliveries WHERE status <> 'delivered'
"""


async def insert(connection: Connection, deliveries: Iterable[Delivery]) -> None:
    """What is to be told of a change in the same transaction."""
    for delivery in deliveries:
        await connection.execute(INSERT, *_values(delivery))


async def forget(connection: Connection, kind: str, subject_id: str) -> None:
    """The subject is forgotten in the same transaction."""
    await connection.execute("DELETE FROM deliveries WHERE kind = $1 AND subject_id = $2", kind, subject_id)


class PostgresOutbox:
    """An Outbox in the database of a PostgresStore."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    async def claim(
        self,
        now: datetime,
        until: datetime,
        *,
        but_receivers: Collection[Receiver] = (),
        but_owners: Collection[str] = (),
    ) -> Delivery | None:
        # what a first try claimed whose answer was lost is free again when its claim is over
        async def work(connection: Connection, _: bool) -> Delivery | None:
            row = await connection.fetchrow(DUE, now, receiver_names(but_receivers), list(but_owners))
            if row is None:
                return None
            found = delivery_from_row(dict(row))
            claimed = found.claimed(until)
            await _update(connection, found, claimed)
            return claimed

        return await self._connections.write(work)

    async def replace(self, old: Delivery, new: Delivery) -> bool:
        async def work(connection: Connection, again: bool) -> bool:
            if await _update(connection, old, new):
                return True
            query = "SELECT 1 FROM deliveries WHERE id = $1 AND revision = $2 AND status = $3"
            return again and await connection.fetchval(query, new.id, new.revision, new.status.value) is not None

        return await self._connections.write(work)

    async def get(self, delivery_id: str) -> Delivery | None:
        if not storable(delivery_id):
            return None
        row = await self._connections.read(lambda connection: connection.fetchrow(BY_ID, delivery_id))
        return delivery_from_row(dict(row)) if row else None

    async def of_subject(self, kind: str, subject_id: str) -> list[Delivery]:
        rows = await self._connections.read(lambda connection: connection.fetch(OF_SUBJECT, kind, subject_id))
        return [delivery_from_row(dict(row)) for row in rows]

    async def listed(
        self,
        *,
        owner: str | None = None,
        status: DeliveryState | None = None,
        after: Cursor | None = None,
        limit: int = 50,
    ) -> DeliveryListing:
        if after is not None and not storable(after.id):
            return DeliveryListing(deliveries=(), next=None)
        at, last = (after.updated_at, after.id) if after else (None, None)
        wanted = (owner, status.value if status else None, at, last, limit + 1)
        rows = await self._connections.read(lambda connection: connection.fetch(LISTED, *wanted))
        return DeliveryListing.of([delivery_from_row(dict(row)) for row in rows], limit)

    async def undelivered(self) -> Undelivered:
        row = await self._connections.read(lambda connection: connection.fetchrow(UNDELIVERED))
        assert row is not None
        return Undelivered(**dict(row))


async def _update(connection: Connection, old: Delivery, new: Delivery) -> bool:
    return await connection.fetchval(UPDATE, *_values(new), old.revision, old.status.value) is not None


def _values(delivery: Delivery) -> list[Any]:
    row = to_delivery_row(delivery)
    return [row[column] for column in DELIVERY_COLUMNS]
