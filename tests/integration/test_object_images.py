"""Images in object storage: in a real folder, which a test can look into and take away."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from persistence.job import Job
from persistence.objects.images import ObjectImages
from persistence.opening import open_store
from persistence.store import JobExists, JobStore, StoreError, StoreUnusable
from persistence.upload import Upload
from samples import sample
from tests.contract.jobs import RESULT, after, job
from tests.scripted_pool import ScriptedPool, text_result

pytestmark = pytest.mark.anyio

PNG = sample("health").data


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "images"


@pytest.fixture
async def store(tmp_path: Path, folder: Path) -> AsyncIterator[JobStore]:
    opened = await open_store(f"sqlite:///{tmp_path}/jobs.db", f"file://{folder}")
    yield opened
    await opened.close()


def objects(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.name != "write-probe"]


def ended(new: Job) -> list[Job]:
    claimed = new.claimed(after(1))
    return [new, claimed, claimed.completed(RESULT, after(2))]


async def test_the_object_is_there_as_long_as_the_row(store: JobStore, folder: Path) -> None:
    await store.add(job(), Upload.of(PNG))
    assert [path.read_bytes() for path in objects(folder)] == [PNG]
    queued, claimed, done = ended(job())
    assert await store.replace(queued, claimed)
    assert len(objects(folder)) == 1
    assert await store.replace(claimed, done)
    assert objects(folder) == []


async def test_an_id_that_is_taken_keeps_its_image(store: JobStore) -> None:
    await store.add(job(), Upload.of(PNG))
    with pytest.raises(JobExists):
        await store.add(job(), Upload.of(b"another"))
    assert await store.image("a") == PNG


async def test_the_sweep_deletes_objects_without_a_row_and_no_others(store: JobStore, folder: Path) -> None:
    assert isinstance(store, ObjectImages)
    await store.add(job(), Upload.of(PNG))
    with pytest.raises(JobExists):
        await store.add(job(), Upload.of(b"left behind"))
    (folder / f"of-nobody-{'0' * 32}").write_bytes(b"x")
    assert len(objects(folder)) == 3
    assert await store.sweep() == 0  # too young: their rows may be on the way
    assert await store.sweep(timedelta(0)) == 2
    assert await store.image("a") == PNG


async def test_the_sweep_leaves_alone_what_is_not_ours(store: JobStore, folder: Path) -> None:
    assert isinstance(store, ObjectImages)
    (folder / "album").mkdir()
    theirs = [folder / "holiday.jpg", folder / "album" / f"a-{'0' * 32}", folder / f"{'0' * 32}"]
    for path in theirs:
        path.write_bytes(b"x")
    assert await store.sweep(timedelta(0)) == 0
    assert all(path.exists() for path in theirs)


async def test_images_stored_before_stay_readable(tmp_path: Path, folder: Path) -> None:
    url = f"sqlite:///{tmp_path}/jobs.db"
    plain = await open_store(url)
    await plain.add(job(), Upload.of(PNG))
    await plain.close()
    store = await open_store(url, f"file://{folder}")
    assert await store.image("a") == PNG
    queued, claimed, done = ended(job())
    assert await store.replace(queued, claimed)
    assert await store.replace(claimed, done)
    assert await store.image("a") is None
    await store.close()


async def test_a_store_that_cannot_be_used_is_refused_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    for url in ("nowhere://x", f"file://{tmp_path}/file"):
        with pytest.raises(StoreUnusable, match="IMAGE_STORE_URL"):
            await open_store(f"sqlite:///{tmp_path}/jobs.db", url)
    await (await open_store(f"sqlite:///{tmp_path}/jobs.db")).close()  # and let go of


async def test_an_image_that_is_gone_makes_a_dead_letter_at_once(run: Any, folder: Path) -> None:
    async with run(image_store_url=f"file://{folder}") as service:
        service.pool.hold()
        await service.upload(PNG)
        await service.pool.started.acquire()
        job_id = (await service.upload(PNG)).json()["id"]
        (found,) = [path for path in objects(folder) if path.name.startswith(job_id)]
        found.unlink()
        service.pool.release()
        gone = await service.ended(job_id)
    assert (gone["status"], gone["attempts"], gone["error"]["code"]) == ("dead-letter", 1, "image_missing")


async def test_storage_that_is_away_refuses_uploads_and_costs_no_attempt(run: Any, folder: Path) -> None:
    away = folder.with_name("away")
    async with run(ScriptedPool(default=text_result("read")), image_store_url=f"file://{folder}") as service:
        service.pool.hold()
        await service.upload(PNG)
        await service.pool.started.acquire()
        job_id = (await service.upload(PNG)).json()["id"]

        folder.rename(away)
        folder.write_bytes(b"no folder")
        refused = await service.upload(PNG)
        assert (refused.status_code, refused.json()["code"]) == (503, "store_unavailable")
        assert int(refused.headers["Retry-After"]) >= 1
        assert (await service.client.get("/health/ready")).status_code == 503
        tried = asyncio.Event()
        image = service.service.store.wrapped.image

        async def seen(asked: str) -> Any:
            try:
                return await image(asked)
            finally:
                tried.set()

        service.service.store.wrapped.image = seen
        service.pool.release()
        await tried.wait()
        folder.unlink()
        away.rename(folder)
        read = await service.ended(job_id)
    assert (read["status"], read["attempts"], read["failures"]) == ("done", 1, [])


async def test_nothing_is_accepted_into_nor_missed_in_a_folder_that_took_the_place_of_the_images(
    tmp_path: Path, folder: Path
) -> None:
    store = await open_store(f"sqlite:///{tmp_path}/jobs.db", f"file://{folder}")
    await store.add(job("a"), Upload.of(PNG))
    away = folder.with_name("away")
    folder.rename(away)
    folder.mkdir()
    for refused in (store.check(), store.add(job("b"), Upload.of(PNG)), store.image("a")):
        with pytest.raises(StoreError, match="replaced or unmounted"):
            await refused
    folder.rmdir()
    away.rename(folder)
    await store.check()
    await store.close()
