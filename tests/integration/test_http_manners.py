"""Answers as RFC 9110, 9111 and 9457 have them: revalidated, compressed, with problems that explain themselves."""

import gzip
from typing import Any

import pytest

from app.http.problems import ERRORS
from app.http.responses.problem_pages import ADVICE
from samples import sample
from tests.scripted_pool import ScriptedPool, text_result

pytestmark = pytest.mark.anyio

PNG = sample("tiny").data
LONG = text_result("\n".join(f"line {number} of many" for number in range(500)))
PLAIN = {"Accept-Encoding": "identity"}
GZIP = {"Accept-Encoding": "gzip"}


async def test_a_job_that_has_ended_is_not_sent_again_to_who_has_it(run: Any) -> None:
    async with run(ScriptedPool(default=text_result("read"))) as service:
        job_id = (await service.client.post("/images?wait=30", files={"file": PNG})).json()["id"]
        first = await service.client.get(f"/images/{job_id}")
        assert first.headers["Cache-Control"] == "private, no-cache"
        have = {"If-None-Match": first.headers["ETag"]}
        again = await service.client.get(f"/images/{job_id}", headers=have)
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["ETag"] == first.headers["ETag"]
        words = await service.client.get(f"/images/{job_id}?detail=words", headers=have)
        assert words.status_code == 200
        assert (await service.client.get(f"/images/{job_id}", headers={"If-None-Match": '"other"'})).status_code == 200


async def test_a_job_under_way_is_never_kept(run: Any) -> None:
    async with run() as service:
        service.pool.hold()
        job_id = (await service.upload(PNG)).json()["id"]
        answer = await service.client.get(f"/images/{job_id}", headers={"If-None-Match": "*"})
        assert answer.status_code == 202
        assert "ETag" not in answer.headers
        assert answer.headers["Cache-Control"] == "no-store"
        service.pool.release()


async def test_long_answers_go_through_gzip_for_who_can_read_it(run: Any) -> None:
    async with run(ScriptedPool(default=LONG)) as service:
        path = (await service.client.post("/images?wait=30", files={"file": PNG})).headers["Location"]
        plain = await service.client.get(path, headers=PLAIN)
        assert "Content-Encoding" not in plain.headers
        for method in ("GET", "HEAD"):
            async with service.client.stream(method, path, headers=GZIP) as packed:
                body = b"".join([chunk async for chunk in packed.aiter_raw()])
            assert packed.headers["Content-Encoding"] == "gzip"
            assert packed.headers["Vary"] == plain.headers["Vary"] == "Accept-Encoding"
            assert int(packed.headers["Content-Length"]) < len(plain.content) / 3
            assert packed.headers["ETag"] == plain.headers["ETag"]
            if method == "GET":
                assert gzip.decompress(body) == plain.content
                assert len(body) == int(packed.headers["Content-Length"])
            else:
                assert not body


async def test_short_answers_and_those_compressed_already_are_sent_as_they_are(run: Any) -> None:
    async with run() as service:
        live = await service.client.get("/health/live", headers=GZIP)
        assert "Content-Encoding" not in live.headers
        async with service.client.stream("GET", "/", headers=GZIP) as page:
            raw = b"".join([chunk async for chunk in page.aiter_raw()])
        assert b"<html" in gzip.decompress(raw)


async def test_the_type_of_a_problem_leads_to_its_page(run: Any) -> None:
    async with run() as service:
        lost = (await service.client.get("/images/none")).json()
        page = await service.client.get(lost["type"])
        assert page.status_code == 200
        assert page.headers["Content-Type"].startswith("text/html")
        assert "job_not_found" in page.text
        assert lost["title"] in page.text
        listed = (await service.client.get("/problems")).text
        assert all(f'href="problems/{code}"' in listed for code in ERRORS)
        assert (await service.client.get("/problems/none")).json()["code"] == "not_found"


TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.mark.parametrize(
    ("given", "kept"), [(TRACE, TRACE), (TRACE.upper(), ""), ("00-" + "0" * 32 + TRACE[35:], ""), ("nonsense", "")]
)
async def test_the_trace_that_a_request_is_part_of_is_kept_with_its_job(run: Any, given: str, kept: str) -> None:
    async with run() as service:
        job_id = (await service.upload(PNG, traceparent=given)).json()["id"]
        assert (await service.service.store.get(job_id)).traceparent == kept


def test_advice_is_for_problems_that_there_are() -> None:
    assert set(ADVICE) <= set(ERRORS)
