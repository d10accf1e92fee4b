"""What a client misspells is refused by its name, and nothing is kept of the upload."""

import gzip
from typing import Any

import pytest

from samples import sample

pytestmark = pytest.mark.anyio

PNG = sample("tiny").data


async def test_an_unknown_form_field_is_named(run: Any) -> None:
    async with run() as service:
        answer = await service.client.post("/images", data={"langauge": "deu"}, files={"file": ("a.png", PNG)})
        assert (answer.status_code, answer.json()["code"]) == (400, "unknown_parameter")
        assert "'langauge'" in answer.json()["detail"]
        assert (await service.client.get("/queue")).json()["depth"] == 0


@pytest.mark.parametrize("path", ["/images?langauge=de", "/images/?langauge=de"])
async def test_an_unknown_query_parameter_of_an_upload_is_named(run: Any, path: str) -> None:
    async with run() as service:
        answer = await service.client.post(path, content=PNG, headers={"Content-Type": "image/png"})
        assert (answer.status_code, answer.json()["code"]) == (400, "unknown_parameter")
        told = "unknown query parameter 'langauge'; taken here: 'callback_url', 'check_boxes', "
        assert answer.json()["detail"].startswith(told)


@pytest.mark.parametrize("path", ["/images/{id}?service=x", "/dead-letters?cod=timeout", "/images/{id}?details=words"])
async def test_an_unknown_query_parameter_of_a_read_is_named(run: Any, path: str) -> None:
    async with run() as service:
        job = (await service.upload(PNG)).json()["id"]
        answer = await service.client.get(path.replace("{id}", job))
        assert (answer.status_code, answer.json()["code"]) == (400, "unknown_parameter")


async def test_a_query_parameter_that_says_two_things_is_refused(run: Any) -> None:
    async with run() as service:
        for path in ("/images?status=done&status=queued", "/dead-letters?limit=1&limit=2", "/batches?limit=1&limit=2"):
            answer = await service.client.get(path)
            assert (answer.status_code, answer.json()["code"]) == (400, "malformed_request")
            assert "twice" in answer.json()["detail"]
        assert (await service.client.post("/images?wait=1&wait=2", content=PNG)).status_code == 400
        assert (await service.client.get("/images?limit=3&limit=3")).status_code == 200


async def test_a_query_that_is_no_utf_8_is_refused(run: Any) -> None:
    async with run() as service:
        for answer in (
            await service.client.post("/images?tag=%ff", content=PNG),
            await service.client.get("/images?tag=%ff"),
        ):
            told = (answer.status_code, answer.json()["code"], answer.json()["detail"])
            assert told == (400, "malformed_request", "the query is not UTF-8")


@pytest.mark.parametrize("path", ["/images", "/batches"])
async def test_a_body_that_came_packed_is_refused_as_such(run: Any, path: str) -> None:
    async with run() as service:
        packed = gzip.compress(PNG)
        answer = await service.client.post(path, content=packed, headers={"Content-Encoding": "gzip"})
        assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")
        assert "Content-Encoding 'gzip'" in answer.json()["detail"]
        assert answer.headers["accept-encoding"] == "identity"
        assert (await service.client.post(path, content=PNG, headers={"Content-Encoding": "identity"})).is_success


async def test_a_known_query_parameter_is_taken(run: Any) -> None:
    async with run() as service:
        job = (await service.upload(PNG)).json()["id"]
        assert (await service.client.get(f"/images/{job}?detail=words")).status_code in (200, 202)
        assert (await service.client.get("/dead-letters?limit=3&code=timeout")).status_code == 200


async def test_a_missing_file_is_told_with_the_parts_that_came(run: Any) -> None:
    async with run() as service:
        answer = await service.client.post("/images", files={"image": ("a.png", PNG)})
        assert (answer.status_code, answer.json()["code"]) == (400, "missing_file")
        assert "'image'" in answer.json()["detail"]
        empty = await service.client.post("/images", files={"file": ("a.png", b"")})
        assert "the part `file` is empty" in empty.json()["detail"]


async def test_an_unknown_route_and_a_wrong_method_say_where_to_look(run: Any) -> None:
    async with run() as service:
        lost = await service.client.get("/image")
        assert (lost.status_code, lost.json()["code"]) == (404, "not_found")
        assert "/docs" in lost.json()["detail"]
        wrong = await service.client.put("/images")
        assert (wrong.status_code, wrong.json()["code"]) == (405, "method_not_allowed")
        assert "POST" in wrong.json()["detail"]
