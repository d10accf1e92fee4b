"""How a result is sent: in which format, under which name, as a stream of pieces that are made while they are sent."""

import hashlib
from typing import Any

from litestar import Request, Response

from app import VERSION
from app.http.problems import ApiError
from app.http.request_context import context_of
from app.http.requests.accept import best_of
from app.http.responses.pieces import answer_in_pieces
from app.http.responses.sent_file import file_answer
from app.http.responses.static import PRIVATE, held
from app.results.stored_run import Detail, JobResult, Rows, as_asked
from app.service import Service
from ocr_engine.formats import EVERY_FORMAT, Format, Source, WrittenFormat

_SANDBOX = "default-src 'none'; sandbox; frame-ancestors 'none'"
"""Content policy of results that a browser shows: what was read in an image may not act."""


def format_of(request: Request[Any, Any, Any], name: str | None, pages: int) -> Format:
    """The format of this name, or the one that `Accept` likes best. Raises ApiError (not_acceptable)."""
    possible = [each for each in EVERY_FORMAT.values() if pages == 1 or not is_of_one_page(each)]
    if name is None:
        wanted = ",".join(request.headers.getall("accept", []))
        best = best_of(wanted, [each.media_type for each in possible])
        chosen = next((each for each in possible if each.media_type == best), None)
    else:
        chosen = next((each for each in possible if each.name == name), None)
    if chosen is None:
        told = ", ".join(f"{each.name} ({each.media_type})" for each in possible)
        many = (
            " A document of the others has one page: ask for one by `pages=`."
            if len(possible) < len(EVERY_FORMAT)
            else ""
        )
        raise ApiError("not_acceptable", f"a result comes as {told}; by `format=` or `Accept`.{many}")
    return chosen


async def answer_of(
    request: Request[Any, Any, Any],
    service: Service,
    result: JobResult,
    chosen: Format,
    *,
    detail: Detail | None,
    rows: Rows | None,
) -> Response[Any]:
    """The result in the format that was chosen, or 304. Raises ApiError for what the format does not know."""
    if detail is not None and chosen.name != "json":
        raise ApiError("malformed_request", f"detail: {chosen.name} has no choice of it, json has")
    if rows is not None and chosen.name != "text":
        raise ApiError("malformed_request", f"rows: {chosen.name} has no choice of them, text has")
    headers = {
        "ETag": _etag(result, chosen.name, detail or "", rows or ""),
        # not `no-store`, as for a job that has ended: who has it need not be sent it again
        "Cache-Control": PRIVATE,
        "Vary": "Accept",
        "Content-Disposition": f'inline; filename="{_file_name(result, chosen)}"',
    }
    if chosen.media_type == "text/html":
        headers["Content-Security-Policy"] = _SANDBOX
    if held(request, headers["ETag"]):
        return Response(None, status_code=304, headers=headers)
    if not isinstance(chosen, WrittenFormat):
        return await file_answer(service.uploads.searchable_pdf(result), lambda path: path, chosen.media_type, headers)
    words = (detail or result.job.options.detail) == "words" if chosen.name == "json" else chosen.words
    pages = as_asked(
        service.pages_of(result.job, result.numbers).pages(words=words), chosen.name, words=words, rows=rows
    )
    source = Source(file_name=result.job.id, read_at=result.job.updated_at, version=VERSION)
    headless = context_of(request.scope).headless
    return await answer_in_pieces(chosen.encoded(pages, source), chosen.media_type, headers=headers, headless=headless)


def is_of_one_page(each: Format) -> bool:
    """Whether a document of it has one page only."""
    return isinstance(each, WrittenFormat) and each.one_page


def _etag(result: JobResult, *choices: str) -> str:
    """Names these very bytes: a stored run never changes, a version of the program writes it always alike."""
    job = result.job
    told = (VERSION, job.id, str(job.revision), ",".join(map(str, result.numbers)), *choices)
    return f'"{hashlib.sha256(chr(0).join(told).encode()).hexdigest()[:32]}"'


def _file_name(result: JobResult, chosen: Format) -> str:
    pages = f"-pages-{result.selection}".replace(",", "_") if str(result.selection) else ""
    return f"{result.job.id}{pages}{chosen.suffix}"
