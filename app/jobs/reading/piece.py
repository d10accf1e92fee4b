"""What a dispatcher has in hand: a page, or a job that has no pages of its own. Both take the same way."""

from collections.abc import Callable
from datetime import datetime

import msgspec
from msgspec import Struct

from app.jobs.events import JobEvents
from ocr_engine.errors import JobTimeout
from ocr_engine.result import OcrResult
from persistence.job import Job, JobError, JobState
from persistence.page import Page, PageState, new_pages
from persistence.queue import Unit
from persistence.store import JobStore


class Piece(Struct, frozen=True, kw_only=True):
    """One version of it. Changes only by the verbs below, which are the page's where there is one, or the job's."""

    job: Job
    page: Page | None = None
    image: bytes | None = None
    """What was uploaded, where it came with the job."""
    opened: tuple[Page, ...] = ()
    """The pages that were found when the job's file was opened."""

    @property
    def attempted(self) -> Job | Page:
        """Whose attempts and failures count."""
        return self.page or self.job

    @property
    def waits(self) -> bool:
        """May it be claimed?"""
        return self.attempted.status in (JobState.QUEUED, PageState.QUEUED)

    @property
    def orphaned(self) -> bool:
        """True where it was claimed, and now comes from the queue again: nobody is at it any more."""
        return self.attempted.status in (JobState.PROCESSING, PageState.PROCESSING) and not self.opened

    @property
    def timed_out(self) -> bool:
        """Whether an attempt before this one was too slow, since it was submitted or requeued."""
        before = self.attempted.attempt - 1
        return before > 0 and any(failure.code == JobTimeout.code for failure in self.attempted.failures[-before:])

    def claimed(self, now: datetime, due_at: datetime | None = None) -> "Piece":
        """An attempt begins. `due_at`: as Job.claimed."""
        return self._with(self.attempted.claimed(now, due_at))

    def completed(self, result: OcrResult, now: datetime) -> "Piece":
        """It was read."""
        return self._with(self.page.completed(result) if self.page else self.job.completed(result, now))

    def found(self, numbers: list[int], now: datetime) -> "Piece":
        """The job's file was opened, and these pages of it are to be read."""
        job = self.job.opened(len(numbers))
        return Piece(job=job, opened=new_pages(job, numbers, now))

    def retried(self, error: JobError, due_at: datetime, now: datetime) -> "Piece":
        """The attempt failed and another one is allowed."""
        return self._with(self.page.retried(error, due_at) if self.page else self.job.retried(error, due_at, now))

    def given_up(self, error: JobError, now: datetime) -> "Piece":
        """The attempt failed and no other one is allowed."""
        return self._with(self.page.given_up(error) if self.page else self.job.dead_lettered(error, now))

    def interrupted(self, now: datetime) -> "Piece":
        """The attempt was not the fault of what is read, and is given back."""
        return self._with(self.page.interrupted(now) if self.page else self.job.interrupted(now))

    def _with(self, changed: Job | Page) -> "Piece":
        return msgspec.structs.replace(self, **{"page" if isinstance(changed, Page) else "job": changed})


class Kept(Struct, frozen=True, kw_only=True):
    """A change that the store has."""

    old: Piece
    piece: Piece
    """As it is stored, its job too."""
    job_before: Job

    def tell(self, events: JobEvents) -> None:
        """Tells of it; to be called once, by the task that is at the attempt."""
        if self.old.page is not None and self.piece.page is not None:
            if self.piece.page.status is PageState.PROCESSING:
                events.page_claimed(self.piece.job, self.piece.page)
            else:
                events.page_changed(self.piece.job, self.old.page, self.piece.page)
            if self.piece.job.status is self.job_before.status:
                return
        if self.piece.opened:
            events.opened(self.piece.job)
        elif self.piece.job.status is JobState.PROCESSING:
            events.claimed(self.piece.job)
        else:
            events.changed(self.job_before, self.piece.job)


class Taken(Struct, frozen=True, kw_only=True):
    """What a unit names."""

    found: Piece
    """As it was."""
    begun: Kept | None
    """The attempt, where one was begun."""


async def take(store: JobStore, unit: Unit, begun: Callable[[Piece], Piece | None], now: datetime) -> Taken | None:
    """What the unit names, and what `begun`, called in any thread, makes of it; that is stored, unless it is None or
    another change was faster. None where there is nothing to do any more. Raises StoreError.
    """
    if unit.page:
        page = await store.page(unit.job_id, unit.page)
        if page is None or page[0].status.terminal:
            return None
        piece = Piece(job=page[0], page=page[1])
        new = begun(piece)
        return Taken(found=piece, begun=await keep(store, piece, new, now) if new else None)

    def whole(job: Job) -> Job | None:
        new = None if job.paged or job.status.terminal else begun(Piece(job=job))
        return new.job if new else None

    taken = await store.take(unit.job_id, whole)
    if taken is None or taken.before.paged or taken.before.status.terminal:
        return None
    found = Piece(job=taken.before)
    if taken.after is None:
        return Taken(found=found, begun=None)
    piece = Piece(job=taken.after, image=taken.image)
    return Taken(found=found, begun=Kept(old=found, piece=piece, job_before=taken.before))


async def keep(store: JobStore, old: Piece, new: Piece, now: datetime) -> Kept | None:
    """Stores what a verb made of `old`; None where another change had won. Raises StoreError."""
    if old.page is None or new.page is None:
        if new.opened:
            stored = await store.open_pages(old.job, new.job, new.opened)
        else:
            stored = await store.replace(old.job, new.job)
        return Kept(old=old, piece=new, job_before=old.job) if stored else None
    change = await store.replace_page(old.page, new.page, now)
    if change is None:
        return None
    return Kept(old=old, piece=Piece(job=change.after, page=new.page), job_before=change.before)
