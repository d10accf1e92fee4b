"""A job that its client does not want any more."""

import asyncio
from typing import Any

import pytest

from ocr_engine.errors import InvalidImage
from samples import sample
from tests.scripted_pool import ScriptedPool, text_result

pytestmark = pytest.mark.anyio

PNG = sample("health").data


async def test_a_queued_job_that_is_cancelled_is_never_read_and_its_image_is_forgotten(run: Any) -> None:
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


async def test_the_place_of_a_cancelled_job_in_the_queue_is_free_at_once(run: Any) -> None:
    pool = ScriptedPool()
    pool.hold()
    async with run(pool, max_workers=1, queue_limit=1) as service:
        await service.upload(PNG)
        await pool.started.acquire()
        waiting = (await service.upload(PNG)).json()["id"]
        assert (await service.upload(PNG)).json()["code"] == "queue_full"
        await service.client.delete(f"/images/{waiting}")
        assert (await service.client.get("/queue")).json()["depth"] == 0
        assert (await service.upload(PNG)).status_code == 202
        pool.release()


async def test_a_job_cancelled_while_it_is_read_stays_cancelled(run: Any) -> None:
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


async def test_what_is_cancelled_is_erased_when_it_is_deleted_again(run: Any) -> None:
    pool = ScriptedPool()
    pool.hold()
    async with run(pool) as service:
        job_id = (await service.upload(PNG)).json()["id"]
        answers = [await service.client.delete(f"/images/{job_id}") for _ in range(3)]
        assert [answer.status_code for answer in answers] == [200, 204, 410]
        assert (await service.client.get(f"/images/{job_id}")).status_code == 410
        pool.release()


async def test_what_is_not_there_is_answered_as_a_read_is(run: Any) -> None:
    async with run(ScriptedPool(InvalidImage("broken"))) as service:
        deleted = (await service.upload(PNG)).json()["id"]
        await service.ended(deleted)
        await service.client.delete(f"/dead-letters/{deleted}")
        for job_id, code in ((deleted, 410), ("00000000-0000-4000-8000-000000000000", 404), ("no-id", 404)):
            assert (await service.client.delete(f"/images/{job_id}")).status_code == code
            assert (await service.client.get(f"/images/{job_id}")).status_code == code
