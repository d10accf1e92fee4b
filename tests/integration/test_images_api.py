"""`/images` as clients meet it."""

import asyncio
import io
from typing import Any

import pytest
from PIL import Image

from ocr_engine.errors import EngineError, InvalidImage, JobTimeout, WorkerCrashed
from ocr_engine.image import decode_page, read_header
from ocr_engine.result import OcrResult
from samples import sample
from tests.scripted_pool import ScriptedPool, text_result

pytestmark = pytest.mark.anyio

PNG = sample("health").data
RAW_TYPES = ["image/png", "application/octet-stream", "application/x-www-form-urlencoded"]
SEED_KEYS = ("id", "status", "timestamp", "text", "confidence", "processing_time")


async def test_an_upload_is_answered_with_a_job_and_where_to_read_it(run: Any) -> None:
    async with run() as service:
        answer = await service.upload(PNG)
        job = answer.json()
        assert answer.status_code == 202
        assert answer.headers["Location"] == f"/images/{job['id']}"
        assert int(answer.headers["Retry-After"]) >= 1
        assert job["status"] == "queued"
        assert job["image"]["media_type"] == "image/png"


async def test_a_multipart_upload_is_the_same_as_a_raw_one(run: Any) -> None:
    async with run() as service:
        answer = await service.client.post("/images", files={"file": ("scan.png", PNG, "text/plain")})
        assert answer.status_code == 202
        await service.ended(answer.json()["id"])
        assert service.pool.images == [PNG]


@pytest.mark.parametrize("content_type", [*RAW_TYPES, "", "Application/X-WWW-Form-urlencoded; charset=utf-8"])
async def test_a_raw_upload_reaches_the_worker_byte_for_byte_whatever_type_it_is_said_to_have(
    run: Any, content_type: str
) -> None:
    image = PNG + b"&file=%89PNG+x&=;\r\n"  # what a parser of forms would stumble over
    async with run() as service:
        answer = await service.upload(image, **{"Content-Type": content_type})
        assert answer.status_code == 202
        assert answer.json()["image"] | {"media_type": "image/png", "size": len(image)} == answer.json()["image"]
        await service.ended(answer.json()["id"])
        assert service.pool.images == [image]


async def test_a_body_may_come_without_any_type(run: Any) -> None:
    async with run() as service:
        answer = await service.client.post("/images", content=PNG)
        assert "content-type" not in answer.request.headers
        assert answer.status_code == 202


async def test_the_text_can_be_read_when_the_job_is_done(run: Any) -> None:
    async with run(ScriptedPool(text_result("Hello\nworld"))) as service:
        job = await service.ended((await service.upload(PNG)).json()["id"])
        assert (job["status"], job["text"]) == ("done", "Hello\nworld")
        assert job["confidence"] == 0.99
        assert job["processing_time"] == 0.25
        assert [line["text"] for line in job["lines"]] == ["Hello", "world"]
        assert job["error"] is None


async def test_while_it_runs_a_poll_is_202_with_retry_after(run: Any) -> None:
    async with run() as service:
        service.pool.hold()
        job_id = (await service.upload(PNG)).json()["id"]
        await service.pool.started.acquire()
        answer = await service.client.get(f"/images/{job_id}")
        assert answer.status_code == 202
        assert int(answer.headers["Retry-After"]) >= 1
        assert answer.json()["status"] == "processing"
        service.pool.release()


async def test_a_poll_need_not_wait_for_those_that_came_later(run: Any) -> None:
    async with run() as service:
        service.pool.hold()
        jobs = [(await service.upload(PNG)).json()["id"] for _ in range(20)]
        await service.pool.started.acquire()
        polls = [await service.client.get(f"/images/{job_id}") for job_id in jobs]
        assert [poll.json()["status"] for poll in polls[:2]] == ["processing", "queued"]
        assert [int(poll.headers["Retry-After"]) for poll in polls] == [1, *range(1, 20)]
        service.pool.release()


@pytest.mark.parametrize("ending", [text_result(""), InvalidImage("broken")], ids=["empty", "failed"])
async def test_the_six_seed_keys_are_never_null(run: Any, ending: Any) -> None:
    async with run(ScriptedPool(ending)) as service:
        accepted = (await service.upload(PNG)).json()
        ended = await service.ended(accepted["id"])
        for job in (accepted, ended):
            assert all(job[key] is not None for key in SEED_KEYS)


async def test_an_error_that_a_retry_mends_is_only_history(run: Any) -> None:
    async with run(ScriptedPool(WorkerCrashed("gone"), JobTimeout("slow"), text_result("at last"))) as service:
        job = await service.ended((await service.upload(PNG)).json()["id"])
        assert (job["status"], job["text"], job["attempts"]) == ("done", "at last", 3)
        assert [failure["code"] for failure in job["failures"]] == ["worker_crashed", "timeout"]
        assert job["error"] is None


async def test_a_job_that_always_fails_ends_as_a_dead_letter_with_its_reason(run: Any) -> None:
    async with run(ScriptedPool(default=EngineError("odd"))) as service:
        job = await service.ended((await service.upload(PNG)).json()["id"])
        assert (job["status"], job["attempts"]) == ("dead-letter", 3)
        assert job["error"]["code"] == "engine_error"
        assert job["error"]["detail"] == "odd"
        assert len(service.pool.images) == 3


async def test_an_undecodable_image_is_not_tried_again(run: Any) -> None:
    async with run(ScriptedPool(InvalidImage("broken"))) as service:
        job = await service.ended((await service.upload(PNG)).json()["id"])
        assert (job["status"], job["error"]["code"], len(service.pool.images)) == ("dead-letter", "invalid_image", 1)


async def test_an_unknown_id_is_a_404_problem(run: Any) -> None:
    async with run() as service:
        answer = await service.client.get("/images/no-such-job")
        problem = answer.json()
        assert answer.status_code == 404
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert (problem["code"], problem["status"]) == ("job_not_found", 404)
        assert problem["request_id"] == answer.headers["X-Request-ID"]


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nowhere", 404, "not_found"),
        ("DELETE", "/images", 405, "method_not_allowed"),
        ("PUT", "/health/live", 405, "method_not_allowed"),
    ],
)
async def test_unknown_routes_and_methods_are_problems_too(
    run: Any, method: str, path: str, status: int, code: str
) -> None:
    async with run() as service:
        answer = await service.client.request(method, path)
        assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert answer.headers["X-Request-ID"] == answer.json()["request_id"]
        if status == 405:
            assert answer.headers["Allow"]
            # in which order Litestar names methods, and that HEAD is among them, is nothing to tell people
            assert "the Allow header names the methods" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("/images", {"GET", "HEAD", "OPTIONS", "POST"}),
        ("/images/none", {"DELETE", "GET", "HEAD", "OPTIONS"}),
        ("/dead-letters/none", {"DELETE", "GET", "HEAD", "OPTIONS"}),
        ("/health/live", {"GET", "HEAD", "OPTIONS"}),
        ("/static/app.js", {"GET", "HEAD", "OPTIONS"}),
    ],
)
async def test_a_resource_names_all_of_its_methods(run: Any, path: str, methods: set[str]) -> None:
    async with run() as service:
        for method, status in (("OPTIONS", 204), ("PUT", 405)):
            answer = await service.client.request(method, path)
            assert (answer.status_code, set(answer.headers["Allow"].split(", "))) == (status, methods)


@pytest.mark.parametrize(
    ("body", "headers", "status", "code"),
    [
        (b"", {}, 400, "missing_file"),
        (b"just words", {}, 415, "unsupported_media_type"),
        (b"8BPS and more", {"Content-Type": "image/png"}, 415, "unsupported_media_type"),
        (PNG[:20], {}, 422, "invalid_image"),
        (PNG, {"Content-Type": "text/html"}, 415, "unsupported_media_type"),
        (b"file=%89PNG", {"Content-Type": "application/x-www-form-urlencoded"}, 415, "unsupported_media_type"),
        (b"", {"Content-Type": "application/x-www-form-urlencoded"}, 400, "missing_file"),
        (b"--x\r\n", {"Content-Type": "multipart/form-data; boundary=x"}, 400, "malformed_request"),
        (b"", {"Content-Type": "multipart/form-data"}, 400, "malformed_request"),
    ],
)
async def test_what_cannot_be_read_is_refused_at_once(
    run: Any, body: bytes, headers: dict[str, str], status: int, code: str
) -> None:
    async with run() as service:
        answer = await service.upload(body, **headers)
        assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert not service.pool.images


@pytest.mark.parametrize(
    ("parts", "code"),
    [
        ([("other", ("a.png", PNG))], "missing_file"),
        ([("file", ("a.png", b""))], "missing_file"),
        ([("file", ("a.png", PNG)), ("file", ("b.png", PNG))], "malformed_request"),
        ([(f"field{number}", (None, b"x")) for number in range(200)], "unknown_parameter"),
    ],
    ids=["no file", "empty file", "two files", "many parts"],
)
async def test_a_form_without_exactly_one_image_is_refused(run: Any, parts: Any, code: str) -> None:
    async with run() as service:
        answer = await service.client.post("/images", files=parts)
        assert (answer.status_code, answer.json()["code"]) == (400, code)


async def test_a_form_field_beside_the_image_is_refused_whatever_it_holds(run: Any) -> None:
    async with run() as service:
        answer = await service.client.post(
            "/images", files=[("note", (None, b"\xff\xfe")), ("file", ("\u202e.png", PNG))]
        )
        assert (answer.status_code, answer.json()["code"]) == (400, "unknown_parameter")


async def test_a_file_may_have_a_name_in_any_encoding(run: Any) -> None:
    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="%s"\r\n\r\n'
    async with run() as service:
        for name in (
            "Prüfung.png".encode("latin-1"),
            "試験.png".encode(),
            "試験.png".encode("shift-jis"),
            b"\xff\x85\xa0",
        ):
            body = head % name + PNG + b"\r\n--x--\r\n"
            answer = await service.client.post(
                "/images", content=body, headers={"Content-Type": "multipart/form-data; boundary=x"}
            )
            assert answer.status_code == 202


async def test_an_upload_above_the_limit_is_413(run: Any) -> None:
    async with run(max_image_bytes=1000) as service:
        for answer in (
            *[await service.upload(b"\x89PNG" + bytes(1000), **{"Content-Type": said}) for said in RAW_TYPES],
            await service.client.post("/images", files={"file": bytes(1001)}),
        ):
            assert (answer.status_code, answer.json()["code"]) == (413, "image_too_large")


async def test_an_image_of_just_the_limit_is_taken_and_the_form_around_it_does_not_count(run: Any) -> None:
    async with run(max_image_bytes=len(PNG)) as service:
        assert (await service.upload(PNG)).status_code == 202
        assert (await service.client.post("/images", files={"file": ("a.png", PNG)})).status_code == 202
        answer = await service.client.post("/images", files={"file": ("a.png", PNG + b"x")})
        assert (answer.status_code, answer.json()["code"]) == (413, "image_too_large")


async def test_more_pixels_than_the_limit_is_413_before_anything_is_decoded(run: Any) -> None:
    async with run(max_image_pixels=100) as service:
        answer = await service.upload(PNG)
        assert (answer.status_code, answer.json()["code"]) == (413, "too_many_pixels")


async def test_more_pages_than_the_limit_is_413(run: Any) -> None:
    page, file = Image.new("1", (9, 9)), io.BytesIO()
    page.save(file, "TIFF", save_all=True, append_images=[page, page])
    async with run(max_image_pages=2) as service:
        answer = await service.upload(file.getvalue())
        assert (answer.status_code, answer.json()["code"]) == (413, "too_many_pages")
    async with run(max_image_pages=3) as service:
        assert (await service.upload(file.getvalue())).status_code == 202


async def test_a_later_page_with_more_pixels_than_the_limit_fails_alone_once_it_is_read(run: Any) -> None:
    file = io.BytesIO()
    Image.new("1", (9, 9)).save(file, "TIFF", save_all=True, append_images=[Image.new("1", (11, 10))])

    def read(image: bytes) -> OcrResult:
        decode_page(image, read_header(image, 100), 2, 100)
        return text_result("never")

    pool = ScriptedPool(text_result("first"))
    pool.by_page[2] = read
    async with run(pool, max_image_pixels=100) as service:
        accepted = await service.upload(file.getvalue())
        assert accepted.status_code == 202
        job = await service.ended(accepted.json()["id"])
        assert (job["status"], job["text"], job["failed_pages"]) == ("done", "first", [2])
        assert [page["error"] and page["error"]["code"] for page in job["pages"]] == [None, "too_many_pixels"]


@pytest.mark.parametrize("content_type", RAW_TYPES)
async def test_a_body_that_never_comes_is_408(run: Any, content_type: str) -> None:
    async def stuck() -> Any:
        yield PNG[:10]
        await asyncio.Event().wait()

    async with run(upload_timeout_seconds=0.01) as service:
        answer = await service.client.post("/images", content=stuck(), headers={"Content-Type": content_type})
        assert (answer.status_code, answer.json()["code"]) == (408, "upload_timeout")


async def test_a_full_queue_is_503_with_retry_after_and_leaves_nothing_behind(run: Any) -> None:
    async with run(queue_limit=1) as service:
        service.pool.hold()
        accepted = [(await service.upload(PNG)).json()["id"]]
        await service.pool.started.acquire()  # the first one is being worked on, and no longer waits
        accepted.append((await service.upload(PNG)).json()["id"])
        refused = await service.upload(PNG)
        assert (refused.status_code, refused.json()["code"]) == (503, "queue_full")
        assert int(refused.headers["Retry-After"]) >= 1
        assert [job.id for job in await service.service.store.unfinished()] == accepted
        service.pool.release()
        for job_id in accepted:
            assert (await service.ended(job_id))["status"] == "done"


async def test_a_request_id_of_the_client_is_kept_when_it_is_sane(run: Any) -> None:
    async with run() as service:
        kept = await service.client.get("/health/live", headers={"X-Request-ID": "abc-123"})
        replaced = await service.client.get("/health/live", headers={"X-Request-ID": 'a"b\tc'})
        assert kept.headers["X-Request-ID"] == "abc-123"
        assert replaced.headers["X-Request-ID"] not in ('a"b\tc', "abc-123")


async def test_after_a_restart_the_job_and_its_text_are_still_there(run: Any) -> None:
    async with run(ScriptedPool(text_result("kept"))) as service:
        job_id = (await service.upload(PNG)).json()["id"]
        await service.ended(job_id)
    async with run() as service:
        assert (await service.ended(job_id))["text"] == "kept"
