"""`dedupe=content`: the result of an equal file that was read alike for the same key is that of a new job, at once."""

import json
from pathlib import Path
from typing import Any

import pytest

from app.http.access.key_file import hash_key
from samples import sample
from tests.pdfs import Leaf, pdf
from tests.scripted_pool import ScriptedPool, text_result

pytestmark = pytest.mark.anyio

PNG = sample("tiny").data
PDF = pdf(Leaf(), Leaf())


async def sent(service: Any, file: bytes = PNG, key: str = "", **fields: str) -> dict[str, Any]:
    headers = {"X-API-Key": key} if key else {}
    answer = await service.client.post(
        "/images", params={"wait": "30"}, files={"file": file}, data=fields, headers=headers
    )
    assert answer.status_code == 200
    return dict(answer.json())


async def test_an_equal_file_is_answered_at_once_by_a_job_of_its_own(run: Any) -> None:
    pool = ScriptedPool(text_result("first"), default=text_result("again"))
    async with run(pool) as service:
        first = await sent(service)
        again = await sent(service)
        answer = await service.client.post("/images", content=PNG, params={"dedupe": "content", "tag": "t"})
        assert (answer.status_code, answer.headers["location"]) == (200, f"/images/{answer.json()['id']}")
        cached = answer.json()
        assert (first["text"], again["text"], cached["text"]) == ("first", "again", "again"), "of two the later one"
        assert [each["cached"] for each in (first, again, cached)] == [False, False, True]
        assert (cached["status"], cached["attempts"], cached["tag"]) == ("done", 0, "t")
        assert cached["id"] not in (first["id"], again["id"])
        assert cached["upload_until"] is not None
        assert (await service.client.get(f"/images/{cached['id']}/file")).content == PNG
        for each in (first, again):
            assert (await service.client.delete(f"/images/{each['id']}")).status_code == 204
        assert (await service.client.get(f"/images/{cached['id']}/result")).text == "again\n"
        events = await service.client.get(f"/images/{cached['id']}/events")
        assert "event: done" in events.text
        assert len(pool.images) == 2


@pytest.mark.parametrize(
    ("fields", "cached"),
    [
        ({"rotate": "90"}, False),
        ({"min_confidence": "0.4"}, False),
        ({"reading_order": "rows"}, False),
        ({"language": "de"}, False),
        ({"regions": "0,0,9,9"}, False),
        ({"ignore": "0,0,9,9"}, False),
        ({"check_boxes": "true"}, False),
        ({"text_layer": "auto"}, False),
        ({"pages": "1"}, False),
        ({"password": "secret"}, False),
        ({"tag": "t", "priority": "high", "timeout": "9", "detail": "words", "expires_in": "99"}, True),
        ({"rotate": "auto", "reading_order": "auto"}, True),
    ],
)
async def test_only_what_was_asked_alike_is_equal(run: Any, fields: dict[str, str], cached: bool) -> None:
    async with run(ScriptedPool(default=text_result("read"))) as service:
        await sent(service)
        assert (await sent(service, PNG, "", dedupe="content", **fields))["cached"] is cached


async def test_a_file_that_differs_and_a_job_that_is_gone_answer_for_none(run: Any) -> None:
    pool = ScriptedPool(default=text_result("read"))
    async with run(pool) as service:
        first = await sent(service)
        assert not (await sent(service, sample("turned").data, dedupe="content"))["cached"]
        assert (await service.client.delete(f"/images/{first['id']}")).status_code == 204
        assert not (await sent(service, dedupe="content"))["cached"]
        short = await sent(service, dedupe="content", expires_in="1")
        assert short["cached"]


async def test_files_of_a_batch_have_equals_and_are_equals(run: Any) -> None:
    other = sample("turned").data
    pool = ScriptedPool(text_result("first"), default=text_result("read"))
    async with run(pool) as service:

        async def batch(*files: bytes) -> tuple[int, list[tuple[str, bool]]]:
            parts = [("file", (f"{number}.png", file)) for number, file in enumerate(files)]
            asked = {"dedupe": "content"}
            answer = await service.client.post("/batches", files=parts, data=asked)
            path = answer.headers["location"]
            assert (await service.client.get(path, params={"wait": "30"})).json()["status"] == "done"
            lines = [json.loads(line) for line in (await service.client.get(f"{path}/results")).text.splitlines()]
            return answer.status_code, [(line["text"], line["cached"]) for line in lines]

        await sent(service)
        _, read = await batch(PNG, other)
        assert read == [("first", True), ("read", False)]
        assert await batch(PNG, other) == (200, [("first", True), ("read", True)])
        assert (await sent(service, other, dedupe="content"))["cached"]
        assert len(pool.images) == 2


async def test_what_other_settings_of_ocr_read_answers_for_none(run: Any) -> None:
    async with run(ScriptedPool(default=text_result("read"))) as service:
        await sent(service)
    async with run(ScriptedPool(default=text_result("read")), ocr_min_confidence=0.4) as service:
        assert not (await sent(service, dedupe="content"))["cached"]
    async with run(ScriptedPool(default=text_result("read"))) as service:
        assert (await sent(service, dedupe="content"))["cached"], "after a restart, too"


async def test_what_another_key_had_read_answers_for_none(run: Any, tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    keys.write_text(f"ann:{hash_key('sq_ann')}\nbob:{hash_key('sq_bob')}\n")
    async with run(ScriptedPool(default=text_result("read")), api_keys_file=str(keys)) as service:
        await sent(service, key="sq_ann")
        assert not (await sent(service, key="sq_bob", dedupe="content"))["cached"]
        assert (await sent(service, key="sq_ann", dedupe="content"))["cached"]


async def test_the_pages_of_an_equal_file_are_there_and_a_repeat_is_the_same_job(run: Any) -> None:
    pool = ScriptedPool(default=text_result("read"))
    pool.pages = 2
    async with run(pool) as service:
        first = await sent(service, PDF)
        headers = {"Idempotency-Key": "k"}
        answers = [await service.client.post("/images?dedupe=content", content=PDF, headers=headers) for _ in range(2)]
        cached, repeated = (answer.json() for answer in answers)
        assert cached["cached"]
        assert (cached["text"], cached["pages_total"], cached["pages_done"]) == (first["text"], 2, 2)
        assert [page["number"] for page in cached["pages"]] == [1, 2]
        assert repeated["id"] == cached["id"]
        assert len(pool.read) == 2
