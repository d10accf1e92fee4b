"""What only a SQLite file can go through: kill -9, damage, locks, a full disk, a second process."""

import asyncio
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from anyio.lowlevel import checkpoint
from sqlite_utils import Database

from persistence.cursor import Cursor
from persistence.job import JobState
from persistence.sqlite.connection import OwnedConnection, connect_writer
from persistence.sqlite.file import RESERVED_BYTES
from persistence.sqlite.store import SqliteStore
from persistence.store import StoreError, StoreFull, StoreUnusable
from persistence.upload import IN_MEMORY_BYTES, Upload
from tests.contract.jobs import RESULT, after, job
from tests.integration.sqlite_files import IMAGE_BYTES, closed_store, execute

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).parents[2]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "jobs.db"


@pytest.fixture
async def store(path: Path) -> AsyncIterator[SqliteStore]:
    opened = await SqliteStore.open(path)
    yield opened
    await opened.close()


def received(store: SqliteStore, data: bytes) -> Upload:
    """An upload that came in as a file."""
    file = store.staging / "received"
    file.write_bytes(data)
    return Upload(size=len(data), file=file)


# another process

ADD_UNTIL_KILLED = f"""
import asyncio, sys
from persistence.sqlite.store import SqliteStore
from persistence.upload import Upload
from tests.contract.jobs import job

async def main():
    store = await SqliteStore.open(sys.argv[1])
    for number in range(10_000):
        await store.add(job(str(number)), Upload.of(str(number).encode() * {IMAGE_BYTES}))
        print(number, flush=True)

asyncio.run(main())
"""


async def test_what_add_returned_for_survives_kill_9(path: Path) -> None:
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", ADD_UNTIL_KILLED, str(path), cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    assert child.stdout is not None
    acknowledged = [(await child.stdout.readline()).decode().strip() for _ in range(20)]
    with pytest.raises(StoreUnusable, match=rf"in use by another process \({child.pid}\)"):
        await SqliteStore.open(path)

    child.send_signal(signal.SIGKILL)
    acknowledged += (await child.stdout.read()).decode().split()
    await child.wait()

    store = await SqliteStore.open(path)
    assert len(acknowledged) >= 20
    for job_id in acknowledged:
        assert await store.get(job_id) == job(job_id)
        assert await store.image(job_id) == job_id.encode() * IMAGE_BYTES
    # at most the one that was under way when the signal came
    assert sum((await store.counts()).values()) - len(acknowledged) in (0, 1)
    await store.close()


# what is refused, and left as it was


# faults while it is open


async def test_a_full_database_refuses_and_recovers_by_itself(store: SqliteStore) -> None:
    await store.add(job("before"), Upload.of(b"image"))
    await store.writer.run(lambda db: db.execute("PRAGMA max_page_count = 20").fetchall())
    with pytest.raises(StoreFull):
        await store.add(job("refused"), Upload.of(b"x" * 1_000_000))
    assert await store.get("refused") is None
    assert await store.replace(job("before"), job("before").claimed(after(1)))

    await store.writer.run(lambda db: db.execute("PRAGMA max_page_count = 100000").fetchall())
    await store.add(job("refused"), Upload.of(b"x" * 1_000_000))
    assert (await store.counts())[JobState.QUEUED] == 1


async def test_images_leave_room_on_the_disk_for_the_results_of_those_before(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.add(job(), Upload.of(b"image"))
    with monkeypatch.context() as nearly_full:
        usage = shutil.disk_usage(".")._replace(free=RESERVED_BYTES + 1000)
        nearly_full.setattr(shutil, "disk_usage", lambda _: usage)
        await store.add(job("small"), Upload.of(b"x" * 500))
        with pytest.raises(StoreFull, match="no room left on the disk"):
            await store.add(job("big"), Upload.of(b"x" * 501))
        await store.check()
        usage = usage._replace(free=RESERVED_BYTES - 1)
        with pytest.raises(StoreFull):
            await store.check()
        claimed = job().claimed(after(1))
        assert await store.replace(job(), claimed)
        assert await store.replace(claimed, claimed.completed(RESULT, after(2)))
    assert await store.get("big") is None
    await store.add(job("big"), Upload.of(b"x" * 501))


async def test_on_a_full_disk_the_place_of_dropped_images_is_used_again(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(".")._replace(free=RESERVED_BYTES)
    image = b"x" * (2 * RESERVED_BYTES // 10)
    await store.add(job("old"), Upload.of(image))
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with pytest.raises(StoreFull):
        await store.add(job("new"), Upload.of(image[: len(image) // 3]))
    assert await store.replace(job("old"), job("old").cancelled(after(1)))
    await store.add(job("new"), Upload.of(image[: len(image) // 3]))


async def test_on_a_full_disk_a_reserve_makes_room_for_what_frees_some(path: Path, store: SqliteStore) -> None:
    reserve = path.with_name("jobs.db-reserve")
    size = reserve.stat().st_size

    def work(_: Database) -> str:
        if reserve.exists():
            error = sqlite3.OperationalError("database or disk is full")
            error.sqlite_errorcode = sqlite3.SQLITE_FULL
            raise error
        return "written"

    with pytest.raises(StoreFull):
        await store.write(work, may_use_reserve=False)
    assert await store.write(work) == "written"
    await store.check()
    assert (reserve.stat().st_size, size) == (RESERVED_BYTES, RESERVED_BYTES)


async def test_a_locked_database_refuses_and_recovers_by_itself(path: Path, store: SqliteStore) -> None:
    await store.add(job(), Upload.of(b"image"))
    store.writer.patience = 0.001
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match="locked"):
        await store.replace(job(), job().claimed(after(1)))
    with pytest.raises(StoreError, match="locked"):
        await store.check()
    assert await store.get("a") == job()
    other.execute("ROLLBACK")
    other.close()
    assert await store.replace(job(), job().claimed(after(1)))


async def test_of_many_that_wait_for_a_lock_none_waits_longer_than_the_first(path: Path) -> None:
    now, waited = 100.0, list[int]()

    def work(db: Database) -> None:
        nonlocal now
        waited.append(db.execute("PRAGMA busy_timeout").fetchone()[0])
        now += 3.0

    thread = ThreadPoolExecutor(1)
    connection = OwnedConnection(thread, thread.submit(connect_writer, path).result(), lambda: now)
    thread.submit(threading.Event.wait, all_asked := threading.Event())
    asked = [asyncio.ensure_future(connection.run(work)) for _ in range(3)]
    await checkpoint()
    all_asked.set()
    await asyncio.gather(*asked)
    await connection.close()
    assert waited == [5000, 2000, 0]


async def test_a_read_only_database_refuses_and_recovers_by_itself(store: SqliteStore) -> None:
    await store.writer.run(lambda db: db.execute("PRAGMA query_only = ON").fetchall())
    with pytest.raises(StoreError, match="cannot be written"):
        await store.check()
    await store.writer.run(lambda db: db.execute("PRAGMA query_only = OFF").fetchall())
    await store.check()


async def test_a_failure_in_the_middle_of_add_leaves_neither_job_nor_image(path: Path, store: SqliteStore) -> None:
    execute(path, "CREATE TRIGGER fail BEFORE INSERT ON images BEGIN SELECT raise(ABORT, 'no luck'); END")
    with pytest.raises(StoreError, match="no luck"):
        await store.add(job(), Upload.of(b"image"))
    assert await store.get("a") is None
    execute(path, "DROP TRIGGER fail")
    await store.add(job(), Upload.of(b"image"))


@pytest.mark.parametrize("suffix", ["", "-wal"])
async def test_nothing_is_accepted_into_a_file_that_was_moved_or_deleted_while_open(
    path: Path, store: SqliteStore, suffix: str
) -> None:
    file, moved = path.with_name(path.name + suffix), path.with_name("moved.db")
    await store.add(job("a"), Upload.of(b"image"))
    os.rename(file, moved)
    with pytest.raises(StoreError, match="deleted or moved"):
        await store.check()
    with pytest.raises(StoreError, match="deleted or moved"):
        await store.add(job("b"), Upload.of(b"image"))
    os.rename(moved, file)
    await store.check()
    await store.add(job("b"), Upload.of(b"image"))


@pytest.mark.parametrize("suffix", ["", "-wal"])
async def test_nothing_is_accepted_into_a_file_whose_name_another_one_took(
    path: Path, store: SqliteStore, suffix: str
) -> None:
    file, away = path.with_name(path.name + suffix), path.with_name("away")
    os.rename(file, away)
    shutil.copy(away, file)
    for refused in (store.check(), store.add(job("a"), Upload.of(b"image"))):
        with pytest.raises(StoreError, match="was replaced while in use"):
            await refused
    os.rename(away, file)
    await store.add(job("a"), Upload.of(b"image"))


async def test_nothing_is_accepted_while_another_folder_covers_the_database(path: Path, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    store = await SqliteStore.open(folder / path.name)
    folder.rename(tmp_path / "covered")
    shutil.copytree(tmp_path / "covered", folder)
    with pytest.raises(StoreError, match="was replaced while in use"):
        await store.check()
    await store.close()


def test_an_upload_needs_no_room_in_the_temporary_folder(path: Path, tmp_path: Path) -> None:
    folder = tmp_path / "temporary"
    folder.mkdir()
    os.utime(folder, (0, 0))
    # another process: SQLite asks once where the folder is
    add = ADD_UNTIL_KILLED.replace("10_000", "1")
    environment = {**os.environ, "SQLITE_TMPDIR": str(folder)}
    subprocess.run([sys.executable, "-c", add, path], check=True, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
    assert folder.stat().st_mtime == 0  # no file came and went, not for a moment


async def test_a_check_fails_where_an_upload_would(path: Path, store: SqliteStore) -> None:
    execute(path, "CREATE TRIGGER fail BEFORE INSERT ON images BEGIN SELECT raise(ABORT, 'no luck'); END")
    with pytest.raises(StoreError, match="no luck"):
        await store.check()
    execute(path, "DROP TRIGGER fail")
    await store.check()
    assert not any((await store.counts()).values())


# as an operator sees it


async def test_every_commit_reaches_the_disk(store: SqliteStore) -> None:
    def settings(db: Database) -> tuple[object, ...]:
        names = ("journal_mode", "synchronous", "foreign_keys")
        return tuple(db.execute(f"PRAGMA {name}").fetchone()[0] for name in names)

    assert await store.writer.run(settings) == ("wal", 2, 1)


async def test_the_beginning_of_an_attempt_reaches_the_disk_soon(
    path: Path, store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    fsync, synced = os.fsync, list[str]()

    def noted(descriptor: int) -> None:
        synced.append(os.readlink(f"/proc/self/fd/{descriptor}"))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", noted)
    await store.add(job(), Upload.of(b"image"))
    await store.take(job().id, lambda found: found.claimed(found.created_at))
    await store.writer.run(lambda _: None)  # behind it
    assert synced == [f"{path}-wal"]


async def test_the_beginning_of_an_attempt_that_another_change_follows_is_synced_with_that(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "fsync", lambda _: pytest.fail("once is enough"))
    await store.add(job(), Upload.of(b"image"))
    taking = asyncio.create_task(store.take(job().id, lambda found: found.claimed(found.created_at)))
    await checkpoint()  # it is asked for
    await store.add(job("another"), Upload.of(b"image"))
    await taking
    await store.writer.run(lambda _: None)


async def test_the_reading_connection_cannot_write(store: SqliteStore) -> None:
    with pytest.raises(StoreError, match="cannot be written"):
        await store.reader.run(lambda db: db.execute("DELETE FROM jobs"))


async def test_times_can_be_read_and_compared_by_people_and_by_sqlite(path: Path, store: SqliteStore) -> None:
    await store.add(job(), Upload.of(b"image"))
    rows = execute(path, "SELECT created_at, unixepoch(created_at), status, image_bytes FROM jobs")
    assert rows == [("2026-11-23T12:00:00.123456+00:00", 1795435200, "queued", 5)]


async def test_a_clean_close_leaves_one_file_and_the_lock(path: Path) -> None:
    await closed_store(path)
    assert sorted(each.name for each in path.parent.iterdir()) == ["jobs.db", "jobs.db.lock"]


async def test_lists_and_counts_go_through_an_index(store: SqliteStore) -> None:
    statements: list[str] = []
    await store.reader.run(lambda db: db.conn.set_trace_callback(statements.append))
    await store.get("a")
    await store.unfinished()
    await store.backlog()
    await store.counts()
    await store.dead_letters()
    await store.dead_letters(code="timeout", after=Cursor(updated_at=after(1), id="a"))
    await store.reader.run(lambda db: db.conn.set_trace_callback(None))
    statements = [statement for statement in statements if not statement.startswith("PRAGMA")]
    assert len(statements) == 6
    plans = await store.reader.run(
        lambda db: [db.execute(f"EXPLAIN QUERY PLAN {sql}").fetchall() for sql in statements]
    )
    for sql, plan in zip(statements, plans, strict=True):
        assert all(
            ("INDEX" in step[3] or step[3] == "SCAN job_counts") and "TEMP B-TREE" not in step[3] for step in plan
        ), (sql, plan)


def backup(url: str, output: Path) -> subprocess.CompletedProcess[bytes]:
    """`python -m app backup > output`."""
    with output.open("wb") as file:
        return subprocess.run(
            [sys.executable, "-m", "app", "backup"],
            cwd=ROOT,
            env={**os.environ, "DATABASE_URL": url},
            stdout=file,
            stderr=subprocess.PIPE,
            check=False,
        )


async def test_a_backup_of_a_store_in_use_has_all_that_was_accepted_and_leaves_nothing_behind(
    store: SqliteStore, path: Path, tmp_path: Path
) -> None:
    first = job()
    await store.add(first, Upload.of(b"image"))  # still in the write-ahead log
    await store.add(job("large"), received(store, b"large" * IN_MEMORY_BYTES))
    before = sorted(tmp_path.iterdir())
    copy = tmp_path / "elsewhere" / "jobs.db"
    copy.parent.mkdir()
    done = await asyncio.to_thread(backup, f"sqlite:///{path}", copy)
    assert (done.returncode, done.stderr) == (0, b"")
    assert sorted(tmp_path.iterdir()) == sorted([*before, copy.parent])
    restored = await SqliteStore.open(copy)
    assert await restored.get(first.id) == first
    assert await restored.image(first.id) == b"image"
    assert await restored.image("large") == b"large" * IN_MEMORY_BYTES
    await restored.close()


async def test_what_cannot_be_backed_up_is_said_and_no_file_is_made_for_it(tmp_path: Path) -> None:
    for url, code, reason in [
        (f"sqlite:///{tmp_path}/none.db", 3, b"none.db cannot be copied"),
        ("postgresql://nobody@127.0.0.1/ocr", 2, b"use pg_dump"),
    ]:
        done = await asyncio.to_thread(backup, url, tmp_path / "out")
        assert done.returncode == code
        assert reason in done.stderr
    assert sorted(tmp_path.iterdir()) == [tmp_path / "out"]
