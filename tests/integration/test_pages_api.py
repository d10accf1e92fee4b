"""Files of several pages as clients meet them: each page is read, retried, given up and told alone."""

import io
import sqlite3
from pathlib import Path
from typing import Any

import httpx
import pytest
from loguru import logger
from PIL import Image

from app.wiring import Tuning
from config.settings import Settings
from ocr_engine.errors import EngineError, InvalidDocument, OcrError, PageTooCostly, PasswordRequired
from ocr_engine.options import ReadOptions
from samples import sample
from tests.pdfs import Leaf, pdf
from tests.scripted_pool import ScriptedPool, text_result

pytestmark = pytest.mark.anyio

PDF = pdf(Leaf(), Leaf(), Leaf())
PNG = sample("health").data


def tiff(pages: int) -> bytes:
    first, file = Image.new("1", (9, 9)), io.BytesIO()
    first.save(file, "TIFF", save_all=True, append_images=[first] * (pages - 1))
    return file.getvalue()


async def test_a_pdf_is_opened_by_a_worker_and_each_of_its_pages_read(run: Any) -> None:
    pool = ScriptedPool(text_result("one"), text_result("two"), text_result("three"))
    pool.pages = 3
    async with run(pool) as service:
        accepted = (await service.upload(PDF)).json()
        assert (accepted["pages_total"], accepted["pages_done"]) == (None, 0)
        job = await service.ended(accepted["id"])
        assert (job["status"], job["text"]) == ("done", "one\ftwo\fthree")
        assert (job["pages_total"], job["pages_done"], job["failed_pages"]) == (3, 3, [])
        assert [page["number"] for page in job["pages"]] == [1, 2, 3]
        assert (job["queue_position"], job["eta_seconds"]) == (0, 0)
        assert len(pool.opened) == 1
        assert {file for file, _, _ in pool.read} == {pool.opened[0][0]}, "one and the same file for all pages"
        assert pool.forgotten == [pool.opened[0][0]]
        assert not pool.forgotten[0].exists()


@pytest.mark.parametrize("error", [InvalidDocument("no sound PDF"), PasswordRequired("it is encrypted")])
async def test_a_document_that_cannot_be_opened_is_a_dead_letter_at_once(run: Any, error: OcrError) -> None:
    pool = ScriptedPool()
    pool.refuses_to_open = error
    async with run(pool) as service:
        job = await service.ended((await service.upload(PDF)).json()["id"])
        assert (job["status"], job["attempts"], job["pages"]) == ("dead-letter", 1, [])
        assert job["error"]["code"] == error.code
        assert pool.read == []


async def form(service: Any, file: bytes, **fields: str) -> httpx.Response:
    answer: httpx.Response = await service.client.post("/images", files={"file": ("a", file)}, data=fields)
    return answer


async def test_pages_text_layer_languages_and_password_come_with_the_form(run: Any) -> None:
    pool = ScriptedPool(default=text_result("read"))
    pool.pages = 30
    async with run(pool) as service:
        accepted = await form(
            service, PDF, pages=" 1-3, 7,29-", text_layer="auto", language="de-AT, no", password=" pass word "
        )
        job = await service.ended(accepted.json()["id"])
        assert (job["pages_total"], [page["number"] for page in job["pages"]]) == (6, [1, 2, 3, 7, 29, 30])
        assert job["languages"] == accepted.json()["languages"] == ["de", "nb"]
        asked = ReadOptions(languages=("de", "nb"), text_layer="auto", password=" pass word ")
        assert {options for _, options in pool.opened} | {options for _, _, options in pool.read} == {asked}


async def test_pages_of_a_tiff_are_chosen_at_once_and_beyond_the_limit_of_a_whole_file(run: Any) -> None:
    async with run(ScriptedPool(default=text_result("read")), max_image_pages=2) as service:
        accepted = await form(service, tiff(5), pages="4-")
        assert (accepted.status_code, accepted.json()["pages_total"]) == (202, 2)
        job = await service.ended(accepted.json()["id"])
        assert [page["number"] for page in job["pages"]] == [4, 5]
        beyond = await form(service, tiff(5), pages="6")
        assert (beyond.status_code, beyond.json()["code"]) == (422, "no_such_page")
        many = await form(service, tiff(5), pages="1-3")
        assert (many.status_code, many.json()["code"]) == (413, "too_many_pages")


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"pages": "0"}, "pages: '0' names no page"),
        ({"pages": "two"}, "pages: 'two' is no page"),
        ({"text_layer": "maybe"}, "text_layer: 'maybe' is none of 'ocr', 'auto'"),
        ({"language": "de,tlh"}, "language: 'tlh' is none of the languages that are read: af, az, bs,"),
        ({"language": ","}, "language: '' is none of the languages that are read"),
        ({"password": "x" * 501}, "more than 500 letters"),
        ({"page": "1"}, "unknown form field 'page'; taken here: "),
    ],
)
async def test_what_cannot_be_asked_of_a_file_is_refused_in_words(run: Any, fields: dict[str, str], said: str) -> None:
    async with run() as service:
        answer = await form(service, PDF, **fields)
        assert answer.status_code == 400
        assert said in answer.json()["detail"]
        assert "xxx" not in answer.text


async def test_a_password_is_in_no_log_and_no_answer_and_goes_with_its_file(run: Any, settings: Settings) -> None:
    pool = ScriptedPool(EngineError("odd"), ZeroDivisionError("bug"), default=text_result("read"))
    lines: list[str] = []
    sink = logger.add(lambda line: lines.append(str(line)), level=0, serialize=True)
    try:
        async with run(pool, max_attempts=3) as service:
            accepted = await form(service, PDF, password="open sesame")
            ended = (await service.client.get(f"/images/{accepted.json()['id']}?wait=30")).text
    finally:
        logger.remove(sink)
    assert pool.read[-1][2].password == "open sesame"
    assert '"done"' in ended
    assert "sesame" not in "".join(lines) + ended + accepted.text
    database = sqlite3.connect(settings.database_url.removeprefix("sqlite:///"))
    assert database.execute("SELECT count(*) FROM images").fetchone() == (0,)
    database.close()


async def test_a_document_of_more_pages_than_the_limit_is_a_dead_letter_that_says_so(run: Any) -> None:
    pool = ScriptedPool()
    pool.pages = 3
    async with run(pool, max_image_pages=2) as service:
        job = await service.ended((await service.upload(PDF)).json()["id"])
        assert (job["status"], job["error"]["code"]) == ("dead-letter", "too_many_pages")


async def test_a_bad_page_fails_alone_and_its_neighbours_are_read(run: Any) -> None:
    pool = ScriptedPool(default=text_result("read"))
    pool.by_page[2] = InvalidDocument("page 2 is broken")
    async with run(pool) as service:
        job = await service.ended((await service.upload(tiff(3))).json()["id"])
        assert (job["status"], job["pages_done"], job["failed_pages"]) == ("done", 2, [2])
        assert [page["number"] for page in job["pages"]] == [1, 2, 3]
        assert [page["error"] and page["error"]["detail"] for page in job["pages"]] == [None, "page 2 is broken", None]
        assert job["text"] == "read\fread"


async def test_a_page_that_may_go_better_is_tried_again_without_its_neighbours(run: Any) -> None:
    pool = ScriptedPool(text_result("one"), EngineError("odd"), text_result("three"), text_result("two"))
    async with run(pool) as service:
        job = await service.ended((await service.upload(tiff(3))).json()["id"])
        assert (job["text"], job["failed_pages"]) == ("one\ftwo\fthree", [])
        assert [number for _, number, _ in pool.read] == [1, 2, 3, 2]


async def test_where_no_page_can_be_read_the_job_is_a_dead_letter(run: Any) -> None:
    async with run(ScriptedPool(default=InvalidDocument("broken"))) as service:
        job = await service.ended((await service.upload(tiff(2))).json()["id"])
        assert (job["status"], job["error"]["code"], job["failed_pages"]) == ("dead-letter", "invalid_document", [1, 2])


async def test_of_a_file_whose_pages_all_cost_too_much_a_few_are_tried_and_again_when_it_is_sent_back(
    run: Any,
) -> None:
    pool = ScriptedPool(default=PageTooCostly("strokes without end"))
    pool.pages = 40
    async with run(pool) as service:
        job_id = (await service.upload(PDF)).json()["id"]
        job = await service.ended(job_id)
        assert (job["status"], job["error"]["code"]) == ("dead-letter", "page_too_costly")
        assert job["failed_pages"] == [*range(1, 41)]
        tried = [page["number"] for page in job["pages"] if page["error"]["detail"] == "strokes without end"]
        assert len(pool.read) == len(tried) < 10, "five, and those that were under way by then"
        pool.read.clear()
        await service.client.post(f"/dead-letters/{job_id}/requeue")
        await service.ended(job_id)
        assert 5 <= len(pool.read) < 10


async def test_a_few_costly_pages_among_many_others_keep_no_page_from_being_read(run: Any) -> None:
    pool = ScriptedPool(default=text_result("read"))
    pool.pages = 40
    pool.by_page = {number: PageTooCostly("a large drawing") for number in range(3, 21, 2)}
    async with run(pool) as service:
        job = await service.ended((await service.upload(PDF)).json()["id"])
        assert (job["status"], job["pages_done"], job["failed_pages"]) == ("done", 31, [*range(3, 21, 2)])


@pytest.mark.parametrize("broken", [{2}, {1, 2, 3}], ids=["done", "dead-letter"])
async def test_requeueing_reads_the_failed_pages_only(run: Any, broken: set[int]) -> None:
    pool = ScriptedPool(default=text_result("read"))
    pool.by_page = dict.fromkeys(broken, InvalidDocument("broken"))
    async with run(pool) as service:
        job_id = (await service.upload(tiff(3))).json()["id"]
        assert (await service.ended(job_id))["failed_pages"] == sorted(broken)
        pool.by_page.clear()
        pool.read.clear()
        again = await service.client.post(f"/dead-letters/{job_id}/requeue")
        assert again.status_code == 202
        job = await service.ended(job_id)
        assert (job["status"], job["pages_done"], job["failed_pages"]) == ("done", 3, [])
        assert [number for _, number, _ in pool.read] == sorted(broken)
        assert job["text"] == "read\fread\fread"
        none = await service.client.post(f"/dead-letters/{job_id}/requeue")
        assert (none.status_code, none.json()["code"]) == (409, "not_a_dead_letter")


async def test_what_was_read_can_be_fetched_while_the_rest_waits(run: Any) -> None:
    pool = ScriptedPool(default=text_result("read"))
    async with run(pool) as service:
        pool.hold()
        job_id = (await service.upload(tiff(3))).json()["id"]
        await pool.started.acquire()
        before = (await service.client.get(f"/images/{job_id}")).json()
        assert (before["status"], before["pages_total"], before["pages_done"]) == ("processing", 3, 0)
        assert before["queue_position"] == 1
        assert before["eta_seconds"] > 0
        pool.pass_one()
        await pool.started.acquire()
        answer = await service.client.get(f"/images/{job_id}")
        assert answer.status_code == 202
        assert (answer.json()["pages_done"], answer.json()["text"]) == (1, "read")
        pool.release()
        assert (await service.ended(job_id))["pages_done"] == 3


async def test_a_picture_behind_a_long_file_is_read_after_its_page_at_hand(run: Any) -> None:
    pool = ScriptedPool(default=text_result("read"))
    async with run(pool) as service:
        pool.hold()
        long = (await service.upload(tiff(9))).json()["id"]
        await pool.started.acquire()
        short = (await service.upload(PNG)).json()["id"]
        for _ in range(2):
            pool.pass_one()
            await pool.started.acquire()
        pool.release()
        assert (await service.ended(short))["status"] == "done"
        assert (await service.ended(long))["pages_done"] == 9
        assert pool.order.index(0) <= 2


async def test_the_pages_of_a_pdf_count_for_back_pressure_from_when_it_was_opened(run: Any) -> None:
    pool = ScriptedPool(default=text_result("read"))
    pool.pages = 4
    async with run(pool, queue_limit=3, max_workers=1) as service:
        pool.hold()
        long = (await service.upload(PDF)).json()["id"]
        await pool.started.acquire()  # its first page is being read: it was opened
        assert (await service.client.get("/queue")).json()["depth"] == 3
        refused = await service.upload(PNG)
        assert (refused.status_code, refused.json()["code"]) == (503, "queue_full")
        assert (await service.client.get("/health/ready")).status_code == 503
        pool.release()
        await service.ended(long)
        assert (await service.upload(PNG)).status_code == 202


@pytest.fixture
def tuning() -> Tuning:
    """Nothing that is unwanted is waited for."""
    return Tuning(cancel_grace=0.0)


async def test_cancelling_stops_the_page_at_hand_and_frees_the_places_of_the_others(run: Any) -> None:
    pool = ScriptedPool(default=text_result("read"))
    async with run(pool) as service:
        pool.hold()
        job_id = (await service.upload(tiff(5))).json()["id"]
        await pool.started.acquire()
        assert (await service.client.get("/queue")).json()["depth"] == 4
        cancelled = await service.client.delete(f"/images/{job_id}")
        assert (cancelled.status_code, cancelled.json()["status"]) == (200, "cancelled")
        assert (await service.client.get("/queue")).json()["depth"] == 0
        other = (await service.upload(PNG)).json()["id"]
        await pool.started.acquire()  # the worker is free although nothing was released
        assert pool.cancelled == 1
        pool.release()
        assert (await service.ended(other))["status"] == "done"
        assert (await service.ended(job_id))["pages_done"] == 0


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/jobs.db"
    return str(request.getfixturevalue("postgres").empty_database())


async def test_pages_that_are_read_can_be_had_in_every_format_while_the_others_are_not(run: Any, database: str) -> None:
    pool = ScriptedPool()
    pool.by_page = {1: text_result("one"), 2: text_result("two"), 3: text_result("three")}
    pool.hold()
    async with run(pool, database_url=database, max_workers=1) as service:
        path = f"/images/{(await service.upload(tiff(3))).json()['id']}/result"
        while 3 not in pool.order:  # the third page is being read; a node also reads the sample that tells its health
            await pool.started.acquire()
            if 3 not in pool.order:
                pool.pass_one()
        for query, told in (
            ("pages=1-2", b"one\n\ftwo\n"),
            ("pages=2", b"two\n"),
            ("pages=1-2&format=pdf", b"%PDF-1,2"),
        ):
            answer = await service.client.get(f"{path}?{query}")
            assert (answer.status_code, answer.content) == (200, told)
        assert len((await service.client.get(f"{path}?pages=1,2&format=json")).json()["pages"]) == 2
        for query in ("", "?pages=1-3", "?pages=3", "?pages=2-"):
            answer = await service.client.get(f"{path}{query}")
            assert (answer.status_code, answer.json()["code"]) == (409, "result_unfinished")
            assert "pages 1-2 are read" in answer.json()["detail"]
        pool.release()
        await service.ended(path.split("/")[2])
        assert (await service.client.get(f"{path}?pages=2-")).content == b"two\n\fthree\n"
