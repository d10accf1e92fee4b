"""Queries for what is listed and counted of jobs, and for what has changed of them."""

from collections.abc import Mapping
from datetime import datetime

from sqlite_utils import Database

from persistence.change import JobChange
from persistence.cursor import Cursor
from persistence.job import Job, JobState
from persistence.rows import CHANGE_COLUMNS, COLUMNS, LISTED_COLUMNS
from persistence.sqlite.rows import change_from_row, from_row, to_text
from persistence.store import Backlog, JobFilter, Listing

LISTED = f"SELECT {', '.join(LISTED_COLUMNS)} FROM jobs"  # noqa: S608 - of our own constants only
ALIKE = f"""
    SELECT {", ".join(COLUMNS)} FROM jobs INDEXED BY jobs_alike
    WHERE fingerprint = ? AND fingerprint != '' AND owner = ? AND status = 'done' AND pages_failed = 0
    ORDER BY updated_at DESC LIMIT 1
"""  # noqa: S608 - of our own constants only
CHANGES = f"""
    SELECT {", ".join(CHANGE_COLUMNS)} FROM jobs INDEXED BY jobs_changed
    WHERE (updated_at, id) > (?, ?) AND owner = coalesce(?, owner) ORDER BY updated_at, id LIMIT ?
"""  # noqa: S608 - of our own constants only


def listed(db: Database, wanted: JobFilter, after: Cursor | None, limit: int) -> Listing:
    """See JobStore.listed."""
    conditions, values = ["1"], list[str | int]()
    if wanted.owner is not None:
        conditions.append("owner = ?")
        values.append(wanted.owner)
    if wanted.status is not None:
        conditions.append("status = ?")
        values.append(wanted.status.value)
    if wanted.tag is not None:
        conditions.append("json_extract(options, '$.tag') = ?")
        values.append(wanted.tag)
    if wanted.created_after is not None:
        conditions.append("created_at > ?")
        values.append(to_text(wanted.created_after))
    if after is not None:
        conditions.append("(created_at, id) < (?, ?)")
        values += [to_text(after.updated_at), after.id]
    query = (
        f"{LISTED} INDEXED BY {_index(wanted)} WHERE {' AND '.join(conditions)} "
        "ORDER BY created_at DESC, id DESC LIMIT ?"
    )
    jobs = [from_row(row) for row in db.execute(query, (*values, limit + 1)).fetchall()]
    return Listing.of(jobs, limit, lambda job: job.created_at)


def _index(wanted: JobFilter) -> str:
    """Not left to SQLite's guess, which has no statistics: where the fewest others are, in the order of the list."""
    if wanted.tag is not None:
        return "jobs_tagged"
    if wanted.status is not None:
        return "jobs_of_status" if wanted.owner is None else "jobs_of_owner_and_status"
    return "jobs_by_age" if wanted.owner is None else "jobs_of_owner"


def dead_letters(db: Database, code: str | None, owner: str | None, after: Cursor | None, limit: int) -> Listing:
    """See JobStore.dead_letters."""
    index, where, values = "jobs_dead_letters", ["status = 'dead-letter'"], list[str | int]()
    if code is not None:
        index = "jobs_dead_letters_by_code"
        where.append("error_code = ?")
        values.append(code)
    if owner is not None:
        index = "jobs_dead_letters_of_owner"
        where.append("owner = ?")
        values.append(owner)
    if after is not None:
        where.append("(updated_at, id) < (?, ?)")
        values += [to_text(after.updated_at), after.id]
    query = (
        f"SELECT {', '.join(COLUMNS)} FROM jobs INDEXED BY {index} "  # noqa: S608 - of our own constants only
        f"WHERE {' AND '.join(where)} ORDER BY updated_at DESC, id DESC LIMIT ?"
    )
    # one more than asked for tells whether anything follows
    return Listing.of([from_row(row) for row in db.execute(query, (*values, limit + 1)).fetchall()], limit)


def alike(db: Database, owner: str, fingerprint: str) -> Job | None:
    """See JobStore.alike."""
    row = db.execute(ALIKE, (fingerprint, owner)).fetchone()
    return from_row(row) if row else None


def pages_left(db: Database) -> int:
    """See JobStore.pages_left."""
    row = db.execute(
        "SELECT coalesce(sum(max(1, pages_total - pages_done - pages_failed)), 0) "
        "FROM jobs INDEXED BY jobs_unfinished WHERE status IN ('queued', 'processing')"
    ).fetchone()
    return int(row[0])


def counts(db: Database) -> Mapping[JobState, int]:
    """See JobStore.counts."""
    found = dict(db.execute("SELECT status, jobs FROM job_counts").fetchall())
    return {state: found.get(state.value, 0) for state in JobState}


def backlog(db: Database, owner: str | None) -> Backlog:
    """See JobStore.backlog."""
    jobs, image_bytes, oldest = db.execute(
        "SELECT count(*), coalesce(sum(image_bytes), 0), min(created_at) FROM jobs INDEXED BY jobs_unfinished "
        "WHERE status IN ('queued', 'processing') AND owner = coalesce(?, owner)",
        (owner,),
    ).fetchone()
    oldest = datetime.fromisoformat(oldest) if oldest else None
    return Backlog(jobs=jobs, image_bytes=image_bytes, oldest=oldest)


def changes(db: Database, after: Cursor, limit: int, owner: str | None) -> list[JobChange]:
    """See JobStore.changes."""
    found = db.execute(CHANGES, (to_text(after.updated_at), after.id, owner, limit)).fetchall()
    return [change_from_row(row) for row in found]
