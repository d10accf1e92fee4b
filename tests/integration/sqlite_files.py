"""Databases of SQLite as files, for tests that open, damage or look into them."""

import sqlite3
from pathlib import Path

from persistence.sqlite.store import SqliteStore
from persistence.upload import Upload
from tests.contract.jobs import job

IMAGE_BYTES = 200_000


async def closed_store(path: Path, jobs: int = 1) -> None:
    store = await SqliteStore.open(path)
    for number in range(jobs):
        await store.add(job(str(number)), Upload.of(b"x" * IMAGE_BYTES))
    await store.close()


def execute(path: Path, sql: str) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        return connection.execute(sql).fetchall()
    finally:
        connection.close()
