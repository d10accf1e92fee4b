"""Dead letters as operators meet them."""

from typing import Any

import pytest

from ocr_engine.errors import EngineError, InvalidImage, WorkerCrashed
from persistence.queue import Unit
from samples import sample
from tests.scripted_pool import ScriptedPool, text_result

pytestmark = pytest.mark.anyio

PNG = sample("health").data
OUT_OF_TIME = ("after=0001-01-01T00:00:00%2B14:00~a", "after=9999-12-31T23:59:59-14:00~a", "after=0001-01-01T00:00:00~")
"""Moments of the calendar that are beyond its ends in UTC."""


async def given_up(service: Any) -> str:
    job_id = str((await service.upload(PNG)).json()["id"])
    assert (await service.ended(job_id))["status"] == "dead-letter"
    return job_id


async def test_a_dead_letter_shows_every_attempt(run: Any) -> None:
    crash = WorkerCrashed("gone")
    crash.worker = "worker-7"
    async with run(ScriptedPool(crash, EngineError("odd")), max_attempts=2) as service:
        letter = (await service.client.get(f"/dead-letters/{await given_up(service)}")).json()
        assert [(failure["attempt"], failure["code"], failure["worker"]) for failure in letter["failures"]] == [
            (1, "worker_crashed", "worker-7"),
            (2, "engine_error", ""),
        ]
        assert all(failure["at"] and failure["detail"] for failure in letter["failures"])


async def test_the_list_is_newest_first_by_code_and_in_pages(run: Any) -> None:
    pool = ScriptedPool(InvalidImage("a"), EngineError("b"), InvalidImage("c"))
    async with run(pool, max_attempts=1) as service:
        letters = [await given_up(service) for _ in range(3)]
        first = (await service.client.get("/dead-letters?limit=2")).json()
        second = (await service.client.get("/dead-letters", params={"limit": 2, "after": first["next"]})).json()
        assert [job["id"] for page in (first, second) for job in page["items"]] == letters[::-1]
        assert second["next"] is None
        invalid = (await service.client.get("/dead-letters?code=invalid_image")).json()
        assert [job["id"] for job in invalid["items"]] == [letters[2], letters[0]]


async def test_the_next_of_a_page_can_be_put_into_a_url_as_it_is(run: Any) -> None:
    async with run(ScriptedPool(InvalidImage("a"), InvalidImage("b")), max_attempts=1) as service:
        older, newer = [await given_up(service) for _ in range(2)]
        first = (await service.client.get("/dead-letters?limit=1")).json()
        second = (await service.client.get(f"/dead-letters?after={first['next']}")).json()
        assert [[job["id"] for job in page["items"]] for page in (first, second)] == [[newer], [older]]


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "limit=x", "after=x", "after=2026-99-99~a", *OUT_OF_TIME])
async def test_a_page_that_makes_no_sense_is_400(run: Any, query: str) -> None:
    async with run() as service:
        answer = await service.client.get(f"/dead-letters?{query}")
        assert (answer.status_code, answer.json()["code"]) == (400, "malformed_request")
        assert query.partition("=")[0] in answer.json()["detail"].partition(":")[0]


async def test_a_requeued_dead_letter_gets_all_its_attempts_again(run: Any) -> None:
    async with run(ScriptedPool(EngineError("odd"), text_result("now it works")), max_attempts=1) as service:
        job_id = await given_up(service)
        answer = await service.client.post(f"/dead-letters/{job_id}/requeue")
        assert answer.status_code == 202
        assert answer.headers["Location"] == f"/images/{job_id}"
        job = await service.ended(job_id)
        assert (job["status"], job["text"], job["attempts"]) == ("done", "now it works", 1)
        assert [failure["code"] for failure in job["failures"]] == ["engine_error"]


async def test_all_of_one_code_are_requeued_together(run: Any) -> None:
    pool = ScriptedPool(EngineError("a"), InvalidImage("b"), EngineError("c"))
    async with run(pool, max_attempts=1) as service:
        letters = [await given_up(service) for _ in range(3)]
        answer = await service.client.post("/dead-letters/requeue?code=engine_error")
        assert (answer.status_code, answer.json()) == (200, {"requeued": 2, "remaining": False})
        assert [(await service.ended(job_id))["status"] for job_id in letters] == ["done", "dead-letter", "done"]


@pytest.mark.parametrize("code", ["", "timout"])
async def test_a_code_that_does_not_exist_is_refused_by_name(run: Any, code: str) -> None:
    async with run() as service:
        for answer in (
            await service.client.get(f"/dead-letters?code={code}"),
            await service.client.post(f"/dead-letters/requeue?code={code}"),
        ):
            assert (answer.status_code, answer.json()["code"]) == (400, "malformed_request")
            assert f"code: {code!r} is no error code" in answer.json()["detail"]


async def test_a_bulk_requeue_stops_where_the_queue_is_full_and_says_so(run: Any) -> None:
    async with run(ScriptedPool(EngineError("a"), EngineError("b")), max_attempts=1, queue_limit=1) as service:
        letters = [await given_up(service) for _ in range(2)]
        await service.service.queue.put(Unit("blocks"), delay=3600)
        assert (await service.client.post("/dead-letters/requeue")).json() == {"requeued": 0, "remaining": True}
        one = await service.client.post(f"/dead-letters/{letters[0]}/requeue")
        assert (one.status_code, one.json()["code"]) == (503, "queue_full")
        assert (await service.ended(letters[0]))["status"] == "dead-letter"


async def test_a_deleted_dead_letter_is_gone(run: Any) -> None:
    async with run(ScriptedPool(EngineError("odd")), max_attempts=1) as service:
        job_id = await given_up(service)
        assert (await service.client.delete(f"/dead-letters/{job_id}")).status_code == 204
        for path in ("/images/", "/dead-letters/"):
            answer = await service.client.get(path + job_id)
            assert (answer.status_code, answer.json()["code"]) == (410, "job_gone")
        assert await service.service.store.image(job_id) is None


@pytest.mark.parametrize(("method", "path"), [("GET", ""), ("POST", "/requeue"), ("DELETE", "")])
async def test_a_job_that_is_no_dead_letter_is_a_conflict(run: Any, method: str, path: str) -> None:
    async with run() as service:
        job_id = (await service.upload(PNG)).json()["id"]
        await service.ended(job_id)
        answer = await service.client.request(method, f"/dead-letters/{job_id}{path}")
        assert (answer.status_code, answer.json()["code"]) == (409, "not_a_dead_letter")
        assert (await service.ended(job_id))["status"] == "done"
