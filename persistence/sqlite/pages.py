"""Statements about jobs and their pages, each inside the transaction that its caller has begun."""

from collections.abc import Callable, Sequence
from datetime import datetime

from sqlite_utils import Database

from persistence.batches import sqlite_rows as batch_rows
from persistence.history import sqlite as minutes
from persistence.history.minute import of_job, of_page
from persistence.job import IllegalTransition, Job, JobState
from persistence.outbox import sqlite as outbox
from persistence.outbox.delivery import deliveries_of
from persistence.page import Page, job_after, outlined, with_pages
from persistence.rows import COLUMNS, PAGE_COLUMNS
from persistence.sqlite.rows import from_row, page_from_row, to_page_row, to_row, to_text
from persistence.store import EqualGone, JobExists, PageChange

# of our own constants only
_JOB = ", ".join(COLUMNS)
_PAGE = ", ".join(PAGE_COLUMNS)
_PAGE_BUT_RESULT = _PAGE.replace("result", "NULL")
INSERT_JOB = f"""
    INSERT INTO jobs ({_JOB})
    SELECT {", ".join(f":{column}" for column in COLUMNS)}
    WHERE NOT EXISTS (SELECT 1 FROM tombstones WHERE job_id = :id)
    ON CONFLICT (id) DO NOTHING
"""  # noqa: S608
INSERT = f"INSERT INTO pages ({_PAGE}) VALUES ({', '.join(f':{column}' for column in PAGE_COLUMNS)})"  # noqa: S608
COPY = f"INSERT INTO pages ({_PAGE}) SELECT {_PAGE.replace('job_id', '?')} FROM pages WHERE job_id = ?"  # noqa: S608
UPDATE_JOB = (
    "UPDATE jobs SET status = :status, revision = :revision, attempt = :attempt, "
    "updated_at = :updated_at, due_at = :due_at, started_at = :started_at, "
    "error_code = :error_code, failures = :failures, result = :result, "
    "paged = :paged, pages_total = :pages_total, pages_done = :pages_done, pages_failed = :pages_failed, "
    "expires_at = :expires_at "
    "WHERE id = :id AND revision = :old_revision AND status = :old_status"
)


def insert_job(db: Database, job: Job) -> None:
    """A new job's row. Raises JobExists."""
    if not db.execute(INSERT_JOB, to_row(job)).rowcount:
        raise JobExists(f"there is or was a job {job.id}")
    outbox.insert(db, deliveries_of(None, job))


def insert(db: Database, pages: Sequence[Page]) -> None:
    """New pages."""
    db.conn.executemany(INSERT, [to_page_row(page) for page in pages])


def copy(db: Database, equal: Job, job: Job) -> None:
    """The pages of `equal` as those of another job. Raises EqualGone."""
    where = "WHERE id = ? AND revision = ? AND status = 'done'"
    if not db.execute(f"SELECT 1 FROM jobs {where}", (equal.id, equal.revision)).fetchone():  # noqa: S608
        raise EqualGone
    db.execute(COPY, (job.id, equal.id))


def update_job(db: Database, old: Job, new: Job) -> bool:
    """Compares and sets the job's row; what is to be told of that is written with it. Its batch follows."""
    row = to_row(new) | {"old_status": old.status.value, "old_revision": old.revision}
    if int(db.execute(UPDATE_JOB, row).rowcount) != 1:
        return False
    outbox.insert(db, deliveries_of(old, new))
    batch_rows.follow_job(db, old, new)
    minutes.add(db, of_job(old, new))
    return True


def follow_job(db: Database, new: Job) -> None:
    """What a change of the job means to its pages."""
    if new.status is JobState.CANCELLED:
        db.execute("DELETE FROM pages WHERE job_id = ? AND status IN ('queued', 'processing')", (new.id,))
    elif new.status is JobState.QUEUED:
        db.execute(
            "UPDATE pages SET status = 'queued', revision = revision + 1, attempt = 0, due_at = ? "
            "WHERE job_id = ? AND status = 'failed'",
            (to_text(new.due_at), new.id),
        )


def replace(db: Database, old: Page, new: Page, now: datetime) -> PageChange | None:
    """Compares and sets the page's row; its job follows. None where neither may be changed."""
    row = db.execute(f"SELECT {_JOB} FROM jobs WHERE id = ?", (new.job_id,)).fetchone()  # noqa: S608
    if row is None:
        return None
    before = from_row(row)
    try:
        after = job_after(before, new, now)
    except IllegalTransition:
        return None
    values = to_page_row(new) | {"old_status": old.status.value, "old_revision": old.revision}
    replaced = db.execute(
        "UPDATE pages SET status = :status, revision = :revision, attempt = :attempt, due_at = :due_at, "
        "started_at = :started_at, failures = :failures, result = :result "
        "WHERE job_id = :job_id AND number = :number AND revision = :old_revision AND status = :old_status",
        values,
    ).rowcount
    if not replaced:
        return None
    if after is not before:
        update_job(db, before, after)
    minutes.add(db, of_page(new, now))
    return PageChange(before=before, after=after)


def get(db: Database, job_id: str, number: int) -> tuple[Job, Page] | None:
    """A page and its job, neither with results."""
    row = db.execute(
        f"SELECT {_PAGE_BUT_RESULT} FROM pages WHERE job_id = ? AND number = ?",  # noqa: S608
        (job_id, number),
    ).fetchone()
    if row is None:
        return None
    job = db.execute(f"SELECT {_JOB} FROM jobs WHERE id = ?", (job_id,)).fetchone()  # noqa: S608
    return (from_row(job), page_from_row(row)) if job else None


def unsettled(db: Database, job_id: str) -> list[Page]:
    """Pages that are queued or processing."""
    rows = db.execute(
        f"SELECT {_PAGE_BUT_RESULT} FROM pages INDEXED BY pages_unsettled "  # noqa: S608
        "WHERE job_id = ? AND status IN ('queued', 'processing') ORDER BY number",
        (job_id,),
    )
    return [page_from_row(row) for row in rows.fetchall()]


def job(db: Database, job_id: str, whole: Callable[[Database, Job], Job]) -> Job | None:
    """The job as `whole` makes it of what its row says."""
    row = db.execute(f"SELECT {_JOB} FROM jobs WHERE id = ?", (job_id,)).fetchone()  # noqa: S608
    return whole(db, from_row(row)) if row else None


def completed(db: Database, job: Job) -> Job:
    """The job with what was read of its pages."""
    return _with_settled(db, job, _PAGE, with_pages)


def outline(db: Database, job: Job) -> Job:
    """The job with the numbers of its pages that were read."""
    return _with_settled(db, job, _PAGE_BUT_RESULT, outlined)


def results(db: Database, job_id: str, numbers: Sequence[int]) -> list[bytes]:
    """See JobStore.page_results."""
    query = "SELECT CAST(result AS BLOB) FROM pages WHERE job_id = ? AND number = ? AND result IS NOT NULL"
    return [row[0] for number in numbers for row in db.execute(query, (job_id, number))]


def _with_settled(db: Database, job: Job, columns: str, whole: Callable[[Job, Sequence[Page]], Job]) -> Job:
    if not job.paged or not job.pages_done + job.pages_failed:
        return job
    rows = db.execute(
        f"SELECT {columns} FROM pages WHERE job_id = ? AND status IN ('done', 'failed') ORDER BY number",  # noqa: S608
        (job.id,),
    )
    return whole(job, [page_from_row(row) for row in rows])
