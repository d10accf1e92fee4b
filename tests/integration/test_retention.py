"""Finished jobs expire where an operator wants that, and only they."""

from datetime import timedelta
from typing import Any

import pytest

from app import clock
from app.jobs.events import JobEvents
from app.jobs.retention import Retention
from ocr_engine.errors import InvalidImage
from samples import sample
from tests.scripted_pool import ScriptedPool, text_result

pytestmark = pytest.mark.anyio

PNG = sample("health").data


async def test_a_finished_job_expires_and_its_id_answers_410(run: Any) -> None:
    async with run(ScriptedPool(text_result("old"), InvalidImage("bad"))) as service:
        done, letter = [(await service.upload(PNG)).json()["id"] for _ in range(2)]
        for job_id in (done, letter):
            await service.ended(job_id)
        store = service.service.store
        assert await Retention(store, timedelta(days=1), JobEvents()).expire() == 0
        assert (
            await Retention(store, timedelta(days=1), JobEvents(), lambda: clock.now() + timedelta(days=2)).expire()
            == 1
        )
        gone = await service.client.get(f"/images/{done}")
        assert (gone.status_code, gone.json()["code"]) == (410, "job_gone")
        assert (await service.client.get(f"/dead-letters/{letter}")).status_code == 200


async def test_the_service_sweeps_by_itself_when_it_is_told_to(run: Any) -> None:
    async with run(ScriptedPool(text_result("old"))) as service:
        job_id = (await service.upload(PNG)).json()["id"]
        await service.ended(job_id)
    async with run(keep_finished_days=1e-9) as service:
        while (await service.client.get(f"/images/{job_id}")).status_code != 410:
            pass


async def test_a_job_whose_time_is_over_is_shown_no_more_though_it_waits_for_the_next_sweep(run: Any) -> None:
    async with run(ScriptedPool(text_result("old")), keep_finished_days=1e-9) as service:
        job_id = (await service.upload(PNG)).json()["id"]
        while (answer := await service.client.get(f"/images/{job_id}")).status_code == 202:
            pass
        assert (answer.status_code, answer.json()["code"]) == (410, "job_gone")
        assert await service.service.store.outline(job_id) is not None
        for path in ("result", "file", "events", "deliveries", "pages/1/image"):
            assert (await service.client.get(f"/images/{job_id}/{path}")).status_code == 410
        assert (await service.client.delete(f"/images/{job_id}")).status_code == 410
        batch = (await service.client.post("/batches", files={"file": PNG})).json()["id"]
        while (await service.client.get(f"/batches/{batch}")).status_code == 202:
            pass
        assert (await service.client.get(f"/batches/{batch}/results")).text == ""


async def test_finished_jobs_stay_for_ever_where_an_operator_wants_that(run: Any) -> None:
    async with run(ScriptedPool(text_result("old")), keep_finished_days=0.0) as service:
        job_id = (await service.upload(PNG)).json()["id"]
        assert (await service.ended(job_id))["expires_at"] is None
        store = service.service.store
        late = clock.now() + timedelta(days=10_000)
        assert await Retention(store, None, JobEvents(), lambda: late).expire() == 0
        assert (await service.client.get(f"/images/{job_id}")).status_code == 200
