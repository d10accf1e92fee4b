"""Statements about what ended in each minute, each inside the transaction that its caller has begun."""

from datetime import datetime

from persistence.history.minute import Minute
from persistence.postgres.connection import Connection

# each connection has a row of its own, but for chance: all writers would wait for each other at one
ADD = """
    INSERT INTO minutes VALUES ($1, pg_backend_pid() % 16, $2, $3, $4, $5)
    ON CONFLICT (begins, place) DO UPDATE SET
        pages_read = minutes.pages_read + excluded.pages_read,
        pages_failed = minutes.pages_failed + excluded.pages_failed,
        wait_seconds = minutes.wait_seconds + excluded.wait_seconds,
        recognition_seconds = minutes.recognition_seconds + excluded.recognition_seconds
"""
SINCE = """
    SELECT begins, sum(pages_read)::bigint AS pages_read, sum(pages_failed)::bigint AS pages_failed,
        sum(wait_seconds) AS wait_seconds, sum(recognition_seconds) AS recognition_seconds
    FROM minutes WHERE begins >= $1 GROUP BY begins ORDER BY begins
"""


async def add(connection: Connection, ended: Minute | None) -> None:
    """Adds what ended to its minute; the last rows that a transaction locks, so that none waits for it in a ring."""
    if ended is not None:
        counts = (ended.pages_read, ended.pages_failed, ended.wait_seconds, ended.recognition_seconds)
        await connection.execute(ADD, ended.begins, *counts)


async def since(connection: Connection, moment: datetime) -> list[Minute]:
    """See JobStore.minutes."""
    return [Minute(**dict(record)) for record in await connection.fetch(SINCE, moment)]


async def forget(connection: Connection, before: datetime) -> int:
    """See JobStore.forget_minutes."""
    return len(await connection.fetch("DELETE FROM minutes WHERE begins < $1 RETURNING place", before))
