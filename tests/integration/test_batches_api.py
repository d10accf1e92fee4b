"""Batches, as their clients meet them."""

import asyncio
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from app.delivery.signature import new_secret
from app.http.access.key_file import hash_key
from ocr_engine.errors import EngineError
from samples import sample
from tests.receivers import receiver
from tests.scripted_pool import ScriptedPool, text_result

pytestmark = pytest.mark.anyio

PNG, OTHER = sample("tiny").data, sample("health").data
KEY = {"Idempotency-Key": "one"}


def parts(*files: tuple[str, bytes]) -> list[tuple[str, tuple[str, bytes]]]:
    return [("file", file) for file in files]


def zipped(*files: tuple[str, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files:
            archive.writestr(name, data)
    return made.getvalue()


GOOD = parts(("a.png", PNG), ("b \U0001f9fe.png", OTHER))


async def jobs(service: Any) -> list[dict[str, Any]]:
    return list((await service.client.get("/images")).json()["items"])


def staged(service: Any) -> list[Path]:
    return [*service.service.store.staging.iterdir()]


async def test_each_file_becomes_a_job_or_has_a_problem_and_options_hold_for_all(run: Any) -> None:
    async with run() as service:
        service.pool.hold()
        files = [*GOOD, *parts(("notes.txt", b"hello"), ("empty.png", b""))]
        answer = await service.client.post("/batches?text_layer=auto", files=files, data={"tag": "mine"})
        batch = answer.json()
        assert (answer.status_code, answer.headers["Location"]) == (202, f"/batches/{batch['id']}")
        assert int(answer.headers["Retry-After"]) >= 1
        first, second, third, fourth = batch["files"]
        assert [each["name"] for each in batch["files"]] == ["a.png", "b \U0001f9fe.png", "notes.txt", "empty.png"]
        assert (first["problem"], third["job_id"]) == (None, None)
        assert [third["problem"]["code"], fourth["problem"]["code"]] == ["unsupported_media_type", "missing_file"]
        service.pool.release()
        for each in first, second:
            job = await service.ended(each["job_id"])
            assert (job["tag"], job["options"]["text_layer"], job["batch_id"]) == ("mine", "auto", batch["id"])
        ended = (await service.client.get(f"/batches/{batch['id']}?wait=20")).json()
        assert (ended["status"], ended["counts"]["done"], ended["files_total"], ended["files_refused"]) == (
            *("done", 2, 4),
            2,
        )
        assert staged(service) == []


async def test_a_zip_is_its_files_whether_as_a_part_or_as_the_body(run: Any) -> None:
    async with run() as service:
        service.pool.hold()
        data = zipped(("x/", b""), ("x/a.png", PNG), ("__MACOSX/._a.png", b"-"), ("b.png", OTHER), ("c.zip", zipped()))
        answers = [
            await service.client.post("/batches", files=[*parts(("scans.zip", data)), *parts(("d.png", PNG))]),
            await service.client.post("/batches", content=data, headers={"Content-Type": "application/zip"}),
        ]
        for answer, more in zip(answers, (["d.png"], []), strict=True):
            assert answer.status_code == 202
            files = answer.json()["files"]
            assert [each["name"] for each in files] == ["x/a.png", "b.png", "c.zip", *more]
            assert [each["name"] for each in files if each["problem"]] == ["c.zip"]
        images = await asyncio.gather(*(service.service.store.image(each["id"]) for each in await jobs(service)))
        assert set(images) == {PNG, OTHER}
        service.pool.release()


async def test_results_come_as_json_lines_in_the_order_of_the_files(run: Any) -> None:
    pool = ScriptedPool(default=lambda image: text_result("tiny" if image == PNG else "other"))
    async with run(pool) as service:
        sent = await service.client.post("/batches?wait=20", files=[*GOOD, *parts(("c.txt", b"-"), ("d.png", PNG))])
        assert sent.status_code == 200
        address = f"{sent.headers['Location']}/results"
        answer = await service.client.get(address)
        lines = [json.loads(line) for line in answer.text.splitlines()]
        assert answer.headers["content-type"] == "application/x-ndjson"
        assert [(each["number"], each["name"], each["text"]) for each in lines] == [
            (1, "a.png", "tiny"),
            (2, "b \U0001f9fe.png", "other"),
            (4, "d.png", "tiny"),
        ]
        alone = (await service.client.get(f"/images/{lines[0]['id']}")).json()
        assert {name: lines[0][name] for name in alone} == alone
        other = await service.client.get(address, headers={"Accept": "application/jsonl"})
        assert (other.headers["content-type"], other.text) == ("application/jsonl", answer.text)
        for path in (address, sent.headers["Location"]):
            etag = (await service.client.get(path)).headers["ETag"]
            again = await service.client.get(path, headers={"If-None-Match": etag})
            assert (again.status_code, again.content) == (304, b"")


async def test_what_is_to_be_deleted_once_it_was_read_goes_with_the_results_that_were_sent(run: Any) -> None:
    async with run() as service:
        data = {"delete_after_read": "true"}
        address = (await service.client.post("/batches?wait=20", files=GOOD, data=data)).headers["Location"]
        assert len((await service.client.get(f"{address}/results")).text.splitlines()) == 2
        assert (await service.client.get(address)).json()["code"] == "batch_gone"
        assert await jobs(service) == []


async def test_files_are_listed_page_by_page_and_batches_newest_first(run: Any) -> None:
    async with run() as service:
        sent = [(await service.client.post("/batches", files=GOOD)).json()["id"] for _ in range(3)]
        first = (await service.client.get(f"/batches/{sent[0]}?limit=1")).json()
        rest = (await service.client.get(f"/batches/{sent[0]}?limit=1&after={first['next']}")).json()
        assert [each["number"] for each in (*first["files"], *rest["files"])] == [1, 2]
        assert rest["next"] is None
        page = await service.client.get("/batches?limit=2")
        assert [each["id"] for each in page.json()["items"]] == sent[:0:-1]
        following = await service.client.get(page.links["next"]["url"])
        assert [each["id"] for each in following.json()["items"]] == sent[:1]


async def test_delete_cancels_what_is_unfinished_and_then_erases_all(run: Any) -> None:
    async with run(max_workers=1) as service:
        service.pool.hold()
        batch = (await service.client.post("/batches", files=GOOD)).json()
        await service.pool.started.acquire()
        cancelled = await service.client.delete(f"/batches/{batch['id']}")
        assert (cancelled.status_code, cancelled.json()["status"]) == (200, "cancelled")
        assert cancelled.json()["counts"]["cancelled"] == 2
        service.pool.release()
        assert (await service.client.delete(f"/batches/{batch['id']}")).status_code == 204
        gone = await service.client.get(f"/batches/{batch['id']}")
        assert (gone.status_code, gone.json()["code"]) == (410, "batch_gone")
        job = await service.client.get(f"/images/{batch['files'][0]['job_id']}")
        assert (job.status_code, job.json()["code"]) == (410, "job_gone")
        assert (await service.client.get("/batches")).json()["items"] == []


async def test_events_tell_how_far_a_batch_is_and_end_with_it(run: Any) -> None:
    async with run(ScriptedPool(EngineError("odd"), default=text_result("x")), max_attempts=1) as service:
        service.pool.hold()
        address = (await service.client.post("/batches", files=GOOD)).headers["Location"] + "/events"
        told = asyncio.create_task(service.client.get(address))
        await service.pool.started.acquire()
        service.pool.release()
        events = [each for each in (await told).text.split("\n\n") if "data:" in each]
        last = json.loads(events[-1].partition("data: ")[2])
        assert (last["status"], last["counts"]["done"], last["counts"]["dead-letter"]) == ("done", 1, 1)
        assert "event: done" in events[-1]
        seen = events[-1].splitlines()[0].removeprefix("id: ")
        again = await service.client.get(address, headers={"Last-Event-ID": seen})
        assert again.status_code == 204


async def test_its_receiver_is_called_once_at_the_end_of_a_batch_and_of_none_of_its_jobs(run: Any) -> None:
    called: list[dict[str, Any]] = []

    def answer(_headers: Any, body: bytes) -> int:
        called.append(json.loads(body))
        return 204

    with receiver(answer) as url:
        async with run(webhook_secrets=new_secret(), webhook_allowed_hosts="127.0.0.1") as service:
            sent = await service.client.post("/batches?wait=20", files=GOOD, data={"callback_url": url, "tag": "mine"})
            address = f"{sent.headers['Location']}/deliveries"
            while (items := (await service.client.get(address)).json()["items"])[0]["status"] == "pending":
                pass
            (delivery,) = items
            assert (delivery["batch_id"], delivery["job_id"], delivery["status"]) == (
                *(sent.json()["id"], None),
                "delivered",
            )
            assert len((await service.client.get("/deliveries")).json()["items"]) == 1
    ((event, data),) = [(each["type"], each["data"]) for each in called]
    assert (event, data["id"], data["counts"]["done"], data["tag"]) == ("batch.done", sent.json()["id"], 2, "mine")


async def test_a_batch_is_its_keys_own_and_an_admins(run: Any, tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    scopes = {"ann": "", "bob": "", "up": "scope=upload", "see": "scope=read", "root": "scope=admin"}
    keys.write_text("".join(f"{name}:{hash_key(name)} {scope}\n" for name, scope in scopes.items()))
    async with run(api_keys_file=str(keys)) as service:

        async def asked(method: str, path: str, key: str, **more: Any) -> Any:
            return await service.client.request(method, path, headers={"X-API-Key": key}, **more)

        address = (await asked("POST", "/batches", "ann", files=GOOD)).headers["Location"]
        for path in (address, f"{address}/results", f"{address}/events"):
            foreign = await asked("GET", path, "bob")
            assert (foreign.status_code, foreign.json()["code"]) == (404, "batch_not_found")
        assert (await asked("DELETE", address, "bob")).status_code == 404
        assert (await asked("GET", address, "root")).status_code in (200, 202)
        assert (await asked("POST", "/batches", "up", files=GOOD)).status_code == 202
        assert (await asked("GET", "/batches", "up")).status_code == 403
        assert (await asked("POST", "/batches", "see", files=GOOD)).status_code == 403
        assert len((await asked("GET", "/batches", "root")).json()["items"]) == 2
        assert len((await asked("GET", "/batches", "ann")).json()["items"]) == 1


async def test_a_batch_that_is_sent_again_with_its_key_is_the_batch_of_then(run: Any) -> None:
    async with run() as service:
        first = await service.client.post("/batches", files=GOOD, headers=KEY)
        again = await service.client.post("/batches", files=GOOD, headers=KEY)
        assert again.json()["id"] == first.json()["id"]
        assert len(await jobs(service)) == 2
        for files in (GOOD[:1], GOOD[::-1]):
            other = await service.client.post("/batches", files=files, headers=KEY)
            assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
        single = await service.client.post("/images", files={"file": PNG}, headers=KEY)
        assert (single.status_code, single.json()["code"]) == (422, "idempotency_key_reused")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"queue_limit": 2}, "queue_full"),
        ({"max_waiting_bytes": 2 * len(PNG)}, "queue_full"),
        ({"uploads_per_minute": 2}, "rate_limited"),
    ],
)
async def test_what_fits_is_taken_and_the_rest_is_told_and_where_nothing_fits_all_is_refused(
    run: Any, changes: dict[str, int], code: str
) -> None:
    async with run(max_workers=1, **changes) as service:
        service.pool.hold()
        files = parts(*((f"{number}.png", PNG) for number in range(4)))
        batch = (await service.client.post("/batches", files=files)).json()
        assert [each["problem"] and each["problem"]["code"] for each in batch["files"]] == [None, None, code, code]
        if code == "queue_full":  # a worker may have one of them by now
            await service.client.post("/batches", files=files)
        refused = await service.client.post("/batches", files=files)
        assert (refused.json()["code"], "Retry-After" in refused.headers) == (code, True)
        assert staged(service) == []
        service.pool.release()


async def test_a_keys_quota_counts_each_file(run: Any, tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    keys.write_text(f"ann:{hash_key('ann')} max_jobs=1\n")
    async with run(api_keys_file=str(keys)) as service:
        service.pool.hold()
        headers = {"X-API-Key": "ann"}
        batch = (await service.client.post("/batches", files=GOOD, headers=headers)).json()
        assert [each["problem"] and each["problem"]["code"] for each in batch["files"]] == [None, "quota_exceeded"]
        refused = await service.client.post("/batches", files=GOOD, headers=headers)
        assert (refused.status_code, refused.json()["code"]) == (429, "quota_exceeded")
        service.pool.release()


@pytest.mark.parametrize(
    ("sent", "status", "code"),
    [
        ({"files": parts(("a.txt", b"hello"), ("b.png", b""))}, 415, "unsupported_media_type"),
        ({"files": parts(*((f"{number}", PNG) for number in range(4)))}, 413, "too_many_files"),
        ({"files": parts(("a.zip", zipped(*((f"{number}", PNG) for number in range(4)))))}, 413, "too_many_files"),
        ({"files": parts(("a", bytes(9000)), ("b", bytes(9000)))}, 413, "image_too_large"),
        ({"content": bytes(90_000)}, 413, "image_too_large"),
        ({"files": parts(("a.zip", zipped(("a", bytes(20_000)))))}, 413, "archive_too_large"),
        ({"content": b"PK\x03\x04"}, 422, "invalid_archive"),
        ({"files": [("picture", ("a.png", PNG))]}, 400, "unknown_parameter"),
        ({"files": GOOD[:1], "data": {"pages": "x"}}, 400, "malformed_request"),
        ({"files": GOOD[:1], "headers": {"Content-Digest": f"sha-256=:{'A' * 43}=:"}}, 400, "digest_mismatch"),
        ({"content": b""}, 400, "missing_file"),
        ({"content": b'{"urls": ["\xff"]}', "headers": {"Content-Type": "application/json"}}, 400, "malformed_request"),
        ({"files": GOOD[:1], "data": {"options": b'{"tag": "\xff"}'}}, 400, "malformed_request"),
        ({"content": b"x", "headers": {"Content-Type": "text/plain"}}, 415, "unsupported_media_type"),
    ],
)
async def test_what_is_refused_leaves_nothing_behind(run: Any, sent: Any, status: int, code: str) -> None:
    async with run(max_batch_files=3, max_batch_bytes=15_000, max_image_bytes=10_000) as service:
        answer = await service.client.post("/batches", **sent)
        assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert await jobs(service) == []
        assert staged(service) == []


async def test_a_batch_of_which_nothing_is_taken_has_the_problem_of_each_file(run: Any) -> None:
    async with run() as service:
        answer = await service.client.post("/batches", files=parts(("a.txt", b"hello"), ("b.png", b"")))
        problems = answer.json()["problems"]
        told = [(each["number"], each["name"], each["code"], each["status"], each["type"]) for each in problems]
        assert told == [
            (1, "a.txt", "unsupported_media_type", 415, "/problems/unsupported_media_type"),
            (2, "b.png", "missing_file", 400, "/problems/missing_file"),
        ]
        assert all(each["detail"] and each["title"] for each in problems)
        other = await service.client.post("/images", content=b"hello")
        assert "problems" not in other.json()


async def test_a_form_that_ends_half_way_leaves_nothing_behind(run: Any) -> None:
    async with run() as service:
        head = b"--b\r\nContent-Disposition: form-data; name=file; filename=a.png\r\n\r\n"
        content = head + PNG + b"\r\n" + head + PNG[:10]
        headers = {"Content-Type": "multipart/form-data; boundary=b"}
        answer = await service.client.post("/batches", content=content, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (400, "malformed_request")
        assert await jobs(service) == []
        assert staged(service) == []
