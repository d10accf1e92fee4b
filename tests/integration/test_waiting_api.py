"""`Prefer: wait=N` and `?wait=N`, on an upload and on a job, as clients meet them."""

import asyncio
from typing import Any

import pytest

from app.wiring import Tuning
from samples import sample
from tests.postgres import Postgres
from tests.scripted_pool import ScriptedPool, text_result

pytestmark = pytest.mark.anyio

PNG = sample("health").data
WAIT = {"Prefer": "wait=3600"}


@pytest.fixture
def tuning() -> Tuning:
    """One request may wait, so that a test sees that it does."""
    return Tuning(max_waiting_requests=1)


async def running_job(service: Any) -> str:
    """A job that the pool holds."""
    service.pool.hold()
    job_id = (await service.upload(PNG)).json()["id"]
    await service.pool.started.acquire()
    return str(job_id)


async def waiting(service: Any, job_id: str) -> asyncio.Task[Any]:
    """A request that waits by now."""
    looked = asyncio.Event()
    get = service.service.store.outline

    async def seen(asked: str) -> Any:
        job = await get(asked)
        if service.service.waiters.full:  # of one: it is registered
            looked.set()
        return job

    service.service.store.outline = seen
    task = asyncio.create_task(service.client.get(f"/images/{job_id}", headers=WAIT))
    await looked.wait()
    return task


async def test_the_answer_comes_with_the_end_of_the_job(run: Any) -> None:
    async with run(ScriptedPool(default=text_result("read")), max_wait_seconds=3600) as service:
        request = await waiting(service, await running_job(service))
        service.pool.release()
        answer = await request
        assert (answer.status_code, answer.json()["text"]) == (200, "read")
        assert answer.headers["Preference-Applied"] == "wait"


@pytest.mark.parametrize(("query", "headers"), [("", WAIT), ("?wait=3600", {}), ("?wait=3600", {"Prefer": "wait=0"})])
async def test_an_upload_is_answered_with_its_text_where_the_client_waits_for_it(
    run: Any, query: str, headers: dict[str, str]
) -> None:
    async with run(ScriptedPool(default=text_result("read")), max_wait_seconds=3600) as service:
        answer = await service.client.post(f"/images{query}", files={"file": PNG}, headers=headers)
        assert (answer.status_code, answer.json()["text"]) == (200, "read")
        assert answer.headers["Location"] == f"/images/{answer.json()['id']}"
        assert answer.headers.get("Preference-Applied") == ("wait" if headers == WAIT else None)


async def test_an_upload_that_is_waited_for_in_vain_is_accepted_like_any_other(run: Any) -> None:
    async with run(max_wait_seconds=3600, drain_seconds=0.01) as service:
        service.pool.hold()
        request = asyncio.create_task(service.client.post("/images?wait=3600", files={"file": PNG}))
        await service.pool.started.acquire()
        await service.service.drain()
        answer = await request
        assert answer.status_code == 202
        assert int(answer.headers["Retry-After"]) >= 1
        assert answer.headers["Location"] == f"/images/{answer.json()['id']}"


async def test_who_cannot_set_headers_waits_by_the_query(run: Any) -> None:
    async with run(ScriptedPool(default=text_result("read")), max_wait_seconds=3600) as service:
        job_id = (await service.upload(PNG)).json()["id"]
        answer = await service.client.get(f"/images/{job_id}?wait=3600")
        assert (answer.status_code, answer.json()["text"]) == (200, "read")
        assert "Preference-Applied" not in answer.headers


@pytest.mark.parametrize("wait", ["-1", "soon", "1.5", ""])
async def test_a_wait_that_is_no_number_of_seconds_is_refused_before_the_upload_is_read(run: Any, wait: str) -> None:
    async with run() as service:
        answer = await service.client.post(f"/images?wait={wait}", files={"file": PNG})
        assert (answer.status_code, answer.json()["code"]) == (400, "malformed_request")
        assert "wait" in answer.json()["detail"]
        assert not service.pool.images


async def test_after_the_longest_wait_the_job_is_shown_as_it_is(run: Any) -> None:
    async with run(max_wait_seconds=1) as service:
        job_id = await running_job(service)
        answer = await service.client.get(f"/images/{job_id}", headers=WAIT)
        assert (answer.status_code, answer.json()["status"]) == (202, "processing")
        assert answer.headers["Preference-Applied"] == "wait"
        assert int(answer.headers["Retry-After"]) >= 1
        service.pool.release()


async def test_one_request_too_many_is_answered_at_once(run: Any) -> None:
    async with run(max_wait_seconds=3600) as service:
        job_id = await running_job(service)
        request = await waiting(service, job_id)
        answer = await service.client.get(f"/images/{job_id}", headers=WAIT)
        assert answer.status_code == 202
        assert "Preference-Applied" not in answer.headers
        service.pool.release()
        assert (await request).status_code == 200


async def test_a_stop_ends_the_wait_at_once(run: Any) -> None:
    async with run(max_wait_seconds=3600, drain_seconds=0.01) as service:
        request = await waiting(service, await running_job(service))
        await service.service.drain()
        assert (await request).status_code == 202


async def test_a_foreign_or_unknown_job_is_not_waited_for(run: Any) -> None:
    async with run(max_wait_seconds=3600) as service:
        answer = await service.client.get("/images/00000000-0000-0000-0000-000000000000", headers=WAIT)
        assert answer.status_code == 404


async def test_a_client_that_leaves_is_not_waited_for(run: Any) -> None:
    async with run(max_wait_seconds=3600) as service:
        job_id = await running_job(service)
        messages = [{"type": "http.request", "body": b"", "more_body": False}, {"type": "http.disconnect"}]
        sent: list[Any] = []

        async def receive() -> Any:
            return messages.pop(0)

        async def send(message: Any) -> None:
            sent.append(message)

        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http",
            "path": f"/images/{job_id}", "raw_path": f"/images/{job_id}".encode(), "query_string": b"",
            "root_path": "", "headers": [(b"host", b"test"), (b"prefer", b"wait=3600")], "client": ("127.0.0.1", 1),
            "server": ("test", 80), "state": {},
        }  # fmt: skip
        await service.app(scope, receive, send)
        assert sent[0]["status"] == 202
        service.pool.release()


@pytest.fixture
def database(postgres: Postgres) -> str:
    return postgres.empty_database()


async def test_a_request_at_one_node_hears_of_the_end_at_another(run: Any, database: str) -> None:
    async with run(role="api", database_url=database, max_wait_seconds=3600) as api:
        job_id = (await api.upload(PNG)).json()["id"]
        request = await waiting(api, job_id)
        async with run(ScriptedPool(default=text_result("read")), role="worker", database_url=database):
            assert (await request).json()["text"] == "read"
