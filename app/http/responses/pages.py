"""What clients see of a job's pages: those that were read, and those that were given up."""

from typing import Annotated

from msgspec import Meta

from app.http.problems import Problem, problem
from ocr_engine.formats.json import PageView, page_view
from ocr_engine.result import OcrPage
from persistence.job import Job, PageError


class JobPageView(PageView, frozen=True, kw_only=True):
    """A page of a job: its lines in reading order, or why it has none."""

    error: Annotated[Problem | None, Meta(description="Why the page was given up; null where it was read.")] = None


def job_pages(job: Job, *, words: bool) -> tuple[JobPageView, ...]:
    """The settled pages by number; words only where they were asked for."""
    read = job.result.pages if job.result else ()
    views = [*(read_page(page, words=words) for page in read), *map(given_up, job.page_errors)]
    return tuple(sorted(views, key=lambda page: page.number))


def read_page(page: OcrPage, *, words: bool) -> JobPageView:
    """A page that was read."""
    view = page_view(page, words=words)
    return JobPageView(**{name: getattr(view, name) for name in view.__struct_fields__})


def given_up(error: PageError) -> JobPageView:
    """A page that was not."""
    return JobPageView(
        number=error.number,
        width=0,
        height=0,
        rotation=0,
        lines=(),
        truncated=False,
        source="ocr",
        dpi=0.0,
        warnings=(),
        language="",
        blocks=(),
        error=problem(error.code, error.detail),
    )
