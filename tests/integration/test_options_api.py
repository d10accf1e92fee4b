"""What is asked of a file: as form fields, in the query or as a JSON part, by one parser, and shown with the job."""

import json
import re
from typing import Any

import pytest
from msgspec import structs

from app.http.requests.options.table import OPTIONS
from ocr_engine.options import ReadOptions
from ocr_engine.result import Area, OcrResult, OcrWord
from samples import sample
from tests.pdfs import Leaf, pdf
from tests.scripted_pool import ScriptedPool, text_result

pytestmark = pytest.mark.anyio

PNG = sample("tiny").data
PDF = pdf(Leaf(), Leaf(), Leaf())


def json_part(**options: object) -> dict[str, Any]:
    return {"file": ("a.pdf", PDF), "options": (None, json.dumps(options), "application/json")}


async def test_options_are_the_same_in_a_form_in_the_query_and_in_json(run: Any) -> None:
    async with run() as service:
        said = {
            "pages": "1-2",
            "language": "de,fr",
            "expires_in": "60",
            "keep_upload": "2.5",
            "metadata": '{"invoice": "17"}',
        }
        typed = {
            "pages": "1-2",
            "language": ["de", "fr"],
            "expires_in": 60,
            "keep_upload": 2.5,
            "metadata": {"invoice": "17"},
        }
        answers = [
            await service.client.post("/images", files={"file": PDF}, data=said),
            await service.client.post("/images", files={"file": PDF}, params=said),
            await service.client.post("/images", content=PDF, params=said),
            await service.client.post("/images", files=json_part(**typed)),
            await service.client.post("/images", files=json_part(**typed), params=said),
            await service.client.post("/images", files=json_part(metadata={"invoice": "17"}, tag=None), data=said),
        ]
        assert [answer.status_code for answer in answers] == [202] * 6
        for answer in answers:
            job = answer.json()
            asked = {name: job["options"][name] for name in ("pages", "language", "expires_in", "keep_upload")}
            assert asked == {"pages": "1-2", "language": ["de", "fr"], "expires_in": 60, "keep_upload": 2.5}
            assert job["metadata"] == {"invoice": "17"}


@pytest.mark.parametrize(
    ("query", "form", "part"),
    [
        ({"pages": "1"}, {"pages": "2"}, {}),
        ({"pages": "1"}, {}, {"pages": "2"}),
        ({}, {"expires_in": "60"}, {"expires_in": 61}),
        ({"metadata": '{"a": "b"}'}, {"metadata": '{"a": "c"}'}, {}),
        ([("pages", "1"), ("pages", "2")], {}, {}),
        ({}, {"password": "secret one"}, {"password": "secret two"}),
    ],
)
async def test_an_option_that_is_said_twice_and_not_alike_is_refused_by_name(
    run: Any, query: Any, form: dict[str, str], part: dict[str, object]
) -> None:
    async with run() as service:
        answer = await service.client.post("/images", params=query, data=form, files=json_part(**part))
        assert (answer.status_code, answer.json()["code"]) == (400, "malformed_request")
        assert f"`{next(iter({**dict(query), **form}))}` is said twice" in answer.json()["detail"]
        assert "secret" not in answer.text
        assert (await service.client.get("/images")).json()["items"] == []


@pytest.mark.parametrize(
    ("part", "code", "said"),
    [
        ('{"pagse": "1"}', "unknown_parameter", "unknown option 'pagse'; taken here: '"),
        ('{"options": "{}"}', "unknown_parameter", "unknown option 'options'"),
        ("[]", "malformed_request", "no JSON object"),
        ("{", "malformed_request", "no JSON object"),
        ("[" * 16_000, "malformed_request", "no JSON object"),
        ('{"rotate": "auto", "rotate": 90}', "malformed_request", "`rotate` is said twice and not alike, in `options`"),
        ('{"metadata": {"a": "b", "a": "c"}}', "malformed_request", "`a` is said twice and not alike"),
        ('{"expires_in": 1.5}', "malformed_request", "expires_in: not a whole number of seconds"),
        ('{"text_layer": true}', "malformed_request", "text_layer: 'true' is none of"),
        ('{"metadata": {"a": 1}}', "malformed_request", "metadata: not a JSON object whose values are texts"),
        ('{"tag": "' + "x" * 20_000 + '"}', "malformed_request", "`options` has more than 16384 bytes"),
    ],
)
async def test_what_is_wrong_in_the_json_part_is_told(run: Any, part: str, code: str, said: str) -> None:
    async with run() as service:
        answer = await service.client.post("/images", files={"file": PDF, "options": (None, part, "application/json")})
        assert (answer.status_code, answer.json()["code"]) == (400, code)
        assert said in answer.json()["detail"]


async def test_a_password_opens_by_json_and_is_refused_in_an_address(run: Any) -> None:
    pool = ScriptedPool(default=text_result("read"))
    async with run(pool) as service:
        refused = await service.client.post("/images?password=sesame", content=PDF)
        assert (refused.status_code, refused.json()["code"]) == (400, "unknown_parameter")
        job = (await service.client.post("/images?wait=30", files=json_part(password=" open sesame"))).json()
        assert (job["status"], pool.opened[0][1].password) == ("done", " open sesame")
        assert "sesame" not in str(job)


async def test_an_empty_option_is_as_none(run: Any) -> None:
    async with run() as service:
        answer = await service.client.post("/images?pages=&text_layer=", content=PNG)
        assert (answer.status_code, answer.json()["options"]["text_layer"]) == (202, "ocr")


@pytest.mark.parametrize(("name", "said", "taken"), [("tag", "a b", "a b"), ("pages", "1", "1")])
async def test_what_the_document_says_of_white_space_around_an_option_is_what_is_taken(
    run: Any, name: str, said: str, taken: object
) -> None:
    async with run() as service:
        for around in ("\n", " \t\r\n", "\x0b\x0c"):
            told = f"{around}{said}{around}"
            assert re.search(str(OPTIONS[name].schema.pattern), told)
            answer = await service.client.post("/images", params={name: told}, content=PNG)
            options = {**answer.json(), **answer.json()["options"]}
            assert (answer.status_code, options[name]) == (202, taken)


ASKED = {"rotate": "270", "min_confidence": "0.25", "reading_order": "none", "timeout": "7.5", "language": "de"}
ASKED["check_boxes"] = "true"


@pytest.mark.parametrize("file", [PNG, PDF], ids=["an image", "a page of a file"])
async def test_how_to_read_is_told_to_the_workers_and_shown(run: Any, file: bytes) -> None:
    pool = ScriptedPool(default=text_result("read"))
    async with run(pool) as service:
        job = (await service.client.post("/images", content=file, params={**ASKED, "wait": "30"})).json()
        told = {options for _, _, options in pool.read} | {*pool.asked}
        assert told == {
            ReadOptions(
                rotate=270, min_confidence=0.25, reading_order="none", timeout=7.5, languages=("de",), check_boxes=True
            )
        }
        shown = {name: job["options"][name] for name in ASKED}
        assert shown == {**ASKED, "min_confidence": 0.25, "timeout": 7.5, "language": ["de"], "check_boxes": True}


async def test_the_detail_that_was_asked_for_is_given_unless_a_request_says_otherwise(run: Any) -> None:
    words = OcrWord("read", 0.9, ((0, 0), (1, 0), (1, 1), (0, 1)))
    (page,) = text_result("read").pages
    (line,) = page.lines
    page = structs.replace(page, lines=(structs.replace(line, words=(words,)),))
    async with run(ScriptedPool(default=OcrResult(pages=(page,)))) as service:
        job = (await service.client.post("/images?wait=30", files={"file": PNG}, data={"detail": "words"})).json()
        path = f"/images/{job['id']}"
        answers = [await service.client.get(f"{path}{query}") for query in ("", "?detail=lines", "?detail=words")]
        assert [bool(each["lines"][0].get("words")) for each in (job, *(a.json() for a in answers))] == [
            *(True, True, False, True)
        ]
        assert answers[0].headers["etag"] == answers[2].headers["etag"] != answers[1].headers["etag"]
        results = [
            (await service.client.get(f"{path}/result?format=json{query}")).json() for query in ("", "&detail=lines")
        ]
        assert [bool(each["pages"][0]["lines"][0].get("words")) for each in results] == [True, False]


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("rotate", "45", "rotate: '45' is none of 'auto', '0', '90', '180', '270'"),
        ("min_confidence", "1.01", "min_confidence: not a number of confidence from 0 to 1"),
        ("min_confidence", "nan", "min_confidence: not a number"),
        ("min_confidence", "-0.1", "min_confidence: not a number"),
        ("reading_order", "columns,rows", "reading_order: 'columns,rows' is none of"),
        ("check_boxes", "yes", "check_boxes: 'yes' is neither 'true' nor 'false'"),
        ("timeout", "0", "timeout: not a number of seconds from 0.1 to 60"),
        ("timeout", "60.5", "timeout: not a number of seconds from 0.1 to 60"),
        ("timeout", "1e2", "timeout: not a number"),
    ],
)
async def test_a_value_that_an_option_does_not_have_is_refused_in_words(
    run: Any, name: str, value: str, said: str
) -> None:
    async with run(job_timeout_seconds=60.0) as service:
        answer = await service.client.post("/images", content=PNG, params={name: value})
        assert (answer.status_code, answer.json()["code"]) == (400, "malformed_request")
        assert said in answer.json()["detail"]


async def test_rectangles_are_told_as_json_and_shown_as_they_were_said(run: Any) -> None:
    pool = ScriptedPool(default=text_result("read"))
    async with run(pool) as service:
        typed = {"regions": [[0, "10%", 30, 40]], "ignore": [{"x": 1, "y": 2, "width": 3, "height": 4, "page": 1}]}
        as_text = {name: json.dumps(value) for name, value in typed.items()}
        answers = [
            await service.client.post("/images?wait=30", files={"file": PNG, "options": (None, json.dumps(typed))}),
            await service.client.post("/images?wait=30", files={"file": PNG}, data=as_text),
        ]
        for answer in answers:
            shown = answer.json()["options"]
            assert shown["regions"] == [{"x": 0, "y": "10%", "width": 30, "height": 40}]
            assert shown["ignore"] == [{"x": 1, "y": 2, "width": 3, "height": 4, "page": 1}]
        (told,) = {*pool.asked}
        assert told.regions == (Area(x=0, y="10%", width=30, height=40),)
        assert told.ignore == (Area(x=1, y=2, width=3, height=4, page=1),)
