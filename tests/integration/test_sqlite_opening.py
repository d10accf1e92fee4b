"""Which files are opened as a store, and by whom: one program at a time, and none of what is not ours."""

import asyncio
from pathlib import Path

import pytest

from persistence.opening import open_store
from persistence.sqlite.store import SqliteStore
from persistence.store import StoreUnusable
from tests.contract.jobs import job
from tests.integration.sqlite_files import closed_store, execute

pytestmark = pytest.mark.anyio


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "jobs.db"


async def test_a_store_is_open_once(path: Path) -> None:
    store = await SqliteStore.open(path)
    with pytest.raises(StoreUnusable, match="in use"):
        await SqliteStore.open(path)
    other_name = path.with_name("other.db")
    other_name.symlink_to(path)
    with pytest.raises(StoreUnusable, match="in use"):
        await SqliteStore.open(other_name)
    await store.check()
    await store.close()


async def test_a_closed_store_can_be_opened_by_another(path: Path) -> None:
    await closed_store(path)
    store = await SqliteStore.open(path)
    assert await store.get("0") == job("0")
    await store.close()


def refused(path: Path, reason: str) -> None:
    before = path.read_bytes()
    with pytest.raises(StoreUnusable, match=reason):
        asyncio.run(SqliteStore.open(path))
    assert path.read_bytes() == before
    assert sorted(each.name for each in path.parent.iterdir()) == ["jobs.db", "jobs.db.lock"]


@pytest.mark.parametrize("content", [b"no database", b"SQLite format 3\x00" + b"\xff" * 9000, b"\x00" * 8192])
def test_a_file_that_is_no_database_is_refused(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    refused(path, "no sound SQLite database|belongs to another program")


def test_a_damaged_database_is_refused(path: Path) -> None:
    asyncio.run(closed_store(path, jobs=20))
    sound = path.read_bytes()
    for start in (16_384, 8 * 16_384, 13 * 16_384):
        path.write_bytes(sound[:start] + b"\xa5" * 16_384 + sound[start + 16_384 :])
        refused(path, "corrupt|no sound")
    path.write_bytes(sound[: len(sound) // 2])
    refused(path, "corrupt|no sound")


def test_the_database_of_another_program_is_refused(path: Path) -> None:
    execute(path, "CREATE TABLE bookmarks (url TEXT)")
    refused(path, "belongs to another program")


def test_a_newer_schema_is_refused(path: Path) -> None:
    asyncio.run(closed_store(path))
    execute(
        path,
        "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) "
        "VALUES ('smart-queue-ocr', '9999_from_the_future', '')",
    )
    refused(path, "newer version.*9999_from_the_future")


async def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreUnusable, match="not a file"):
        await SqliteStore.open(tmp_path)


async def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StoreUnusable, match="cannot be created"):
        await SqliteStore.open(tmp_path / "file" / "jobs.db")


async def test_a_missing_folder_is_made(tmp_path: Path) -> None:
    await closed_store(tmp_path / "some" / "where" / "jobs.db")


@pytest.mark.parametrize("url", ["", "jobs.db", "sqlite:", "sqlite://jobs.db", "sqlite:///", "oracle://x/y"])
async def test_a_url_that_names_no_store_is_refused(url: str) -> None:
    with pytest.raises(StoreUnusable, match="names no known store"):
        await open_store(url)
