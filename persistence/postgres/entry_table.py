"""PgQueuer's tables beside ours: an entry can be written in the transaction that stores its job.

What is done with the entries is `persistence/postgres/queue.py`.

PgQueuer's order is by priority, then by age. To make that fair, an entry's priority is its virtual time, negative: the
time of the entry that is next, and for each unfinished job of the same owner and priority one turn later; turns are
shorter where that is high and longer where it is low, as in `fair_order`. Nothing is overtaken for ever: behind what
has waited for AGEING_TIME comes all that is new, however high. Of a job with many pages QUEUE_WINDOW wait at a time,
each claim entering the next one, so that what comes in meanwhile need not wait for all. Measured with two consumers,
all normal, a job of one page behind 300 pages, in page times (p50, p95): first in, first out 125 and 185; this 0.8 and
1.6.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import cast

import asyncpg
from pgqueuer.models import Job as Entry
from pgqueuer.queries import Queries

from persistence.job import Job
from persistence.postgres.connection import Connection
from persistence.queue import STEPS, Ahead, Unit

ENTRYPOINT = "ocr"
"""PgQueuer's name of the kind of work."""
QUEUE_WINDOW = 2
"""Pages of a job that wait in the queue at a time: fewer would let idle workers wait for the next claim."""
AGEING_TIME = timedelta(seconds=60)
"""After which the entry that waits for the longest is not overtaken by new ones any more."""
MAX_COUNTED_JOBS = 1000
"""Unfinished jobs of an owner beyond which no more are counted: the count is asked for with each entry."""

TURN = f"""
    SELECT coalesce(-max(priority), 0) AS now,
        (SELECT queue_tag FROM jobs WHERE id = $2) AS tag,
        (SELECT count(*) FROM (
            SELECT 1 FROM jobs WHERE owner = $3 AND priority = $4 AND status IN ('queued', 'processing')
            LIMIT {MAX_COUNTED_JOBS}
        ) AS unfinished) AS unfinished,
        (SELECT CASE WHEN created < now() - $5::interval THEN -priority END FROM pgqueuer
            WHERE entrypoint = $1 AND status = 'queued' AND execute_after <= now() ORDER BY id LIMIT 1) AS aged
    FROM pgqueuer WHERE entrypoint = $1 AND status = 'queued' AND execute_after <= now()
"""  # noqa: S608 - of our own constants only
# the predicate of PgQueuer's index on `dedupe_key`, without which each page would be searched for in the whole table
NEXT = """
    SELECT number FROM pages WHERE job_id = $1 AND status = 'queued' AND NOT EXISTS (
        SELECT 1 FROM pgqueuer WHERE dedupe_key = pages.job_id || '/' || pages.number
            AND status = ANY (ARRAY['queued'::pgqueuer_status, 'picked'::pgqueuer_status])
    ) ORDER BY number LIMIT $2
"""
DEPTH = """
    SELECT (SELECT count(*) FROM pages WHERE status = 'queued')
        + (SELECT count(*) FROM pgqueuer WHERE entrypoint = $1 AND status = 'queued' AND strpos(dedupe_key, '/') = 0)
"""
AHEAD = """
    WITH mine AS (
        SELECT min(id) AS id, max(priority) AS priority FROM pgqueuer
        WHERE entrypoint = $1 AND status = 'queued' AND (dedupe_key = $2 OR starts_with(dedupe_key, $2 || '/'))
    ), left_of AS (
        SELECT id, greatest(1, pages_total - pages_done - pages_failed) AS pages FROM jobs
        WHERE status IN ('queued', 'processing')
    )
    SELECT (SELECT count(*) FROM pgqueuer, mine WHERE entrypoint = $1 AND status = 'queued'
            AND execute_after <= now() AND (pgqueuer.priority, -pgqueuer.id) > (mine.priority, -mine.id)) AS first,
        (SELECT coalesce(sum(least(others.pages, mine.pages)), 0)::bigint FROM left_of AS others, left_of AS mine
            WHERE mine.id = $2) AS last,
        (SELECT id FROM mine) AS entry
"""


def queries(connection: Connection) -> Queries:
    """PgQueuer's statements on this connection; inside its transaction, where there is one."""
    return Queries.from_asyncpg_connection(cast("asyncpg.Connection[asyncpg.Record]", connection))


async def enqueue(connection: Connection, unit: Unit, delay: float = 0.0) -> bool:
    """An entry for the unit, due in `delay` seconds; False where it has one already, waiting or being worked on."""
    turn = await connection.fetchrow(TURN, ENTRYPOINT, unit.job_id, unit.owner, unit.priority, AGEING_TIME)
    assert turn is not None
    step, turns = STEPS[unit.priority], max(1, turn["unfinished"])
    begins = max(turn["now"], turn["aged"] or 0) + max(0, step - STEPS["normal"])
    tag = max((turn["tag"] or 0) + step * turns, begins + step * (turns - 1))
    entries = await queries(connection).enqueue(
        ENTRYPOINT,
        unit.name.encode(),
        priority=-tag,
        execute_after=timedelta(seconds=max(0.0, delay)),
        dedupe_key=unit.name,
        on_conflict="skip",
    )
    entered = entries[0] is not None
    if entered and unit.page:
        await connection.execute("UPDATE jobs SET queue_tag = $2 WHERE id = $1", unit.job_id, tag)
    return entered


async def enqueue_pages(connection: Connection, job: Job, count: int = 1) -> None:
    """Entries for the next so many pages of the job that have none. The caller holds the job's row locked."""
    for record in await connection.fetch(NEXT, job.id, count):
        await enqueue(connection, Unit.of(job, record["number"]))


async def discard(connection: Connection, job_id: str) -> None:
    """Takes the job's entries out that wait. An entry that is being worked on stays its worker's."""
    # PgQueuer's own statement for it would ask for the entry's number, and tell the node that works on it to stop
    await connection.execute(
        "DELETE FROM pgqueuer WHERE entrypoint = $1 AND status = 'queued' "
        "AND (dedupe_key = $2 OR starts_with(dedupe_key, $2 || '/'))",
        ENTRYPOINT,
        job_id,
    )


async def hold(connection: Connection, entries: Sequence[Entry]) -> None:
    """Says that those who took the entries are alive; nothing of an entry that another node has taken since."""
    await connection.execute(
        "UPDATE pgqueuer SET heartbeat = now() WHERE status = 'picked' AND id = ANY($1) AND queue_manager_id = ANY($2)",
        [entry.id for entry in entries],
        [entry.queue_manager_id for entry in entries],
    )


async def depth(connection: Connection) -> int:
    """Units that wait, delayed ones and pages without an entry included."""
    return int(await connection.fetchval(DEPTH, ENTRYPOINT))


async def ahead(connection: Connection, job_id: str) -> Ahead | None:
    """What comes before the units of the job; the last one's by rule of thumb. None where none of its has an entry."""
    row = await connection.fetchrow(AHEAD, ENTRYPOINT, job_id)
    assert row is not None
    if row["entry"] is None:
        return None
    # jobs take turns: before its last page each other job has had as many, if it has so many
    return Ahead(first=row["first"], last=max(row["first"], row["last"] - 1))


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
