"""`/images/{id}/result`: one stored run in every format, or a plain word why not."""

import json
from typing import Any
from xml.etree import ElementTree as ET

import msgspec
import pytest

from app.http.responses.pieces import sent
from ocr_engine.errors import InvalidImage
from ocr_engine.formats import EVERY_FORMAT
from ocr_engine.result import OcrLine, OcrPage, OcrResult, OcrWord, Polygon
from samples import sample
from tests.scripted_pool import ScriptedPool

pytestmark = pytest.mark.anyio

PNG = sample("tiny").data
BOX: Polygon = (0, 0), (9, 0), (9, 9), (0, 9)


def run_of(pages: int) -> OcrResult:
    """Of each page a heading, and an item beside its price."""

    def page(number: int) -> OcrPage:
        told = [(f"Page {number}", 1), ("Sourdough loaf", 2), ("4.20", 2)]
        lines = tuple(
            OcrLine(text=text, confidence=0.9, polygon=BOX, row=row, words=(OcrWord(text, 0.9, BOX),))
            for text, row in told
        )
        return OcrPage(number=number, width=9, height=9, lines=lines)

    return OcrResult(pages=tuple(page(number) for number in range(1, pages + 1)))


async def done(service: Any) -> str:
    job = await service.ended((await service.upload(PNG)).json()["id"])
    assert job["status"] == "done"
    return f"/images/{job['id']}/result"


@pytest.mark.parametrize("name", EVERY_FORMAT)
async def test_every_format_is_asked_for_by_its_name(run: Any, name: str) -> None:
    async with run(ScriptedPool(run_of(1))) as service:
        answer = await service.client.get(f"{await done(service)}?format={name}")
        assert answer.status_code == 200
        assert answer.headers["Content-Type"].partition(";")[0] == EVERY_FORMAT[name].media_type
        assert answer.headers["Content-Disposition"].endswith(f'{EVERY_FORMAT[name].suffix}"')
        assert len(service.pool.images) == 1  # nothing is read again
        assert "Sourdough" in answer.text or name in ("csv", "docx", "pdf")


@pytest.mark.parametrize("media_type", sorted({each.media_type for each in EVERY_FORMAT.values()}))
async def test_every_media_type_is_asked_for_by_accept(run: Any, media_type: str) -> None:
    async with run(ScriptedPool(run_of(1))) as service:
        wanted = f"image/png, {media_type};q=0.5, */*;q=0.1"
        answer = await service.client.get(await done(service), headers={"Accept": wanted})
        assert answer.headers["Content-Type"].partition(";")[0] == media_type
        assert answer.headers["Vary"].partition(",")[0] == "Accept"


async def test_without_a_wish_it_is_plain_text(run: Any) -> None:
    async with run(ScriptedPool(run_of(2))) as service:
        answer = await service.client.get(await done(service))
        assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
        assert answer.text == "Page 1\nSourdough loaf 4.20\n\fPage 2\nSourdough loaf 4.20\n"


async def test_rows_apart_gives_each_line_that_was_found_a_line_of_its_own(run: Any) -> None:
    async with run(ScriptedPool(run_of(1))) as service:
        answer = await service.client.get(f"{await done(service)}?rows=apart")
        assert answer.text == "Page 1\nSourdough loaf\n4.20\n"


@pytest.mark.parametrize(("query", "words"), [("", False), ("&detail=words", True), ("&detail=lines", False)])
async def test_json_has_words_where_they_are_asked_for(run: Any, query: str, words: bool) -> None:
    async with run(ScriptedPool(run_of(1))) as service:
        (page,) = (await service.client.get(f"{await done(service)}?format=json{query}")).json()["pages"]
        assert all(("words" in line) == words for line in page["lines"])


@pytest.mark.parametrize(
    ("query", "headers"),
    [("?format=odt", {}), ("?format=", {}), ("", {"Accept": "image/png, text/plain;q=0"}), ("?format=page", {})],
)
async def test_what_there_is_not_is_406_with_what_there_is(run: Any, query: str, headers: dict[str, str]) -> None:
    async with run(ScriptedPool(run_of(2))) as service:
        answer = await service.client.get(f"{await done(service)}{query}", headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (406, "not_acceptable")
        assert all(name in answer.json()["detail"] for name in EVERY_FORMAT)


async def test_a_format_of_one_page_is_given_of_a_page(run: Any) -> None:
    async with run(ScriptedPool(run_of(3))) as service:
        answer = await service.client.get(f"{await done(service)}?format=page&pages=2")
        assert "Page 2" in answer.text
        assert answer.headers["Content-Disposition"].endswith('-pages-2.page.xml"')
        ET.fromstring(answer.content)


@pytest.mark.parametrize(("pages", "told"), [("2", [2]), ("1,3", [1, 3]), ("2-", [2, 3]), ("3-99", [3])])
async def test_pages_are_chosen(run: Any, pages: str, told: list[int]) -> None:
    async with run(ScriptedPool(run_of(3))) as service:
        answer = await service.client.get(f"{await done(service)}?format=json&pages={pages}")
        assert [page["number"] for page in answer.json()["pages"]] == told


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("pages=4", 422, "no_such_page"),
        ("pages=zero", 400, "malformed_request"),
        ("format=text&detail=words", 400, "malformed_request"),
        ("format=json&rows=apart", 400, "malformed_request"),
        ("rows=sideways", 400, "malformed_request"),
        ("colour=red", 400, "unknown_parameter"),
    ],
)
async def test_a_wish_that_means_nothing_is_refused(run: Any, query: str, status: int, code: str) -> None:
    async with run(ScriptedPool(run_of(3))) as service:
        answer = await service.client.get(f"{await done(service)}?{query}")
        assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_an_unfinished_job_is_409_with_when_to_ask_again(run: Any) -> None:
    async with run() as service:
        service.pool.hold()
        job_id = (await service.upload(PNG)).json()["id"]
        for query in ("", "?pages=1", "?pages=2-"):
            answer = await service.client.get(f"/images/{job_id}/result{query}")
            assert (answer.status_code, answer.json()["code"]) == (409, "result_unfinished")
            assert int(answer.headers["Retry-After"]) >= 1
        service.pool.release()


async def test_a_job_that_ended_without_a_text_is_409(run: Any) -> None:
    async with run(ScriptedPool(InvalidImage("broken"))) as service:
        job = await service.ended((await service.upload(PNG)).json()["id"])
        answer = await service.client.get(f"/images/{job['id']}/result")
        assert (answer.status_code, answer.json()["code"]) == (409, "no_result")


async def test_an_unknown_job_is_404(run: Any) -> None:
    async with run() as service:
        answer = await service.client.get("/images/no-such-job/result")
        assert (answer.status_code, answer.json()["code"]) == (404, "job_not_found")


async def test_what_the_client_has_is_not_sent_again(run: Any) -> None:
    async with run(ScriptedPool(run_of(2))) as service:
        path = await done(service)
        tags = {}
        for query in ("", "?rows=apart", "?format=json", "?format=json&detail=words", "?format=json&pages=1"):
            answer = await service.client.get(path + query)
            tags[query] = answer.headers["ETag"]
            assert answer.headers["Cache-Control"] == "private, no-cache"  # to be kept, and asked for with the tag
            again = await service.client.get(path + query, headers={"If-None-Match": answer.headers["ETag"]})
            assert (again.status_code, again.content) == (304, b"")
        assert len({*tags.values()}) == len(tags)


async def test_a_long_result_is_sent_piece_by_piece(run: Any) -> None:
    async with run(ScriptedPool(run_of(30))) as service:
        path = await done(service)
        whole = (await service.client.get(f"{path}?format=json")).json()
        assert [page["number"] for page in whole["pages"]] == [*range(1, 31)]
        pieces = [piece async for piece in sent(iter([b"abcdefghijkl"[n : n + 1] for n in range(12)] * 3), 10)]
        assert [len(piece) for piece in pieces] == [10, 10, 10, 6]


async def test_html_that_was_read_in_an_image_cannot_act(run: Any) -> None:
    evil = msgspec.structs.replace(run_of(1).pages[0].lines[0], text="<script>alert(1)</script>")
    pages = (msgspec.structs.replace(run_of(1).pages[0], lines=(evil,)),)
    async with run(ScriptedPool(OcrResult(pages=pages))) as service:
        answer = await service.client.get(f"{await done(service)}?format=html")
        assert "<script" not in answer.text
        assert "sandbox" in answer.headers["Content-Security-Policy"]


async def test_the_document_of_the_api_tells_every_format(run: Any) -> None:
    async with run() as service:
        document = json.loads((await service.client.get("/docs/openapi.json")).content)
        operation = document["paths"]["/images/{job_id}/result"]["get"]
        assert {*operation["responses"]["200"]["content"]} == {each.media_type for each in EVERY_FORMAT.values()}
        assert {"304", "406", "409", "422"} <= {*operation["responses"]}
        (named,) = [each for each in operation["parameters"] if each["name"] == "format"]
        assert named["schema"]["enum"] == [*EVERY_FORMAT]
