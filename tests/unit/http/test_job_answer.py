"""A job of many pages is sent as it would be in one piece, and never held as a whole."""

import gzip
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import pytest
from anyio.lowlevel import checkpoint
from litestar.enums import ScopeType

from app.http.compression import Compression
from app.http.frame import RequestFrame
from app.http.responses.job_answer import job_parts
from app.http.responses.pieces import AnswerTorn, sent
from app.http.responses.schemas import progress_view
from app.results.lookup import Progress
from app.results.stored_pages import PAGES_AT_ONCE, PagesLost, StoredPages
from app.results.stored_run import Detail
from ocr_engine.result import OcrBlock, OcrCell, OcrLine, OcrPage, OcrResult, OcrTimings, OcrWord
from persistence.job import Job, JobState, PageError
from persistence.page import Page, PageState, outlined, with_pages
from tests.contract.jobs import after, failure, job

pytestmark = pytest.mark.anyio

BOX = ((0.1, 1 / 3), (9.0, 0.0), (9.0, 9.0), (0.0, 9e99))


class Pages:
    """The results of pages, as a store has them."""

    def __init__(self, results: Sequence[OcrResult]) -> None:
        self.stored = {result.pages[0].number: msgspec.json.encode(result) for result in results}
        self.asked: list[int] = []
        """How many pages at a time."""

    async def page_results(self, job_id: str, numbers: Sequence[int]) -> list[bytes]:
        self.asked.append(len(numbers))
        return [self.stored[number] for number in numbers if number in self.stored]


def result(number: int, *texts: str) -> OcrResult:
    lines = tuple(
        OcrLine(
            text=text,
            confidence=1 / (number + place + 1),
            polygon=BOX,
            low_confidence=text == "faint",
            row=place,
            words=(OcrWord(text, 0.5, BOX),),
        )
        for place, text in enumerate(texts)
    )
    table = OcrBlock(kind="table", lines=(0,), cells=(OcrCell(0, 0, 1, 1, "cell", BOX),), ruled=True)
    page = OcrPage(number=number, width=9, height=9, lines=lines, blocks=(table,) if texts else ())
    return OcrResult(pages=(page,), timings=OcrTimings(total=0.1, decode=number / 3), worker="worker-1")


def jobs_of(results: Sequence[OcrResult], failed: Sequence[int]) -> tuple[Job, Job]:
    """The same job, whole and as an outline."""
    pages = [
        Page(job_id="a", number=each.pages[0].number, status=PageState.DONE, due_at=after(0), result=each)
        for each in results
    ]
    pages += [
        Page(job_id="a", number=number, status=PageState.FAILED, due_at=after(0), failures=(failure(),))
        for number in failed
    ]
    pages.sort(key=lambda page: page.number)
    known = msgspec.structs.replace(job("a"), status=JobState.DONE, paged=True, pages_total=len(pages))
    return with_pages(known, pages), outlined(known, pages)


async def body_of(parts: Callable[[], Any]) -> bytes:
    return b"".join([piece async for piece in sent(parts(), 100)])


@pytest.mark.parametrize("detail", ["lines", "words"])
@pytest.mark.parametrize(
    ("texts", "failed"),
    [
        ([["Grüße 你好 \U0001f9fe\t\"'\\\0", "faint"], [], ["second"], [], []], [1, 4, 9]),
        ([[], ["faint"], []], []),
        ([["only"]], [7]),
        ([[f"page {number}"] for number in range(3 * PAGES_AT_ONCE)], []),
    ],
)
async def test_an_answer_made_page_by_page_is_that_of_one_piece(
    detail: Detail, texts: list[list[str]], failed: list[int]
) -> None:
    numbers = [number for number in range(1, 100) if number not in failed]
    results = [result(number, *each) for number, each in zip(numbers, texts, strict=False)]
    whole, outline = jobs_of(results, failed)
    store = Pages(results)
    pages = StoredPages(store, outline, outline.read_pages)
    body = await body_of(lambda: job_parts(Progress(job=outline), pages, detail))
    assert body == msgspec.json.encode(progress_view(Progress(job=whole), detail))
    assert max(store.asked) <= PAGES_AT_ONCE
    if len(results) <= PAGES_AT_ONCE:
        assert len(store.asked) == 1, "a short file is taken from the store once"


async def test_an_answer_whose_job_is_erased_meanwhile_stays_incomplete() -> None:
    results = [result(number, "text") for number in range(1, 3 * PAGES_AT_ONCE)]
    _, outline = jobs_of(results, [])
    store = Pages(results[: PAGES_AT_ONCE + 1])
    pages = StoredPages(store, outline, outline.read_pages)
    with pytest.raises(AnswerTorn) as torn:
        await body_of(lambda: job_parts(Progress(job=outline), pages, "lines"))
    assert isinstance(torn.value.__cause__, PagesLost)


SCOPE = {"type": ScopeType.HTTP, "method": "GET", "path": "/", "headers": [(b"accept-encoding", b"gzip")]}


async def answered(app: Any) -> list[Any]:
    messages = []

    async def send(message: Any) -> None:
        messages.append(message)

    await app({**SCOPE, "state": {}}, None, send)
    return messages


def start(**headers: str) -> dict[str, Any]:
    told = {"content_type": "text/plain", **headers}.items()
    named = [(name.replace("_", "-").encode(), value.encode()) for name, value in told]
    return {"type": "http.response.start", "status": 200, "headers": named}


async def test_a_torn_answer_is_no_error_of_the_service() -> None:
    async def torn(scope: Any, receive: Any, send: Any) -> None:
        await send(start())
        raise ExceptionGroup("of the tasks that send it", [AnswerTorn("erased")])

    statuses = []
    told = RequestFrame(torn, lambda method, path, status, seconds: statuses.append(status))
    assert [message["type"] for message in await answered(told)] == ["http.response.start"]
    assert statuses == [200]


async def test_a_stream_is_compressed_piece_by_piece_and_its_tag_becomes_weak() -> None:
    pieces = [bytes([65 + n % 26]) * 70_000 for n in range(20)] + [b""]

    async def streaming(scope: Any, receive: Any, send: Any) -> None:
        await send(start(etag='"of these bytes"'))
        for number, piece in enumerate(pieces, 1):
            await send({"type": "http.response.body", "body": piece, "more_body": number < len(pieces)})
            await checkpoint()

    head, *bodies = await answered(Compression(streaming))
    headers = dict(head["headers"])
    assert (headers[b"content-encoding"], headers[b"etag"]) == (b"gzip", b'W/"of these bytes"')
    assert b"content-length" not in headers
    assert gzip.decompress(b"".join(body["body"] for body in bodies)) == b"".join(pieces)
    assert [body["more_body"] for body in bodies] == [True] * (len(bodies) - 1) + [False]


async def test_a_stream_that_says_how_long_it_is_stays_as_it_is() -> None:
    async def measured(scope: Any, receive: Any, send: Any) -> None:
        await send(start(content_length="4000"))
        await send({"type": "http.response.body", "body": b"a" * 2000, "more_body": True})
        await send({"type": "http.response.body", "body": b"b" * 2000, "more_body": False})

    head, *bodies = await answered(Compression(measured))
    assert b"content-encoding" not in dict(head["headers"])
    assert b"".join(body["body"] for body in bodies) == b"a" * 2000 + b"b" * 2000


def test_errors_of_pages_are_told_by_number() -> None:
    _, outline = jobs_of([result(2, "text")], [3, 1])
    assert [error.number for error in outline.page_errors] == [1, 3]
    assert outline.page_errors[0] == PageError(number=1, code="timeout", detail=failure().detail, attempts=1)
