"""The probes as orchestrators meet them."""

import asyncio
from typing import Any

import pytest

from app.wiring import Tuning
from ocr_engine.workers.pool import WorkerInfo, WorkerState
from persistence.queue import Unit
from persistence.store import StoreError
from samples import sample
from tests.scripted_pool import ScriptedPool, text_result

pytestmark = pytest.mark.anyio


async def test_live_answers_without_ocr(run: Any) -> None:
    async with run() as service:
        answer = await service.client.get("/health/live")
        assert (answer.status_code, answer.json()) == (200, {"status": "live"})
        assert not service.pool.images


async def test_ready_when_everything_is_in_place(run: Any) -> None:
    async with run() as service:
        answer = await service.client.get("/health/ready")
        assert (answer.status_code, answer.json()) == (200, {"status": "ready", "reasons": []})
        assert not service.pool.images


async def test_a_store_that_cannot_be_written_makes_it_unready(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken() -> None:
        raise StoreError("disk I/O error")

    async with run() as service:
        monkeypatch.setattr(service.service.store, "check", broken)
        answer = await service.client.get("/health/ready")
        assert answer.status_code == 503
        assert answer.json()["reasons"] == ["the store cannot be written: disk I/O error"]


@pytest.mark.parametrize("tuning", [Tuning(check_seconds=0.01)])
async def test_a_store_that_does_not_answer_keeps_no_probe_waiting(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async with run() as service:
        monkeypatch.setattr(service.service.store, "check", asyncio.Event().wait)
        answer = await service.client.get("/health/ready")
        assert answer.status_code == 503
        assert answer.json()["reasons"] == ["the store does not answer within 0.01 s"]


async def test_a_full_queue_makes_it_unready(run: Any) -> None:
    async with run(queue_limit=1) as service:
        await service.service.queue.put(Unit("waits"), delay=3600)
        answer = await service.client.get("/health/ready")
        assert (answer.status_code, answer.json()["reasons"]) == (503, ["the queue is full"])


async def test_no_warm_worker_makes_it_unready(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async with run() as service:
        cold = [WorkerInfo(name="worker-1", state=WorkerState.STARTING, pid=1, restarts=0)]
        monkeypatch.setattr(service.pool, "workers", lambda: cold)
        answer = await service.client.get("/health/ready")
        assert (answer.status_code, answer.json()["reasons"]) == (503, ["no OCR worker is warm"])


async def test_a_stop_makes_it_unready_and_refuses_uploads_while_polls_go_on(run: Any) -> None:
    async with run() as service:
        job_id = (await service.upload(sample("health").data)).json()["id"]
        await service.ended(job_id)
        await service.service.drain()
        unready = await service.client.get("/health/ready")
        refused = await service.upload(sample("health").data)
        assert (unready.status_code, unready.json()["reasons"]) == (503, ["the service is stopping"])
        assert (refused.status_code, refused.json()["code"]) == (503, "stopping")
        assert (await service.client.get(f"/images/{job_id}")).status_code == 200


async def test_the_judged_health_has_the_four_seed_keys_and_what_it_is_made_of(run: Any) -> None:
    known = sample("health")
    async with run(ScriptedPool(text_result(known.text))) as service:
        answer = await service.client.get("/health/ai")
        view = answer.json()
        assert (answer.status_code, view["status"]) == (200, "good")
        assert view["sample_text"] == known.text
        assert view["average_confidence"] == 0.99
        assert view["latency_seconds"] >= 0
        assert view["similarity"] == 1.0
        assert {"queue", "system", "workers"} <= view.keys()
        assert service.pool.images == [known.data]


async def test_junk_is_503(run: Any) -> None:
    async with run(ScriptedPool(text_result("zzz"))) as service:
        answer = await service.client.get("/health/ai")
        assert (answer.status_code, answer.json()["status"]) == (503, "failing")


async def test_the_probe_shares_the_pool_and_never_the_queue(run: Any) -> None:
    async with run() as service:
        await service.client.get("/health/ai")
        await service.client.get("/health/ai")
        assert len(service.pool.images) == 1
        assert service.service.queue.depth() == 0
