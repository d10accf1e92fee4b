"""The Job and its state machine: the verbs are the only ways in which it may change. Pure: no clock, no database."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Literal, get_args

import msgspec
from msgspec import Struct

from ocr_engine.result import Area, ImageInfo, OcrResult
from persistence.upload import IN_MEMORY_BYTES

Priority = Literal["high", "normal", "low"]
PRIORITIES: tuple[Priority, ...] = get_args(Priority)
"""From the highest to the lowest."""
ANYBODY = ""
"""Owner of jobs while the service asks for no keys."""


class JobState(StrEnum):
    """Where a job stands. After a crash `queued` and `processing` jobs are run again; the others stay."""

    QUEUED = "queued"
    """Accepted and durable; waits for a worker, or for its next attempt to become due."""
    PROCESSING = "processing"
    """Claimed by a dispatcher; a worker has it or is about to."""
    DONE = "done"
    """Recognised, result stored. Final, but for pages that were given up and may be requeued."""
    DEAD_LETTER = "dead-letter"
    """Given up: `error` says why. Waits for a person to requeue or delete it."""
    CANCELLED = "cancelled"
    """Cancelled by its owner before it was done. Final."""

    @property
    def terminal(self) -> bool:
        """True where nothing happens any more unless a person asks for it."""
        return self in (JobState.DONE, JobState.DEAD_LETTER, JobState.CANCELLED)


TRANSITIONS: Mapping[JobState, frozenset[JobState]] = MappingProxyType(
    {
        JobState.QUEUED: frozenset({JobState.PROCESSING, JobState.CANCELLED}),
        JobState.PROCESSING: frozenset({JobState.DONE, JobState.QUEUED, JobState.DEAD_LETTER, JobState.CANCELLED}),
        JobState.DEAD_LETTER: frozenset({JobState.QUEUED}),
        JobState.DONE: frozenset({JobState.QUEUED}),  # where pages of it were given up
        JobState.CANCELLED: frozenset(),
    }
)


class IllegalTransition(Exception):
    """The table has no arrow from the job's state to the one asked for."""

    def __init__(self, job: "Job", target: JobState) -> None:
        super().__init__(f"job {job.id} is {job.status}; it cannot become {target}")


LOCKED_OUT = "password_required"
"""The code of `ocr_engine.errors.PasswordRequired`."""
KEPT_FAILURES = 20
"""Of a job or page that is sent round again and again: the latest of its failed attempts, before one under way."""


class JobError(Struct, frozen=True, kw_only=True):
    """Why one attempt failed."""

    code: str
    detail: str
    at: datetime
    attempt: int
    worker: str = ""


class PageError(Struct, frozen=True, kw_only=True):
    """Why a page was given up."""

    number: int
    """Of the page in its file, from 1."""
    code: str
    detail: str
    attempts: int


class JobOptions(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the client asked for with the upload."""

    pages: str = ""
    """Which pages are read, as `1-3,7,20-`; empty: all."""
    text_layer: Literal["ocr", "auto"] = "ocr"
    """As `ocr_engine.options.ReadOptions` has it."""
    rotate: Literal["auto", "0", "90", "180", "270"] = "auto"
    """Degrees clockwise by which its pages are turned before they are read."""
    min_confidence: float | None = None
    """Lines below are left out of the text; None: as it is with all."""
    reading_order: Literal["auto", "columns", "rows", "none"] = "auto"
    """`auto`: as it is with all; else as `ocr_engine.options.ReadOptions` has it."""
    regions: tuple[Area, ...] = ()
    """Only these are read, one after the other; none: whole pages."""
    ignore: tuple[Area, ...] = ()
    """What stands in these is not read."""
    check_boxes: bool = False
    """As `ocr_engine.options.ReadOptions` has it."""
    detail: Literal["lines", "words"] = "lines"
    """How far answers go into its pages where they are not asked otherwise."""
    dedupe: Literal["none", "content"] = "none"
    """`content`: where an equal file was read alike for its owner before, that is its result, too."""
    timeout: float | None = None
    """CPU seconds that each of its pages may take; None: as it is with all."""
    priority: Priority = "normal"
    """How large its owner's share of the workers is while it waits."""
    languages: tuple[str, ...] = ()
    """BCP 47 tags of the languages that it is written in; empty: those of the service."""
    tag: str = ""
    """The client's own word for it; jobs are listed by it."""
    metadata: Mapping[str, str] = {}
    """What the client wants to be told with it."""
    expires_in: int | None = None
    """Seconds after its end when it is deleted; None: as it is with all."""
    callback_url: str = ""
    """Where its end is told (persistence/outbox/delivery.py); empty: nowhere."""
    delete_after_read: bool = False
    """It is deleted once its owner was sent all that was read."""
    keep_upload: bool = False
    """The upload stays when the job is done, until it is dropped for its age."""
    keep_hours: float | None = None
    """Hours for which it stays, more than 0 where it does at all; None: as the service keeps all."""


class Job(Struct, frozen=True, kw_only=True):
    """One file on its way to text. Changes only by the verbs below, each of which gives a new Job.

    The only page of an image is claimed, retried and given up in the job's own row. A file of several pages is
    `paged`: each page has a row (persistence/page.py), and the job's state follows from its pages.
    """

    id: str
    owner: str = ANYBODY
    """Name of the API key that submitted it; empty where the service asks for none."""
    traceparent: str = ""
    """W3C trace context of the request that submitted it; empty where nobody traces."""
    status: JobState = JobState.QUEUED
    fingerprint: str = ""
    """Of the file, and of all that decides what is read in it; empty where that is nobody's business."""
    revision: int = 0
    """Counts every transition. The store compares it: `attempt` alone would not do, since an interrupted
    attempt is given back and its number is used again."""
    attempt: int = 0
    """Attempts begun that count; an interruption by a graceful stop gives its attempt back."""
    image: ImageInfo
    created_at: datetime
    updated_at: datetime
    due_at: datetime
    """Not before then may the next attempt begin."""
    started_at: datetime | None = None
    """When the latest attempt began."""
    failures: tuple[JobError, ...] = ()
    """The failed attempts, oldest first; of very many the latest."""
    options: JobOptions = JobOptions()
    paged: bool = False
    """True once its pages have rows of their own; before that a file of unknown pages waits to be opened."""
    pages_total: int = 1
    """Pages that are to be read; 0 while that is not known."""
    pages_done: int = 0
    pages_failed: int = 0
    """Pages that were given up."""
    result: OcrResult | None = None
    """What was read so far. Of a paged job it is put together from its pages, by `JobStore.get` only."""
    expires_at: datetime | None = None
    """When it is deleted because its client wanted that; None before its end, too."""
    read_pages: tuple[int, ...] = ()
    """Numbers of a paged job's pages that were read, by `JobStore.outline` only, which leaves `result` out."""
    page_errors: tuple[PageError, ...] = ()
    """Of the pages that were given up, as `result` or `read_pages`."""
    batch_id: str = ""
    """Of the batch that it came with; empty where it came alone."""
    batch_number: int = 0
    """Which file of its batch it is, from 1."""

    @property
    def error(self) -> JobError | None:
        """What made it a dead letter; None in every other state."""
        return self.failures[-1] if self.status is JobState.DEAD_LETTER else None

    @property
    def pages_left(self) -> int:
        """Pages that are neither read nor given up; 1 where their number is not known yet."""
        return 0 if self.status.terminal else max(1, self.pages_total - self.pages_done - self.pages_failed)

    @property
    def cached(self) -> bool:
        """True where its result is that of an equal file: it is done, and no attempt was begun."""
        return self.status is JobState.DONE and self.attempt == 0

    @property
    def keeps_upload(self) -> bool:
        """True while somebody may still ask for another reading, or for the file itself."""
        wanted = self.status is not JobState.DONE or self.pages_failed > 0 or self.options.keep_upload
        return self.status is not JobState.CANCELLED and wanted

    @property
    def keeps_password(self) -> bool:
        """False once it is known to open nothing: another reading would fail as this one did."""
        return self.error is None or self.error.code != LOCKED_OUT

    @property
    def to_be_opened(self) -> bool:
        """True while nobody has looked how many pages the file has."""
        return not self.paged and self.pages_total == 0

    @property
    def read_from_memory(self) -> bool:
        """True where a worker is handed the bytes: no file is worth it for the only page of a small image."""
        return not self.paged and not self.to_be_opened and self.image.size <= IN_MEMORY_BYTES

    @property
    def wait_seconds(self) -> float:
        """Seconds from when the latest attempt was due to when it began; 0 before the first one."""
        return max(0.0, (self.started_at - self.due_at).total_seconds()) if self.started_at else 0.0

    def claimed(self, now: datetime, due_at: datetime | None = None) -> "Job":
        """A dispatcher takes it: the attempt counts from here, so that a job which kills everything is counted too.

        `due_at`: when it was due, where the clock was set since then.
        """
        due_at, kept = due_at or self.due_at, self.failures[-KEPT_FAILURES:]
        return self._become(
            JobState.PROCESSING,
            now,
            attempt=self.attempt + 1,
            started_at=now,
            failures=kept,
            due_at=due_at or self.due_at,
        )

    def answered_by(self, equal: "Job", now: datetime) -> "Job":
        """A new job whose equal is done: so is it, with the same result. That of a paged one is the store's to copy."""
        if self.status is not JobState.QUEUED or self.attempt or equal.status is not JobState.DONE:
            raise IllegalTransition(self, JobState.DONE)
        moment = max(now, self.updated_at)
        return msgspec.structs.replace(
            self,
            status=JobState.DONE,
            revision=self.revision + 1,
            updated_at=moment,
            expires_at=self._expiry(JobState.DONE, moment),
            paged=equal.paged,
            pages_total=equal.pages_total,
            pages_done=equal.pages_done,
            result=equal.result,
        )

    def as_accepted(self) -> "Job":
        """Nothing but what its client sent: as it was at first, whatever has become of it since."""
        return Job(
            id=self.id,
            owner=self.owner,
            image=self.image,
            created_at=self.created_at,
            updated_at=self.created_at,
            due_at=self.created_at,
            options=self.options,
            pages_total=self.pages_total,
            batch_id=self.batch_id,
            batch_number=self.batch_number,
        )

    def completed(self, result: OcrResult, now: datetime) -> "Job":
        """The text of its only page was read."""
        return self._become(JobState.DONE, now, result=result, pages_done=1)

    def opened(self, pages: int) -> "Job":
        """The claimed file has so many pages to be read, which wait for workers from now on."""
        if self.status is not JobState.PROCESSING or self.paged:
            raise IllegalTransition(self, JobState.PROCESSING)
        return msgspec.structs.replace(self, revision=self.revision + 1, paged=True, pages_total=pages)

    def page_begun(self, now: datetime, due_at: datetime) -> "Job":
        """One of its pages was claimed: the first one, due with the job, begins the job's attempt."""
        return self.claimed(now, due_at) if self.status is JobState.QUEUED else self._going_on()

    def page_put_back(self) -> "Job":
        """One of its pages waits for another attempt; the job goes on."""
        return self._going_on()

    def page_read(self, now: datetime) -> "Job":
        """One of its pages was read; after the last one the job is done."""
        return self._page_settled(now, pages_done=self.pages_done + 1)

    def page_given_up(self, error: JobError, now: datetime) -> "Job":
        """One of its pages was. After the last one the job is done where another was read, a dead letter otherwise."""
        return self._page_settled(now, error, pages_failed=self.pages_failed + 1)

    def retried(self, error: JobError, due_at: datetime, now: datetime) -> "Job":
        """An attempt failed and another one is allowed, at `due_at`."""
        return self._queued_again(JobState.PROCESSING, now, failures=(*self.failures, error), due_at=due_at)

    def dead_lettered(self, error: JobError, now: datetime) -> "Job":
        """An attempt failed and no other one is allowed."""
        return self._become(JobState.DEAD_LETTER, now, failures=(*self.failures, error))

    def interrupted(self, now: datetime) -> "Job":
        """A graceful stop took it from its worker: back to the queue, the attempt given back."""
        return self._queued_again(JobState.PROCESSING, now, attempt=self.attempt - 1, due_at=now)

    def requeued(self, now: datetime) -> "Job":
        """A person sends a dead letter, or the pages that were given up, round again with all attempts before them.

        Failures stay on record, and so do pages that were read.
        """
        source = JobState.DONE if self.status is JobState.DONE and self.pages_failed else JobState.DEAD_LETTER
        again = {"pages_failed": 0, "page_errors": ()} if self.paged else {}
        return self._queued_again(source, now, attempt=0, due_at=now, **again)

    def cancelled(self, now: datetime) -> "Job":
        """Its owner does not want it any more."""
        return self._become(JobState.CANCELLED, now)

    def _page_settled(self, now: datetime, error: JobError | None = None, **counts: int) -> "Job":
        counted = msgspec.structs.replace(self._going_on(), **counts)
        if counted.pages_done + counted.pages_failed < counted.pages_total:
            return msgspec.structs.replace(counted, revision=self.revision + 1)
        if counted.pages_done or error is None:
            return counted._become(JobState.DONE, now)
        return counted.dead_lettered(error, now)

    def _going_on(self) -> "Job":
        if self.status is not JobState.PROCESSING or not self.paged:
            raise IllegalTransition(self, JobState.PROCESSING)
        return self

    def _queued_again(self, source: JobState, now: datetime, **changes: object) -> "Job":
        # two arrows lead back to `queued`, and the table alone cannot tell one verb's from the other's
        if self.status is not source:
            raise IllegalTransition(self, JobState.QUEUED)
        return self._become(JobState.QUEUED, now, **changes)

    def _become(self, status: JobState, now: datetime, **changes: object) -> "Job":
        if status not in TRANSITIONS[self.status]:
            raise IllegalTransition(self, status)
        # `updated_at` never runs backwards, whatever the clock does
        moment = max(now, self.updated_at)
        known = {"status": status, "updated_at": moment, "expires_at": self._expiry(status, moment)}
        return msgspec.structs.replace(self, revision=self.revision + 1, **known, **changes)

    def _expiry(self, status: JobState, moment: datetime) -> datetime | None:
        seconds = self.options.expires_in if status.terminal else None
        return None if seconds is None else moment + timedelta(seconds=seconds)
