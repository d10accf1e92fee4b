"""What ended in each minute: counts of pages, which stay though their jobs are deleted. Pure."""

from datetime import datetime, timedelta

from msgspec import Struct

from persistence.job import Job, JobState
from persistence.page import Page, PageState

MINUTE = timedelta(minutes=1)


class Minute(Struct, frozen=True, kw_only=True):
    """The pages that ended in it, each counted in the transaction that ended it; of whom they were is not kept."""

    begins: datetime
    pages_read: int = 0
    pages_failed: int = 0
    """Given up; a file that could not be opened is one."""
    wait_seconds: float = 0.0
    """Of the pages that were read, together: from when the attempt was due to when it began."""
    recognition_seconds: float = 0.0
    """Likewise, inside their workers."""


def minute_of(moment: datetime) -> datetime:
    """When the minute began that the moment lies in."""
    return moment.replace(second=0, microsecond=0)


def of_job(old: Job, new: Job) -> Minute | None:
    """What the change of a job adds to its minute; None: nothing. The pages of a paged one count by themselves."""
    if new.paged or old.status is not JobState.PROCESSING:
        return None
    if new.status is JobState.DEAD_LETTER:
        return Minute(begins=minute_of(new.updated_at), pages_failed=1)
    if new.status is not JobState.DONE or new.result is None:
        return None
    return _read(new.updated_at, new.wait_seconds, new.result.timings.total)


def of_page(page: Page, now: datetime) -> Minute | None:
    """What a page that became so adds to its minute; None: nothing."""
    if page.status is PageState.FAILED:
        return Minute(begins=minute_of(now), pages_failed=1)
    return _read(now, page.wait_seconds, page.result.timings.total) if page.result is not None else None


def _read(moment: datetime, wait: float, recognition: float) -> Minute:
    return Minute(begins=minute_of(moment), pages_read=1, wait_seconds=wait, recognition_seconds=recognition)
