"""Uploads that are sent again, as their clients meet them."""

import asyncio
import base64
import hashlib
from pathlib import Path
from typing import Any

import pytest

from app.http.access.key_file import hash_key
from samples import sample
from tests.postgres import Postgres

pytestmark = pytest.mark.anyio

PNG, OTHER = sample("tiny").data, sample("health").data
KEY = {"Idempotency-Key": '"8e03978e-40d5-43dd-bc93-6894a57f9324"'}


async def form(client: Any, image: bytes = PNG, **headers: str) -> Any:
    """A form has another boundary each time."""
    return await client.post("/images", files={"file": image}, headers={**KEY, **headers})


async def test_the_same_upload_with_the_same_key_is_the_same_job(run: Any) -> None:
    async with run() as service:
        first = await form(service.client)
        again = [await form(service.client), await service.upload(PNG, **KEY)]
        again.append(await service.upload(PNG, **{"Idempotency-Key": KEY["Idempotency-Key"].strip('"')}))
        assert first.status_code == 202
        assert {each.json()["id"] for each in again} == {first.json()["id"]}
        assert {each.headers["Location"] for each in again} == {first.headers["Location"]}
        assert len((await service.client.get("/images")).json()["items"]) == 1
        assert (await service.upload(PNG)).json()["id"] != first.json()["id"]


async def test_another_upload_with_the_same_key_is_refused(run: Any) -> None:
    async with run() as service:
        await form(service.client)
        answer = await form(service.client, OTHER)
        assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")
        assert len((await service.client.get("/images")).json()["items"]) == 1


async def test_the_same_file_with_other_wishes_is_another_upload(run: Any) -> None:
    async with run() as service:
        await form(service.client)
        asked = await service.client.post("/images", files={"file": PNG}, data={"pages": "1"}, headers=KEY)
        assert (asked.status_code, asked.json()["code"]) == (422, "idempotency_key_reused")


async def test_a_repeat_is_answered_though_the_queue_is_full_by_then(run: Any) -> None:
    async with run(queue_limit=1, max_workers=1) as service:
        service.pool.hold()
        await service.upload(PNG)
        await service.pool.started.acquire()
        first = await form(service.client)
        assert (await service.upload(PNG)).json()["code"] == "queue_full"
        assert (await form(service.client)).json()["id"] == first.json()["id"]
        service.pool.release()


async def test_a_key_whose_request_is_not_answered_yet_is_409(run: Any) -> None:
    async with run() as service:
        begun, go_on = asyncio.Event(), asyncio.Event()

        async def slow() -> Any:
            yield PNG[:10]
            begun.set()
            await go_on.wait()
            yield PNG[10:]

        headers = {"Content-Type": "image/png", **KEY}
        first = asyncio.create_task(service.client.post("/images", content=slow(), headers=headers))
        await begun.wait()
        answer = await form(service.client)
        assert (answer.status_code, answer.json()["code"]) == (409, "request_in_flight")
        assert answer.headers["Retry-After"] == "1"
        go_on.set()
        assert (await form(service.client)).status_code in (200, 202, 409)
        assert (await first).status_code == 202
        assert (await form(service.client)).json()["id"] == (await first).json()["id"]


async def test_the_key_of_a_deleted_job_is_gone_with_it(run: Any) -> None:
    async with run() as service:
        job_id = (await form(service.client)).json()["id"]
        await service.ended(job_id)
        assert (await service.client.delete(f"/images/{job_id}")).status_code == 204
        answer = await form(service.client)
        assert (answer.status_code, answer.json()["code"]) == (410, "job_gone")


async def test_a_refused_upload_does_not_use_its_key_up(run: Any) -> None:
    async with run() as service:
        assert (await form(service.client, b"no image")).status_code == 415
        assert (await form(service.client)).status_code == 202


async def test_keys_of_two_clients_do_not_meet(run: Any, tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    keys.write_text(f"ann:{hash_key('a')}\nbob:{hash_key('b')}\n")
    async with run(api_keys_file=str(keys)) as service:
        ids = {(await form(service.client, PNG, **{"X-API-Key": key})).json()["id"] for key in "abab"}
        assert len(ids) == 2


@pytest.mark.parametrize("key", ["", '""', "a b", '"a', "x" * 256, "é"])
async def test_a_key_that_is_none_is_refused(run: Any, key: str) -> None:
    async with run() as service:
        headers = {"Content-Type": "image/png", "Idempotency-Key": key.encode()}
        answer = await service.client.post("/images", content=PNG, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (400, "malformed_request")


@pytest.fixture
def database(postgres: Postgres) -> str:
    return postgres.empty_database()


async def test_two_nodes_make_one_job_of_one_key(run: Any, database: str) -> None:
    async with run(role="api", database_url=database) as one, run(role="api", database_url=database) as other:
        answers = await asyncio.gather(*(form(node.client) for node in (one, other)))
        assert [each.status_code for each in answers] == [202, 202]
        assert answers[0].json()["id"] == answers[1].json()["id"]
        assert (await other.client.get("/queue")).json()["depth"] <= 1


async def test_two_nodes_make_one_batch_of_one_key(run: Any, database: str) -> None:
    files = [("file", ("a.png", PNG)), ("file", ("b.png", OTHER))]
    async with run(role="api", database_url=database) as one, run(role="api", database_url=database) as other:
        sending = (node.client.post("/batches", files=files, headers=KEY) for node in (one, other))
        answers = await asyncio.gather(*sending)
        assert [each.status_code for each in answers] == [202, 202]
        assert answers[0].json()["id"] == answers[1].json()["id"]
        assert len((await other.client.get("/images")).json()["items"]) == len(files)


def digest(data: bytes, name: str = "sha256") -> str:
    return base64.b64encode(hashlib.new(name, data).digest()).decode()


async def test_a_body_that_changed_on_its_way_is_refused(run: Any) -> None:
    async with run() as service:
        right = f"sha-256=:{digest(PNG)}:, md5=:AAAA:, sha-512=:{digest(PNG, 'sha512')}:"
        assert (await service.upload(PNG, **{"Content-Digest": right})).status_code == 202
        answer = await service.upload(PNG, **{"Content-Digest": f"sha-256=:{digest(OTHER)}:"})
        assert (answer.status_code, answer.json()["code"]) == (400, "digest_mismatch")
        for nonsense in ("sha-256", f"sha-256={digest(PNG)}", "sha-256=:!:"):
            answer = await service.upload(PNG, **{"Content-Digest": nonsense})
            assert (answer.status_code, answer.json()["code"]) == (400, "malformed_request")
        assert len((await service.client.get("/images")).json()["items"]) == 1
