"""A page of a job and the only ways in which it may change. Pure words, as in persistence/job.py.

Pages that come from one file are claimed, timed, retried and given up alone. The only page of an image needs no row:
its job is claimed and retried in its place.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

import msgspec
from msgspec import Struct

from ocr_engine.result import OcrResult, OcrTimings
from persistence.job import KEPT_FAILURES, Job, JobError, PageError


class PageState(StrEnum):
    """Where a page stands. Of a job that ended every page is `done` or `failed`; a cancelled one forgets the others."""

    QUEUED = "queued"
    PROCESSING = "processing"
    DONE = "done"
    FAILED = "failed"
    """Given up; the job's other pages go on."""

    @property
    def settled(self) -> bool:
        """True where nothing happens any more unless a person asks for it."""
        return self in (PageState.DONE, PageState.FAILED)


TRANSITIONS: Mapping[PageState, frozenset[PageState]] = MappingProxyType(
    {
        PageState.QUEUED: frozenset({PageState.PROCESSING}),
        PageState.PROCESSING: frozenset({PageState.DONE, PageState.QUEUED, PageState.FAILED}),
        PageState.DONE: frozenset(),
        PageState.FAILED: frozenset(),  # requeued together with its job
    }
)


class IllegalPageTransition(Exception):
    """The table has no arrow from the page's state to the one asked for."""


class Page(Struct, frozen=True, kw_only=True):
    """One page on its way to text. Changes only by the verbs below, each of which gives a new Page."""

    job_id: str
    number: int
    """Of the page in its file, from 1."""
    status: PageState = PageState.QUEUED
    revision: int = 0
    """Counts every transition; the store compares it."""
    attempt: int = 0
    """Attempts begun that count; an interruption by a graceful stop gives its attempt back."""
    due_at: datetime
    """Not before then may the next attempt begin."""
    started_at: datetime | None = None
    failures: tuple[JobError, ...] = ()
    """As Job.failures."""
    result: OcrResult | None = None
    """Of this page alone."""

    @property
    def error(self) -> PageError | None:
        """Why it was given up; None in every other state."""
        if self.status is not PageState.FAILED:
            return None
        last = self.failures[-1]
        return PageError(number=self.number, code=last.code, detail=last.detail, attempts=last.attempt)

    @property
    def wait_seconds(self) -> float:
        """Seconds from when the latest attempt was due to when it began; 0 before the first one."""
        return max(0.0, (self.started_at - self.due_at).total_seconds()) if self.started_at else 0.0

    def claimed(self, now: datetime, due_at: datetime | None = None) -> "Page":
        """A dispatcher takes it; the attempt counts from here. `due_at`: as Job.claimed."""
        due_at, kept = due_at or self.due_at, self.failures[-KEPT_FAILURES:]
        return self._become(
            PageState.PROCESSING, attempt=self.attempt + 1, started_at=now, failures=kept, due_at=due_at or self.due_at
        )

    def completed(self, result: OcrResult) -> "Page":
        """It was read."""
        return self._become(PageState.DONE, result=result)

    def retried(self, error: JobError, due_at: datetime) -> "Page":
        """An attempt failed and another one is allowed, at `due_at`."""
        return self._become(PageState.QUEUED, failures=(*self.failures, error), due_at=due_at)

    def given_up(self, error: JobError) -> "Page":
        """An attempt failed and no other one is allowed."""
        return self._become(PageState.FAILED, failures=(*self.failures, error))

    def interrupted(self, now: datetime) -> "Page":
        """A graceful stop took it from its worker: back to the queue, the attempt given back."""
        return self._become(PageState.QUEUED, attempt=self.attempt - 1, due_at=now)

    def _become(self, status: PageState, **changes: object) -> "Page":
        if status not in TRANSITIONS[self.status]:
            raise IllegalPageTransition(f"page {self.number} of {self.job_id} is {self.status}, not to be {status}")
        return msgspec.structs.replace(self, status=status, revision=self.revision + 1, **changes)


def new_pages(job: Job, numbers: Sequence[int], now: datetime) -> tuple[Page, ...]:
    """The pages of a job that are to be read, queued."""
    return tuple(Page(job_id=job.id, number=number, due_at=now) for number in numbers)


def job_after(job: Job, page: Page, now: datetime) -> Job:
    """What becomes of an unfinished job when the change that led to `page` is stored. Raises IllegalTransition."""
    match page.status:
        case PageState.PROCESSING:
            return job.page_begun(now, page.due_at)
        case PageState.DONE:
            return job.page_read(now)
        case PageState.FAILED:
            return job.page_given_up(page.failures[-1], now)
        case PageState.QUEUED:
            return job.page_put_back()


def with_pages(job: Job, pages: Sequence[Page]) -> Job:
    """The paged job with what was read of its pages, and why others were not."""
    results = [page.result for page in pages if page.result is not None]
    errors = tuple(page.error for page in pages if page.error is not None)
    return msgspec.structs.replace(job, result=_together(results) if results else None, page_errors=errors)


def outlined(job: Job, pages: Sequence[Page]) -> Job:
    """The paged job with the numbers of its pages that were read, and why others were not."""
    read = tuple(page.number for page in pages if page.status is PageState.DONE)
    return msgspec.structs.replace(
        job, read_pages=read, page_errors=tuple(page.error for page in pages if page.error is not None)
    )


def _together(results: Sequence[OcrResult]) -> OcrResult:
    timings = OcrTimings()
    for result in results:
        timings = timings.plus(result.timings)
    return OcrResult(
        pages=tuple(page for result in results for page in result.pages),
        models=results[-1].models,
        timings=timings,
        worker=results[-1].worker,
    )
