"""What of a job's stored run can be given: all its pages once it is done, the pages that are read before that."""

from collections.abc import Iterable, Sequence
from typing import Literal, get_args

import msgspec
from msgspec import Struct

from app.jobs.page_selection import PageSelection
from ocr_engine.result import OcrPage
from persistence.job import Job

Detail = Literal["lines", "words"]
"""How far JSON goes into its pages; words make it some five times as long."""
DETAILS: tuple[Detail, ...] = get_args(Detail)
Rows = Literal["joined", "apart"]
"""Of text: what is one row of a table or a receipt on one line, or each line that was found on a line of its own."""
ROWS: tuple[Rows, ...] = get_args(Rows)


class JobResult(Struct, frozen=True, kw_only=True):
    """What was read of a job, or of those of its pages that were asked for."""

    job: Job
    numbers: Sequence[int]
    """Of the pages, ascending; at least one."""
    selection: PageSelection


class ResultUnfinished(Exception):
    """Some of the pages that were asked for are still to be read."""

    def __init__(self, job: Job) -> None:
        super().__init__(
            f"job {job.id} is {job.status}: {_read_of(job)}. `pages=` gives those that are read; "
            f"`GET /images/{job.id}` with `Prefer: wait=N` waits for its end"
        )


class NoResult(Exception):
    """The job ended without a text."""

    def __init__(self, job: Job) -> None:
        super().__init__(f"job {job.id} is {job.status}: nothing was read; `GET /images/{job.id}` says why")


class NoSuchPages(Exception):
    """None of the pages that were asked for is in the result."""


def result_of(job: Job, wanted: PageSelection) -> JobResult:
    """The pages that were asked for. Raises ResultUnfinished, NoResult, NoSuchPages."""
    read = set(_numbers_read(job))
    if job.status.terminal:
        if not read:
            raise NoResult(job)
        numbers = [number for number in wanted.numbers(max(read)) if number in read]
        if not numbers:
            raise NoSuchPages(f"pages: {wanted} is not in the result, which has {_named(read)}")
    else:
        ends = [end for _, end in wanted.ranges]
        # without an end it may be more than anybody knows yet
        numbers = [*wanted.numbers(max(filter(None, ends)))] if ends and None not in ends else []
        if not numbers or any(number not in read for number in numbers):
            raise ResultUnfinished(job)
    return JobResult(job=job, numbers=numbers, selection=wanted)


def as_asked(pages: Iterable[OcrPage], format_name: str, *, words: bool, rows: Rows | None) -> Iterable[OcrPage]:
    """The pages as they are written in that format; `words` and `rows` as far as it has a choice of them."""
    if format_name == "json" and not words:
        return map(without_words, pages)
    return map(rows_apart, pages) if rows == "apart" else pages


def without_words(page: OcrPage) -> OcrPage:
    """The page as it is told where nobody asks for its words."""
    return msgspec.structs.replace(page, lines=tuple(msgspec.structs.replace(line, words=()) for line in page.lines))


def rows_apart(page: OcrPage) -> OcrPage:
    """The page with each line by itself, not as part of a row."""
    return msgspec.structs.replace(page, lines=tuple(msgspec.structs.replace(line, row=0) for line in page.lines))


def _numbers_read(job: Job) -> Sequence[int]:
    return job.read_pages or [page.number for page in (job.result.pages if job.result else ())]


def _read_of(job: Job) -> str:
    read = _numbers_read(job)
    return f"of its pages {_named(read)} are read" if read else "none of its pages is read"


def _named(numbers: Iterable[int]) -> str:
    """Numbers as ranges: `1-3,7`."""
    ranges: list[list[int]] = []
    for number in sorted(numbers):
        if ranges and number == ranges[-1][1] + 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    return ",".join(f"{first}" if first == last else f"{first}-{last}" for first, last in ranges)
