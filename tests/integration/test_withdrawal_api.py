"""A job that its client does not want any more."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from app.withdrawals import AlreadyEnded, Withdrawals
from ocr_engine.errors import InvalidImage
from ocr_engine.result import ImageInfo
from persistence.job import Job, JobState
from persistence.opening import open_store
from persistence.store import JobStore
from samples import sample
from tests.scripted_pool import ScriptedPool, text_result

pytestmark = pytest.mark.anyio

PNG = sample("health").data
NOW = datetime(2026, 1, 1, tzinfo=UTC)


async def test_a_queued_job_that_is_withdrawn_is_never_read_and_its_image_is_forgotten(run: Any) -> None:
    pool = ScriptedPool()
    pool.hold()
    async with run(pool, max_workers=1) as service:
        first = (await service.upload(PNG)).json()["id"]
        await pool.started.acquire()
        second = (await service.upload(sample("tiny").data)).json()["id"]
        answer = await service.client.delete(f"/images/{second}")
        assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")
        assert await service.service.store.image(second) is None
        pool.release()
        assert (await service.ended(first))["status"] == "done"
        third = (await service.upload(PNG)).json()["id"]
        assert (await service.ended(third))["status"] == "done"
        assert (await service.ended(second))["status"] == "cancelled"
        assert pool.images == [PNG, PNG]
        assert service.service.queue.depth() == 0


async def test_a_job_withdrawn_while_it_is_read_stays_cancelled(run: Any) -> None:
    pool = ScriptedPool(text_result("too late"))
    pool.hold()
    async with run(pool, max_workers=1) as service:
        job_id = (await service.upload(PNG)).json()["id"]
        await pool.started.acquire()
        assert (await service.client.delete(f"/images/{job_id}")).json()["status"] == "cancelled"
        pool.release()
        following = (await service.upload(PNG)).json()["id"]
        assert (await service.ended(following))["status"] == "done"  # the only dispatcher is through with the first
        job = await service.ended(job_id)
        assert (job["status"], job["text"]) == ("cancelled", "")
        metrics = (await service.client.get("/metrics")).text
        assert 'ocr_jobs_ended_total{code="",status="cancelled"} 1.0' in metrics
        assert 'ocr_jobs_ended_total{code="",status="done"} 1.0' in metrics


async def test_who_waits_for_the_job_hears_of_it_at_once(run: Any) -> None:
    pool = ScriptedPool()
    pool.hold()
    async with run(pool) as service:
        job_id = (await service.upload(PNG)).json()["id"]
        waiting = asyncio.create_task(service.client.get(f"/images/{job_id}", headers={"Prefer": "wait=60"}))
        await pool.started.acquire()
        await service.client.delete(f"/images/{job_id}")
        assert (await waiting).json()["status"] == "cancelled"
        pool.release()


async def test_withdrawing_twice_is_as_withdrawing_once(run: Any) -> None:
    pool = ScriptedPool()
    pool.hold()
    async with run(pool) as service:
        job_id = (await service.upload(PNG)).json()["id"]
        first, second = [await service.client.delete(f"/images/{job_id}") for _ in range(2)]
        assert first.status_code == second.status_code == 200
        assert first.json() == second.json()
        pool.release()


async def test_what_has_ended_cannot_be_withdrawn_and_keeps_its_outcome(run: Any) -> None:
    async with run(ScriptedPool(text_result("read"), InvalidImage("broken")), max_workers=1) as service:
        for status in ("done", "dead-letter"):
            job_id = (await service.upload(PNG)).json()["id"]
            before = await service.ended(job_id)
            answer = await service.client.delete(f"/images/{job_id}")
            assert (answer.status_code, answer.json()["code"]) == (409, "already_ended")
            assert (await service.ended(job_id)) == before
            assert before["status"] == status


async def test_what_is_not_there_is_answered_as_a_read_is(run: Any) -> None:
    async with run(ScriptedPool(InvalidImage("broken"))) as service:
        deleted = (await service.upload(PNG)).json()["id"]
        await service.ended(deleted)
        await service.client.delete(f"/dead-letters/{deleted}")
        for job_id, code in ((deleted, 410), ("00000000-0000-4000-8000-000000000000", 404), ("no-id", 404)):
            assert (await service.client.delete(f"/images/{job_id}")).status_code == code
            assert (await service.client.get(f"/images/{job_id}")).status_code == code


class Overtaken:
    """A store in which another change is always just before the first one."""

    def __init__(self, store: JobStore, change: Callable[[JobStore, Job], Awaitable[object]]) -> None:
        self._store = store
        self._change: Callable[[JobStore, Job], Awaitable[object]] | None = change

    async def replace(self, old: Job, new: Job) -> bool:
        change, self._change = self._change, None
        if change is not None:
            await change(self._store, old)
        return await self._store.replace(old, new)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


@pytest.fixture
async def store(tmp_path: Path) -> Any:
    opened = await open_store(f"sqlite:///{tmp_path}/jobs.db")
    yield opened
    await opened.close()


@pytest.fixture
async def job(store: JobStore) -> Job:
    info = ImageInfo(media_type="image/png", width=1, height=1, frames=1, size=len(PNG))
    queued = Job(id="a", image=info, created_at=NOW, updated_at=NOW, due_at=NOW)
    await store.add(queued, PNG)
    return queued


async def claim(store: JobStore, job: Job) -> None:
    assert await store.replace(job, job.claimed(NOW))


async def end(store: JobStore, job: Job) -> None:
    await claim(store, job)
    assert await store.replace(job.claimed(NOW), job.claimed(NOW).completed(text_result("read"), NOW))


async def cancel_and_delete(store: JobStore, job: Job) -> None:
    cancelled = job.cancelled(NOW)
    assert await store.replace(job, cancelled)
    assert await store.delete(cancelled)


async def test_a_dispatcher_that_claims_it_meanwhile_is_overruled(store: JobStore, job: Job) -> None:
    told: list[tuple[JobState, JobState]] = []
    withdrawals = Withdrawals(Overtaken(store, claim), lambda old, new: told.append((old.status, new.status)))  # type: ignore[arg-type] # a store by delegation
    withdrawn = await withdrawals.withdraw(job)
    assert withdrawn is not None
    assert withdrawn.status is JobState.CANCELLED
    assert told == [(JobState.PROCESSING, JobState.CANCELLED)]


async def test_an_outcome_that_is_stored_meanwhile_wins(store: JobStore, job: Job) -> None:
    withdrawals = Withdrawals(Overtaken(store, end), lambda *_: pytest.fail("nothing was withdrawn"))  # type: ignore[arg-type] # a store by delegation
    with pytest.raises(AlreadyEnded):
        await withdrawals.withdraw(job)
    found = await store.get(job.id)
    assert found is not None
    assert found.status is JobState.DONE


async def test_a_job_that_is_deleted_meanwhile_is_told_apart(store: JobStore, job: Job) -> None:
    withdrawals = Withdrawals(Overtaken(store, cancel_and_delete), lambda *_: pytest.fail("nothing was withdrawn"))  # type: ignore[arg-type] # a store by delegation
    assert await withdrawals.withdraw(job) is None
