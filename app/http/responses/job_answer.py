"""A job as an answer: JobView, made page by page where its file has many."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec
from litestar import Request, Response

from app.http.request_context import context_of
from app.http.responses.pages import given_up, read_page
from app.http.responses.pieces import answer_in_pieces
from app.http.responses.schemas import JobView, progress_view
from app.results.lookup import Progress
from app.results.stored_pages import StoredPages
from app.results.stored_run import Detail
from app.service import Service
from ocr_engine.result import OcrResult, OcrTimings
from persistence.job import PageError

encode = msgspec.json.encode


def receipt(progress: Progress) -> Progress:
    """For those whose business it is not what becomes of the job: that it was accepted."""
    return Progress(job=progress.job.as_accepted(), retry_after=max(1, progress.retry_after), eta_seconds=None)


async def job_answer(
    request: Request[Any, Any, Any],
    service: Service,
    progress: Progress,
    *,
    status_code: int,
    detail: Detail | None = None,
    headers: Mapping[str, str],
) -> Response[Any]:
    """The job, and what was read of it; `detail`: else as was asked with the upload."""
    job = progress.job
    if not job.read_pages:
        return Response(progress_view(progress, detail), status_code=status_code, headers=headers)
    pages = service.pages_of(job, job.read_pages)
    return await answer_in_pieces(
        job_parts(progress, pages, detail),
        "application/json",
        headers=headers,
        headless=context_of(request.scope).headless,
        status_code=status_code,
    )


def job_parts(progress: Progress, pages: StoredPages, detail: Detail | None) -> Iterator[bytes]:
    """The JSON of the job's JobView with these pages, in parts no longer than one of them. Raises as StoredPages."""
    view, figures, words = progress_view(progress), _Figures(), (detail or progress.job.options.detail) == "words"
    for name in JobView.__struct_fields__:
        yield b'%s"%s":' % (b"," if name != JobView.__struct_fields__[0] else b"{", name.encode())
        match name:
            case "text":
                # the text comes before the figures that are told of all of it
                yield from _text(pages, figures)
                view = figures.told_in(view)
            case "lines":
                yield from _listed(_lines(pages, words))
            case "pages":
                yield from _listed(_pages(pages, progress.job.page_errors, words))
            case _:
                yield encode(getattr(view, name))
    yield b"}"


class _Figures:
    """What is told of all pages together, as OcrResult tells it of its own."""

    def __init__(self) -> None:
        self._timings = OcrTimings()
        self._last: OcrResult | None = None
        self._sum, self._weight = 0.0, 0

    def add(self, result: OcrResult) -> None:
        """Those of some more pages."""
        self._last = result
        self._timings = self._timings.plus(result.timings)
        for page in result.pages:
            for line in page.lines:
                if not line.low_confidence:
                    self._sum += line.confidence * len(line.text)
                    self._weight += len(line.text)

    def told_in(self, view: JobView) -> JobView:
        """The view with them."""
        if self._last is None:
            return view
        return msgspec.structs.replace(
            view,
            confidence=round(self._sum / self._weight, 4) if self._weight else 0.0,
            processing_time=round(self._timings.total, 4),
            models=self._last.models,
            timings=self._timings,
        )


def _text(pages: StoredPages, figures: _Figures) -> Iterator[bytes]:
    """OcrResult.text as a JSON string: form feeds between the pages, none after the last that has any text."""
    gap, after = "", False
    yield b'"'
    for result in pages.results(words=False):
        figures.add(result)
        for page in result.pages:
            gap, after = gap + "\f" * after, True
            if text := page.text:
                yield encode(gap + text)[1:-1]
                gap = ""
    yield b'"'


def _lines(pages: StoredPages, words: bool) -> Iterator[bytes]:
    for page in pages.pages(words=words):
        yield encode(read_page(page, words=words).lines)[1:-1]


def _pages(pages: StoredPages, errors: Sequence[PageError], words: bool) -> Iterator[bytes]:
    waiting = sorted(errors, key=lambda error: error.number, reverse=True)
    for page in pages.pages(words=words):
        while waiting and waiting[-1].number < page.number:
            yield encode(given_up(waiting.pop()))
        yield encode(read_page(page, words=words))
    while waiting:
        yield encode(given_up(waiting.pop()))


def _listed(items: Iterator[bytes]) -> Iterator[bytes]:
    """A JSON array of the items; those that are empty are left out."""
    opened = False
    for item in items:
        if item:
            yield (b"," if opened else b"[") + item
            opened = True
    yield b"]" if opened else b"[]"
