"""The list of a key's jobs, as clients meet it."""

from pathlib import Path
from typing import Any

import pytest

from app.http.access.key_file import hash_key
from ocr_engine.errors import InvalidImage
from samples import sample
from tests.scripted_pool import ScriptedPool, text_result

pytestmark = pytest.mark.anyio

PNG = sample("tiny").data


async def test_jobs_are_listed_newest_first_and_page_by_page(run: Any) -> None:
    async with run() as service:
        ids = [(await service.upload(PNG)).json()["id"] for _ in range(5)]
        seen, path = list[str](), "/images?limit=2"
        for expected in (2, 2, 1):
            answer = await service.client.get(path)
            assert len(answer.json()["items"]) == expected
            seen += [item["id"] for item in answer.json()["items"]]
            link = answer.headers.get("Link", "")
            path = link.partition(">")[0].removeprefix("<")
        assert seen == ids[::-1]
        assert not link


async def test_a_list_may_be_of_one_state_and_of_what_is_new(run: Any) -> None:
    async with run(ScriptedPool(text_result("a"), InvalidImage("b"), text_result("c"))) as service:
        ids = [(await service.client.post("/images?wait=30", files={"file": PNG})).json()["id"] for _ in range(3)]
        dead = (await service.client.get("/images?status=dead-letter")).json()["items"]
        assert [(each["id"], each["error"]["code"]) for each in dead] == [(ids[1], "invalid_image")]
        done = (await service.client.get("/images?status=done&limit=1")).json()
        assert [each["id"] for each in done["items"]] == [ids[2]]
        assert "text" not in done["items"][0]
        moment = dead[0]["created_at"]
        newer = (await service.client.get("/images", params={"created_after": moment})).json()["items"]
        assert [each["id"] for each in newer] == [ids[2]]


@pytest.mark.parametrize("query", ["status=lost", "created_after=soon", "after=x", "limit=0", "tags=a"])
async def test_a_list_that_cannot_be_understood_is_refused(run: Any, query: str) -> None:
    async with run() as service:
        assert (await service.client.get(f"/images?{query}")).status_code == 400


async def test_an_empty_tag_is_as_none(run: Any) -> None:
    async with run() as service:
        job_id = (await service.client.post("/images", files={"file": PNG})).json()["id"]
        assert [each["id"] for each in (await service.client.get("/images?tag=")).json()["items"]] == [job_id]


async def test_a_key_lists_its_own_jobs_only(run: Any, tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    keys.write_text(f"ann:{hash_key('a')}\nbob:{hash_key('b')}\n")
    async with run(api_keys_file=str(keys)) as service:
        await service.upload(PNG, **{"X-API-Key": "a"})
        assert (await service.client.get("/images", headers={"X-API-Key": "b"})).json()["items"] == []
        assert len((await service.client.get("/images", headers={"X-API-Key": "a"})).json()["items"]) == 1


async def test_a_list_that_has_not_changed_is_not_sent_again(run: Any) -> None:
    async with run(ScriptedPool(default=text_result("a"))) as service:
        await service.client.post("/images?wait=30", files={"file": PNG})
        first = await service.client.get("/images")
        again = await service.client.get("/images", headers={"If-None-Match": first.headers["ETag"]})
        assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", first.headers["ETag"])
        await service.client.post("/images?wait=30", files={"file": PNG})
        changed = await service.client.get("/images", headers={"If-None-Match": first.headers["ETag"]})
        assert (changed.status_code, len(changed.json()["items"])) == (200, 2)
