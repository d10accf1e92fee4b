"""Databases that versions without pages made open, and nothing that was in them is lost."""

import asyncio
import sqlite3
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from sqlite_utils import Database

from persistence.job import Job
from persistence.opening import open_store
from persistence.postgres.migrations import MIGRATIONS as POSTGRES_MIGRATIONS
from persistence.sqlite.migrations import MIGRATIONS as SQLITE_MIGRATIONS
from tests.contract.jobs import START
from tests.postgres import Postgres

pytestmark = pytest.mark.anyio

READ = '{"pages":[{"number":1,"width":9,"height":9,"lines":[]},{"number":2,"width":9,"height":9,"lines":[]}]}'
FAILED = '[{"code":"timeout","detail":"slow","at":"2026-11-23T12:00:01Z","attempt":3,"worker":"worker-1"}]'
JOBS = (
    ("image-queued", "queued", "image/png", 1, None, "[]"),
    ("image-done", "done", "image/png", 1, READ, "[]"),
    ("tiff-processing", "processing", "image/tiff", 3, None, "[]"),
    ("tiff-done", "done", "image/tiff", 2, READ, "[]"),
    ("tiff-dead", "dead-letter", "image/tiff", 3, None, FAILED),
    ("pdf-queued", "queued", "application/pdf", 0, None, "[]"),
    ("pdf-done", "done", "application/pdf", 0, READ, "[]"),
)
"""Id, status, type, frames, result and failures."""
PAGES = {
    "image-queued": (1, 0),
    "image-done": (1, 1),
    "tiff-processing": (0, 0),
    "tiff-done": (2, 2),
    "tiff-dead": (0, 0),
    "pdf-queued": (0, 0),
    "pdf-done": (2, 2),
}
"""How many each has afterwards, 0 where it is to be opened, and how many of them were read."""


def old_sqlite(path: Path) -> str:
    with Database(sqlite3.connect(path)) as db:
        SQLITE_MIGRATIONS.apply(db, stop_before="0003_pages_and_files")
        at = START.isoformat(timespec="microseconds")
        for name, status, media_type, frames, result, failures in JOBS:
            db.execute(
                "INSERT INTO jobs VALUES (?, '', '', ?, 1, 1, ?, ?, ?, ?, ?, 9, 9, ?, 5, NULL, ?, ?)",
                (name, status, at, at, at, at, media_type, frames, failures, result),
            )
            db.execute("INSERT INTO images VALUES (?, ?)", (name, b"image"))
        db.conn.commit()
    return f"sqlite:///{path}"


async def old_postgres(url: str) -> str:
    connection = await asyncpg.connect(url)
    await connection.execute(
        "CREATE TABLE schema_migrations (number integer PRIMARY KEY, name text NOT NULL, applied_at timestamptz)"
    )
    for number, migration in enumerate(POSTGRES_MIGRATIONS[:3], 1):
        await connection.execute(migration.sql)
        await connection.execute("INSERT INTO schema_migrations VALUES ($1, $2, now())", number, migration.name)
    for name, status, media_type, frames, result, failures in JOBS:
        await connection.execute(
            "INSERT INTO jobs VALUES ($1, '', '', $2, 1, 1, $3, $3, $3, $3, $4, 9, 9, $5, 5, NULL, $6, $7)",
            *(name, status, START, media_type, frames, failures, result),
        )
        await connection.execute("INSERT INTO images VALUES ($1, $2)", name, b"image")
    await connection.close()
    return url


@pytest.fixture(params=["sqlite", "postgres"])
def old(request: Any, tmp_path: Path) -> str:
    """The URL of a database as it was before there were pages."""
    if request.param == "sqlite":
        return old_sqlite(tmp_path / "jobs.db")
    server: Postgres = request.getfixturevalue("postgres")
    return asyncio.run(old_postgres(server.new_database()))


async def test_every_job_of_an_older_database_is_there_and_its_pages_are_counted_or_to_be_opened(
    old: str,
) -> None:
    opened = await open_store(old)
    found: dict[str, Job] = {}
    for name, status, *_ in JOBS:
        job = await opened.get(name)
        assert job is not None
        assert job.status == status
        assert await opened.image(name) == b"image"
        found[name] = job
    assert {name: (job.pages_total, job.pages_done) for name, job in found.items()} == PAGES
    assert {name for name, job in found.items() if job.to_be_opened} == {"tiff-processing", "tiff-dead", "pdf-queued"}
    assert not any(job.paged for job in found.values())
    results = [found[name].result for name in ("tiff-done", "pdf-done")]
    assert [len(result.pages) for result in results if result] == [2, 2]
    assert {job.id for job in await opened.unfinished()} == {"image-queued", "tiff-processing", "pdf-queued"}
    await opened.close()
