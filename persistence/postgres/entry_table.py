"""PgQueuer's tables beside ours: an entry can be written in the transaction that stores its job.

What is done with the entries is `persistence/postgres/queue.py`.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import cast

import asyncpg
from pgqueuer.models import Job as Entry
from pgqueuer.queries import Queries

from persistence.postgres.connection import Connection

ENTRYPOINT = "ocr"
"""PgQueuer's name of the kind of work."""


def queries(connection: Connection) -> Queries:
    """PgQueuer's statements on this connection; inside its transaction, where there is one."""
    return Queries.from_asyncpg_connection(cast("asyncpg.Connection[asyncpg.Record]", connection))


async def enqueue(connection: Connection, job_id: str, delay: float = 0.0) -> bool:
    """An entry for the job, due in `delay` seconds; False where it has one already, waiting or being worked on."""
    entries = await queries(connection).enqueue(
        ENTRYPOINT,
        job_id.encode(),
        execute_after=timedelta(seconds=max(0.0, delay)),
        dedupe_key=job_id,
        on_conflict="skip",
    )
    return entries[0] is not None


async def discard(connection: Connection, job_id: str) -> bool:
    """Takes the job's entry out; False where none waits. An entry that is being worked on stays its worker's."""
    # PgQueuer's own statement for it would ask for the entry's number, and tell the node that works on it to stop
    status = await connection.execute(
        "DELETE FROM pgqueuer WHERE entrypoint = $1 AND dedupe_key = $2 AND status = 'queued'", ENTRYPOINT, job_id
    )
    return bool(status != "DELETE 0")


async def hold(connection: Connection, entries: Sequence[Entry]) -> None:
    """Says that those who took the entries are alive; nothing of an entry that another node has taken since."""
    await connection.execute(
        "UPDATE pgqueuer SET heartbeat = now() WHERE status = 'picked' AND id = ANY($1) AND queue_manager_id = ANY($2)",
        [entry.id for entry in entries],
        [entry.queue_manager_id for entry in entries],
    )


async def depth(connection: Connection) -> int:
    """Entries that wait, delayed ones included."""
    # not `queued_work`: that one only tells whether there is any
    sizes = await queries(connection).queue_size()
    return sum(size.count for size in sizes if size.entrypoint == ENTRYPOINT and size.status == "queued")


async def prune(connection: Connection, older_than: timedelta) -> None:
    """Forgets what PgQueuer logged: three rows a job, which it keeps for ever and nobody here reads."""
    await connection.execute("DELETE FROM pgqueuer_log WHERE created < now() - $1::interval", older_than)


async def install(connection: Connection) -> None:
    """PgQueuer's schema, as the installed version wants it; changes nothing where it is so already."""
    engine = queries(connection)
    if await engine.schema_is_installed():
        await engine.upgrade()
    else:
        await engine.install()
