"""What a client says of its job, and how long that stays."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from app import clock
from app.jobs.events import JobEvents
from app.jobs.retention import Retention
from ocr_engine.errors import InvalidImage
from samples import sample
from tests.scripted_pool import ScriptedPool, text_result

pytestmark = pytest.mark.anyio

PNG = sample("tiny").data


async def upload(service: Any, **fields: str) -> Any:
    return await service.client.post("/images?wait=30", files={"file": PNG}, data=fields)


async def test_tag_and_metadata_come_back_with_the_job(run: Any) -> None:
    async with run() as service:
        job = (await upload(service, tag="Rechnungen 2026", metadata='{"invoice": "17", "für": "Ärzte"}')).json()
        assert (job["tag"], job["metadata"]) == ("Rechnungen 2026", {"invoice": "17", "für": "Ärzte"})
        other = (await upload(service)).json()
        assert (other["tag"], other["metadata"], other["expires_at"] is None) == ("", {}, False)
        listed = (await service.client.get("/images", params={"tag": "Rechnungen 2026"})).json()["items"]
        assert [(each["id"], each["metadata"]["invoice"]) for each in listed] == [(job["id"], "17")]
        assert (await service.client.get("/images?tag=none")).json()["items"] == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("tag", "x" * 201),
        ("tag", "a\x00b"),
        ("metadata", "[]"),
        ("metadata", '{"a": 1}'),
        ("metadata", "{"),
        ("metadata", '{"a": "\\u0000"}'),
        ("expires_in", "0"),
        ("expires_in", "-1"),
        ("expires_in", "1.5"),
        ("expires_in", "9" * 30),
        ("keep_upload", "-1"),
        ("keep_upload", "long"),
        ("keep_upload", "169"),
        ("keep_upload", "9" * 30),
    ],
)
async def test_what_cannot_be_understood_is_refused_by_its_name(run: Any, field: str, value: str) -> None:
    async with run() as service:
        answer = await upload(service, **{field: value})
        assert (answer.status_code, answer.json()["code"]) == (400, "malformed_request")
        assert field in answer.json()["detail"]
        assert (await service.client.get("/images")).json()["items"] == []


async def test_a_job_is_deleted_when_its_client_wanted_it(run: Any) -> None:
    async with run(ScriptedPool(text_result("read"), InvalidImage("broken"), text_result("kept"))) as service:
        jobs = [(await upload(service, expires_in="3600")).json() for _ in range(2)]
        kept = (await upload(service)).json()
        assert [job["status"] for job in jobs] == ["done", "dead-letter"]
        for job in jobs:
            ended, expires = (datetime.fromisoformat(job[key]) for key in ("timestamp", "expires_at"))
            assert expires - ended == timedelta(hours=1)
        store = service.service.store
        for minutes, deleted in ((59, 0), (61, 2)):
            moment = clock.now() + timedelta(minutes=minutes)
            assert await Retention(store, None, JobEvents(), lambda: moment).expire() == deleted  # noqa: B023
        assert {(await service.client.get(f"/images/{job['id']}")).status_code for job in jobs} == {410}
        assert (await service.client.get(f"/images/{kept['id']}")).status_code == 200


async def test_a_dead_letter_that_is_requeued_expires_after_its_new_end_only(run: Any) -> None:
    async with run(ScriptedPool(InvalidImage("broken"))) as service:
        job = (await upload(service, expires_in="3600")).json()
        service.pool.hold()
        again = (await service.client.post(f"/dead-letters/{job['id']}/requeue")).json()
        assert again["expires_at"] is None
        service.pool.release()
