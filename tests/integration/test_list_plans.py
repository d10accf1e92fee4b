"""Lists of jobs go to what was asked for, however many others there are: the plans of both databases hold that."""

import asyncio
import itertools
from pathlib import Path
from typing import Any

import asyncpg
from sqlite_utils import Database

from persistence.cursor import Cursor
from persistence.job import JobState
from persistence.postgres.lists import letters, listing
from persistence.sqlite.lists import dead_letters, listed
from persistence.sqlite.migrations import MIGRATIONS
from persistence.store import JobFilter
from tests.contract.jobs import after
from tests.postgres import Postgres

PLACE = Cursor(updated_at=after(3500), id="a")
FILTERS = [
    (JobFilter(owner=owner, status=status, tag=tag, created_after=later), place)
    for owner, status, tag, later, place in itertools.product(
        (None, "ann"), (None, JobState.CANCELLED), (None, "invoices"), (None, after(1)), (None, PLACE)
    )
]
LETTERS = list(itertools.product((None, "timeout"), (None, "ann"), (None, PLACE)))


def test_sqlite_searches_for_what_is_asked_and_neither_sorts_nor_scans(tmp_path: Path) -> None:
    db = Database(tmp_path / "jobs.db")
    MIGRATIONS.apply(db)
    for wanted, place in FILTERS:
        plan = sqlite_plan(db, lambda wanted=wanted, place=place: listed(db, wanted, place, 20))
        assert searched(plan) >= sqlite_columns(wanted), (wanted, plan)
    for code, owner, place in LETTERS:
        plan = sqlite_plan(db, lambda code=code, owner=owner, place=place: dead_letters(db, code, owner, place, 20))
        assert "jobs_dead_letters" in plan, (code, owner, plan)
        assert ("owner=?" in plan) == (owner is not None), (code, owner, plan)
        assert ("error_code=?" in plan) == (code is not None and owner is None), (code, owner, plan)


def sqlite_columns(wanted: JobFilter) -> set[str]:
    """What has to be searched for; of a tag its jobs are told apart by what stands beside it in the index."""
    if wanted.tag is not None:
        return {"<expr>=?"}
    return {f"{name}=?" for name in ("owner", "status") if getattr(wanted, name) is not None}


def searched(plan: str) -> set[str]:
    return set(plan.partition("(")[2].rstrip(")").split(" AND "))


def sqlite_plan(db: Database, query: Any) -> str:
    statements: list[str] = []
    db.conn.set_trace_callback(statements.append)
    query()
    db.conn.set_trace_callback(None)
    [step] = db.execute(f"EXPLAIN QUERY PLAN {statements[-1]}").fetchall()  # a sort would be a second one
    assert " USING INDEX " in step[3], step
    return str(step[3])


def test_postgres_reads_no_row_that_was_not_asked_for_and_sorts_nothing(postgres: Postgres) -> None:
    # with a tag there are several good ways, and PostgreSQL takes the one for the figures that it has
    queries = [listing(wanted, place, 20) for wanted, place in FILTERS if wanted.tag is None]
    queries += [letters(code, owner, place, 20) for code, owner, place in LETTERS]
    for query, plan in asyncio.run(postgres_plans(postgres.empty_database(), queries)):
        assert "Index Scan" in plan, (query, plan)
        for costly in ("Seq Scan", "Sort", "Filter", "Bitmap"):
            assert costly not in plan, (query, plan)


MANY = """
    INSERT INTO jobs (id, owner, traceparent, status, revision, attempt, created_at, updated_at, due_at, media_type,
        width, height, frames, image_bytes, error_code, failures, tag)
    SELECT n::text, CASE WHEN n % 50 = 0 THEN 'ann' ELSE 'bob' END, '',
        CASE WHEN n % 70 = 0 THEN 'cancelled' WHEN n % 3 = 0 THEN 'dead-letter' ELSE 'done' END, 1, 1,
        $1::timestamptz + n * interval '1 s', $1 + n * interval '1 s', $1, 'image/png', 1, 1, 1, 1,
        CASE WHEN n % 90 = 0 THEN 'timeout' ELSE 'worker_crashed' END, '[]',
        CASE WHEN n % 2 = 0 THEN 'invoices' END
    FROM generate_series(1, 4000) AS n
"""


async def postgres_plans(url: str, queries: list[tuple[str, Any]]) -> list[tuple[str, str]]:
    """The plan of each query among thousands of jobs, of which few are what is asked for."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(MANY, after(0))
        await connection.execute("ANALYZE jobs")
        plans = []
        for query, values in queries:
            rows = await connection.fetch(f"EXPLAIN (COSTS OFF) {query}", *values)
            plans.append((query, "\n".join(row[0] for row in rows)))
        return plans
    finally:
        await connection.close()
