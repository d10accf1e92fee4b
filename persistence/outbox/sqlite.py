"""The Outbox on SQLite; what is written together with a subject runs inside the transaction of its caller."""

from collections.abc import Awaitable, Callable, Collection, Iterable
from datetime import datetime
from typing import Protocol, TypeVar

import msgspec
from sqlite_utils import Database

from persistence.cursor import Cursor
from persistence.outbox.delivery import Delivery, DeliveryState
from persistence.outbox.port import DeliveryListing, Receiver, Undelivered, receiver_names
from persistence.rows import DELIVERY_COLUMNS
from persistence.sqlite.connection import transaction
from persistence.sqlite.rows import delivery_from_row, to_delivery_row, to_text

T = TypeVar("T")

# of our own constants only
_NAMES = ", ".join(DELIVERY_COLUMNS)
INSERT = f"""
    INSERT INTO deliveries ({_NAMES}) VALUES ({", ".join(f":{column}" for column in DELIVERY_COLUMNS)})
    ON CONFLICT (id) DO NOTHING
"""  # noqa: S608
CHANGING = ("status", "revision", "attempt", "attempts", "due_at", "claimed_until")
UPDATE = f"""
    UPDATE deliveries SET {", ".join(f"{column} = :{column}" for column in CHANGING)}
    WHERE id = :id AND revision = :old_revision AND status = :old_status
"""  # noqa: S608
DUE = f"""
    SELECT {_NAMES} FROM deliveries WHERE id = (
        SELECT id FROM deliveries INDEXED BY deliveries_due
        WHERE status = 'pending' AND due_at <= :now AND (claimed_until IS NULL OR claimed_until <= :now)
            AND owner || ' ' || host NOT IN (SELECT value FROM json_each(:receivers))
            AND owner NOT IN (SELECT value FROM json_each(:owners))
        ORDER BY due_at, id LIMIT 1
    )
"""  # noqa: S608
BY_ID = f"SELECT {_NAMES} FROM deliveries WHERE id = ?"  # noqa: S608
LISTED = f"SELECT {_NAMES} FROM deliveries"  # noqa: S608


def insert(db: Database, deliveries: Iterable[Delivery]) -> None:
    """What is to be told of a change in the same transaction."""
    for delivery in deliveries:
        db.execute(INSERT, to_delivery_row(delivery))


def forget(db: Database, kind: str, subject_id: str) -> None:
    """The subject is forgotten in the same transaction."""
    db.execute("DELETE FROM deliveries WHERE kind = ? AND subject_id = ?", (kind, subject_id))


class Run(Protocol):
    """How work is done on one of the store's connections."""

    def __call__(self, work: Callable[[Database], T]) -> Awaitable[T]:
        """What the work gives."""


class SqliteOutbox:
    """An Outbox in the file of a SqliteStore."""

    def __init__(self, read: Run, write: Run) -> None:
        self._read = read
        self._write = write

    async def claim(
        self,
        now: datetime,
        until: datetime,
        *,
        but_receivers: Collection[Receiver] = (),
        but_owners: Collection[str] = (),
    ) -> Delivery | None:
        receivers = receiver_names(but_receivers)
        wanted = {"now": to_text(now), "receivers": _json(receivers), "owners": _json(but_owners)}

        def due(db: Database) -> Delivery | None:
            row = db.execute(DUE, wanted).fetchone()
            return delivery_from_row(row) if row else None

        def work(db: Database) -> Delivery | None:
            with transaction(db):
                found = due(db)
                claimed = found.claimed(until) if found else None
                if found and claimed:
                    _update(db, found, claimed)
            return claimed

        # nearly always there is none: uploads need not wait to hear of that
        return await self._write(work) if await self._read(due) else None

    async def replace(self, old: Delivery, new: Delivery) -> bool:
        def work(db: Database) -> bool:
            with transaction(db):
                return _update(db, old, new)

        return await self._write(work)

    async def get(self, delivery_id: str) -> Delivery | None:
        row = await self._read(lambda db: db.execute(BY_ID, (delivery_id,)).fetchone())
        return delivery_from_row(row) if row else None

    async def of_subject(self, kind: str, subject_id: str) -> list[Delivery]:
        query = f"SELECT {_NAMES} FROM deliveries WHERE kind = ? AND subject_id = ? ORDER BY created_at, id"  # noqa: S608
        return await self._read(
            lambda db: [delivery_from_row(row) for row in db.execute(query, (kind, subject_id)).fetchall()]
        )

    async def listed(
        self,
        *,
        owner: str | None = None,
        status: DeliveryState | None = None,
        after: Cursor | None = None,
        limit: int = 50,
    ) -> DeliveryListing:
        conditions, values = ["1"], list[str]()
        if owner is not None:
            conditions.append("owner = ?")
            values.append(owner)
        if status is not None:
            # of few that failed among very many the index knows; of what is delivered there are many everywhere
            conditions.append("status = ?" + (" AND status <> 'delivered'" if status.value != "delivered" else ""))
            values.append(status.value)
        if after is not None:
            conditions.append("(created_at, id) < (?, ?)")
            values += [to_text(after.updated_at), after.id]
        query = f"{LISTED} WHERE {' AND '.join(conditions)} ORDER BY created_at DESC, id DESC LIMIT ?"
        found = await self._read(lambda db: db.execute(query, (*values, limit + 1)).fetchall())
        return DeliveryListing.of([delivery_from_row(row) for row in found], limit)

    async def undelivered(self) -> Undelivered:
        query = (
            "SELECT coalesce(sum(status = 'pending'), 0), min(CASE WHEN status = 'pending' THEN created_at END), "
            "coalesce(sum(status = 'failed'), 0) FROM deliveries INDEXED BY deliveries_undelivered "
            "WHERE status <> 'delivered'"
        )
        pending, oldest, failed = await self._read(lambda db: db.execute(query).fetchone())
        return Undelivered(pending=pending, oldest=datetime.fromisoformat(oldest) if oldest else None, failed=failed)


def _update(db: Database, old: Delivery, new: Delivery) -> bool:
    row = to_delivery_row(new) | {"old_status": old.status.value, "old_revision": old.revision}
    return int(db.execute(UPDATE, row).rowcount) == 1


def _json(names: Collection[str]) -> str:
    return msgspec.json.encode(list(names)).decode()
