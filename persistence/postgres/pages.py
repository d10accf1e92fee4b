"""Statements about jobs and their pages, each inside the transaction that its caller has begun.

The job's row is locked first, always: of two pages that end at once the second one then sees what the first one did,
and the last one ends the job. The other way round "store my page, and if none is left, the job" never ended a job
whose last two pages ended at the same moment (99 of 100 in READ COMMITTED).
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from persistence.batches import postgres_rows as batch_rows
from persistence.history import postgres as minutes
from persistence.history.minute import of_job, of_page
from persistence.job import IllegalTransition, Job, JobState
from persistence.outbox import postgres as outbox
from persistence.outbox.delivery import deliveries_of
from persistence.page import Page, PageState, job_after, outlined, with_pages
from persistence.postgres import entry_table
from persistence.postgres.connection import Connection
from persistence.postgres.notifications import announced, announcement
from persistence.rows import COLUMNS, PAGE_COLUMNS, from_row, page_from_row, to_page_row, to_row
from persistence.store import EqualGone, PageChange

# of our own constants only
NAMES = ", ".join(COLUMNS)
VALUES = ", ".join(f"${number}" for number, _ in enumerate(COLUMNS, 1))
_PAGE = ", ".join(PAGE_COLUMNS)
_PAGE_VALUES = ", ".join(f"${number}" for number, _ in enumerate(PAGE_COLUMNS, 1))
_PAGE_BUT_RESULT = _PAGE.replace("result", "NULL::json AS result")
UPDATE_JOB = f"""
    UPDATE jobs SET ({NAMES}) = ({VALUES})
    WHERE id = $1 AND revision = ${len(COLUMNS) + 1} AND status = ${len(COLUMNS) + 2}
    RETURNING id, {announced(len(COLUMNS) + 3)}
"""  # noqa: S608
COUNT_PAGE = f"""
    UPDATE jobs SET revision = $2, pages_done = $3, pages_failed = $4 WHERE id = $1 RETURNING {announced(5)}
"""  # noqa: S608
INSERT_JOB = f"""
    INSERT INTO jobs ({NAMES}, priority, tag)
    SELECT {VALUES}, ${len(COLUMNS) + 1}::text, ${len(COLUMNS) + 2}::text
    WHERE NOT EXISTS (SELECT 1 FROM tombstones WHERE job_id = $1)
    ON CONFLICT (id) DO NOTHING
    RETURNING id, {announced(len(COLUMNS) + 3)}
"""  # noqa: S608
INSERT = f"INSERT INTO pages ({_PAGE}) VALUES ({_PAGE_VALUES})"  # noqa: S608
COPY = f"INSERT INTO pages ({_PAGE}) SELECT {_PAGE.replace('job_id', '$1')} FROM pages WHERE job_id = $2"  # noqa: S608
UPDATE = f"""
    UPDATE pages SET ({_PAGE}) = ({_PAGE_VALUES})
    WHERE job_id = $1 AND number = $2
        AND revision = ${len(PAGE_COLUMNS) + 1} AND status = ${len(PAGE_COLUMNS) + 2}
    RETURNING number
"""  # noqa: S608


def job_values(job: Job) -> list[Any]:
    """Of VALUES, in their order."""
    row = to_row(job)
    return [row[column] for column in COLUMNS]


async def insert_job(connection: Connection, job: Job) -> bool:
    """A new job's row, announced; False where the id is taken."""
    values = (*job_values(job), job.options.priority, job.options.tag or None)
    if await connection.fetchval(INSERT_JOB, *values, announcement(job)) is None:
        return False
    await outbox.insert(connection, deliveries_of(None, job))
    return True


async def insert(connection: Connection, job: Job, pages: Sequence[Page]) -> None:
    """New pages, the first of them with entries in the queue."""
    if pages:
        await connection.executemany(INSERT, [_page_values(page) for page in pages])
        await entry_table.enqueue_pages(connection, job, entry_table.QUEUE_WINDOW)


async def copy(connection: Connection, equal: Job, job: Job) -> None:
    """The pages of `equal` as those of another job. Raises EqualGone."""
    # locked: who erases it waits, or was there before
    there = "SELECT 1 FROM jobs WHERE id = $1 AND revision = $2 AND status = 'done' FOR SHARE"
    if await connection.fetchval(there, equal.id, equal.revision) is None:
        raise EqualGone
    await connection.execute(COPY, job.id, equal.id)


async def update_job(connection: Connection, old: Job, new: Job) -> bool:
    """Compares, sets and announces the job's row; what is to be told of that is written with it. Its batch follows."""
    values = (*job_values(new), old.revision, old.status.value)
    if await connection.fetchval(UPDATE_JOB, *values, announcement(new)) is None:
        return False
    await outbox.insert(connection, deliveries_of(old, new))
    await batch_rows.follow_job(connection, old, new)
    await minutes.add(connection, of_job(old, new))
    return True


async def follow_job(connection: Connection, new: Job) -> None:
    """What a change of the job means to its pages."""
    if new.status is JobState.CANCELLED:
        await connection.execute("DELETE FROM pages WHERE job_id = $1 AND status IN ('queued', 'processing')", new.id)
    elif new.status is JobState.QUEUED:
        await connection.execute(
            "UPDATE pages SET status = 'queued', revision = revision + 1, attempt = 0, due_at = $2 "
            "WHERE job_id = $1 AND status = 'failed'",
            new.id,
            new.due_at,
        )
        await entry_table.enqueue_pages(connection, new, entry_table.QUEUE_WINDOW)


async def replace(connection: Connection, old: Page, new: Page, now: datetime) -> PageChange | None:
    """Compares and sets the page's row; its job follows. None where neither may be changed."""
    record = await connection.fetchrow(f"SELECT {NAMES} FROM jobs WHERE id = $1 FOR UPDATE", new.job_id)  # noqa: S608
    if record is None:
        return None
    before = from_row(dict(record))
    try:
        after = job_after(before, new, now)
    except IllegalTransition:
        return None
    if await connection.fetchval(UPDATE, *_page_values(new), old.revision, old.status.value) is None:
        return None
    if after.status is not before.status:
        await update_job(connection, before, after)
    elif after is not before:
        # by itself, since the other columns stand in indexes: so it stays "heap only"
        counts = (after.revision, after.pages_done, after.pages_failed)
        await connection.execute(COUNT_PAGE, after.id, *counts, announcement(after))
    if new.status is PageState.PROCESSING:
        await entry_table.enqueue_pages(connection, after)
    await minutes.add(connection, of_page(new, now))
    return PageChange(before=before, after=after)


async def get(connection: Connection, job_id: str, number: int) -> tuple[Job, Page] | None:
    """A page and its job, neither with results."""
    record = await connection.fetchrow(
        f"SELECT {_PAGE_BUT_RESULT} FROM pages WHERE job_id = $1 AND number = $2",  # noqa: S608
        job_id,
        number,
    )
    if record is None:
        return None
    job = await connection.fetchrow(f"SELECT {NAMES} FROM jobs WHERE id = $1", job_id)  # noqa: S608
    return (from_row(dict(job)), page_from_row(dict(record))) if job else None


async def unsettled(connection: Connection, job_id: str) -> list[Page]:
    """Pages that are queued or processing."""
    records = await connection.fetch(
        f"SELECT {_PAGE_BUT_RESULT} FROM pages "  # noqa: S608
        "WHERE job_id = $1 AND status IN ('queued', 'processing') ORDER BY number",
        job_id,
    )
    return [page_from_row(dict(record)) for record in records]


async def completed(connection: Connection, job: Job) -> Job:
    """The job with what was read of its pages."""
    return await _with_settled(connection, job, _PAGE, with_pages)


async def outline(connection: Connection, job: Job) -> Job:
    """The job with the numbers of its pages that were read."""
    return await _with_settled(connection, job, _PAGE_BUT_RESULT, outlined)


async def results(connection: Connection, job_id: str, numbers: Sequence[int]) -> list[bytes]:
    """See JobStore.page_results."""
    records = await connection.fetch(
        "SELECT pages.result FROM unnest($2::bigint[]) WITH ORDINALITY AS wanted (number, place) "
        "JOIN pages ON pages.job_id = $1 AND pages.number = wanted.number "
        "WHERE pages.result IS NOT NULL ORDER BY place",
        job_id,
        numbers,
    )
    return [record["result"].encode() for record in records]


async def _with_settled(
    connection: Connection, job: Job, columns: str, whole: Callable[[Job, Sequence[Page]], Job]
) -> Job:
    if not job.paged or not job.pages_done + job.pages_failed:
        return job
    records = await connection.fetch(
        f"SELECT {columns} FROM pages WHERE job_id = $1 AND status IN ('done', 'failed') ORDER BY number",  # noqa: S608
        job.id,
    )
    return whole(job, [page_from_row(dict(record)) for record in records])


def _page_values(page: Page) -> list[Any]:
    row = to_page_row(page)
    return [row[column] for column in PAGE_COLUMNS]
