"""Statements about requests that may be sent again, each inside the transaction that its caller has begun."""

from datetime import datetime

from persistence.postgres.connection import Connection
from persistence.repeat import REPEAT_TIME, AlreadySubmitted, Repeat

# of two that come at once the second one waits here for the first: it is refused when that is committed, or goes on
INSERT = """
    INSERT INTO repeats (owner, key, fingerprint, job_id, created_at) VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (owner, key) DO UPDATE SET fingerprint = $3, job_id = $4, created_at = $5
        WHERE repeats.created_at < $6 OR repeats.job_id = $4
    RETURNING job_id
"""


async def insert(connection: Connection, repeat: Repeat, named: str, moment: datetime) -> None:
    """The key stands for the job or batch of that name, made at that moment. Raises AlreadySubmitted."""
    oldest = moment - REPEAT_TIME
    values = (repeat.owner, repeat.key, repeat.fingerprint, named, moment, oldest)
    if await connection.fetchval(INSERT, *values) is not None:
        return
    earlier = await find(connection, repeat.owner, repeat.key, oldest)
    assert earlier is not None  # locked by the statement before
    raise earlier


async def find(connection: Connection, owner: str, key: str, since: datetime) -> AlreadySubmitted | None:
    """See JobStore.submitted."""
    row = await connection.fetchrow(
        "SELECT job_id, fingerprint FROM repeats WHERE owner = $1 AND key = $2 AND created_at >= $3", owner, key, since
    )
    return AlreadySubmitted(*row) if row else None


async def forget(connection: Connection, before: datetime) -> int:
    """See JobStore.forget_repeats."""
    return len(await connection.fetch("DELETE FROM repeats WHERE created_at < $1 RETURNING key", before))
