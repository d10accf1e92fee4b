"""The port JobStore: what every store of jobs promises, and its errors."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol, Self

from msgspec import Struct

from persistence.batches.store import BatchStore
from persistence.change import JobChange
from persistence.cursor import Cursor, cut
from persistence.history.minute import Minute
from persistence.job import Job, JobState
from persistence.outbox.port import Outbox
from persistence.page import Page
from persistence.repeat import AlreadySubmitted, Repeat
from persistence.upload import StoredFile, Upload


class StoreError(Exception):
    """The store could not do it now; nothing was changed. Trying again later may help."""


class StoreFull(StoreError):
    """No room left on the device, or the database's size limit is reached."""


class StoreUnusable(Exception):
    """It cannot be opened: corrupt, newer than this program, in use, not writable, no store. Left untouched."""


class JobExists(Exception):
    """The id is taken: by a job of the store, or by one that was deleted. Nothing was changed."""


class EqualGone(Exception):
    """The job whose result was to be used is not as it was any more. Nothing was changed."""


class Listing(Struct, frozen=True, kw_only=True):
    """Some jobs of a longer list."""

    jobs: tuple[Job, ...]
    next: Cursor | None
    """Where to go on; None: nothing follows."""

    @classmethod
    def of(cls, jobs: Sequence[Job], limit: int, moment: Callable[[Job], datetime] | None = None) -> Self:
        """The first `limit` of `jobs`, of which there is one more where anything follows.

        `moment`: that by which they are ordered; None: their `updated_at`.
        """
        shown, following = cut(
            jobs, limit, lambda job: Cursor(updated_at=moment(job) if moment else job.updated_at, id=job.id)
        )
        return cls(jobs=shown, next=following)


class JobFilter(Struct, frozen=True, kw_only=True):
    """Which jobs are listed; None: all of them."""

    owner: str | None = None
    status: JobState | None = None
    tag: str | None = None
    created_after: datetime | None = None
    """Later than that."""


class Backlog(Struct, frozen=True, kw_only=True):
    """Work that was accepted and has not ended."""

    jobs: int
    image_bytes: int
    oldest: datetime | None
    """When the oldest of them was submitted; None where there is none."""


class PageChange(Struct, frozen=True, kw_only=True):
    """What the change of a page made of its job."""

    before: Job
    after: Job
    """The same where nothing of the job changed."""


class Taken(Struct, frozen=True, kw_only=True):
    """What became of a job that somebody wanted to begin an attempt at."""

    before: Job
    after: Job | None
    """As it is stored now; None where nothing was changed."""
    image: bytes | None = None
    """What was uploaded, where an attempt begins, a worker is to be handed it (`Job.read_from_memory`), and the same
    step could give it. `JobStore.image` has it all the same."""


class JobStore(Protocol):
    """Where the truth about jobs lives.

    Every write is durable when it returns, and every read that begins afterwards sees it. Every method raises
    StoreError, having changed nothing (or, where a server was lost in the middle of a write, perhaps all of it), and
    works again by itself once the cause is gone. A write once asked for is carried out: cancelling its caller gives up
    the answer, not the write, and `close` waits for it.
    """

    staging: Path
    """Folder where a large upload is gathered; it exists. Files left in it by an earlier life are removed at start."""
    outbox: Outbox
    """What is to be told of jobs that end (persistence/outbox/delivery.py): written in the transaction that ends them,
    and forgotten in the one that deletes them."""

    @property
    def batches(self) -> BatchStore:
        """What it keeps of batches."""

    async def add(
        self,
        job: Job,
        upload: Upload,
        pages: Sequence[Page] = (),
        repeat: Repeat | None = None,
        equal: Job | None = None,
    ) -> None:
        """Stores job, upload and the pages of a paged job in one step: all are there afterwards, or nothing.

        The upload's file is the store's from then on. Raises JobExists. With `repeat` the key stands for this job from
        then on; raises AlreadySubmitted where it stands for another one that is younger than REPEAT_TIME.

        With `equal` the job is done, `answered_by` that one: its pages are copied, and the upload is stored where the
        job keeps it. Raises EqualGone where the store no longer holds `equal` (by revision).
        """

    async def alike(self, owner: str, fingerprint: str) -> Job | None:
        """The owner's latest job of that fingerprint that is done, with no page given up; of a paged one nothing read.

        None where there is none, and for an empty fingerprint.
        """

    async def get(self, job_id: str) -> Job | None:
        """The job as last stored, with what was read of its pages; None where the id is unknown."""

    async def take(self, job_id: str, begun: Callable[[Job], Job | None]) -> Taken | None:
        """Stores what `begun` makes of the job as `get` gives it; where that is None, or another change was faster,
        nothing. `begun` is called in any thread, perhaps twice. None where the id is unknown.

        The one write that need not be durable when it returns, but soon: a cut of the power may undo it until then.
        """

    async def outline(self, job_id: str) -> Job | None:
        """As `get`, but of a paged job only the numbers of its pages that were read: it is of many megabytes."""

    async def page_results(self, job_id: str, numbers: Sequence[int]) -> list[bytes]:
        """What was read of these pages of a paged job, in their order: each an OcrResult in JSON. Those that are not
        read, or not there, are left out.
        """

    async def image(self, job_id: str) -> bytes | None:
        """The uploaded bytes; None where the job is unknown or its upload was dropped with a final state."""

    async def fetch(self, job_id: str, target: Path) -> StoredFile | None:
        """The upload as a file of this machine: the store's own, or `target`, written whole. None as with `image`.

        Never holds more than a piece of it in memory.
        """

    async def replace(self, old: Job, new: Job) -> bool:
        """Stores `new`, which a verb made of `old`, if the store still holds `old` (by revision).

        False, and nothing changed, where it does not: of several that start from the same `old` exactly one wins.
        In the same transaction an upload is dropped when its job is cancelled, or done with no page given up, and a
        password that was the wrong one when its job ends of that; a
        cancelled job forgets the pages that were not read; one that is queued again queues those that were given up.
        """

    async def open_pages(self, old: Job, new: Job, pages: Sequence[Page]) -> bool:
        """As `replace`, for `new` that `Job.opened` made; its pages are stored in the same transaction."""

    async def page(self, job_id: str, number: int) -> tuple[Job, Page] | None:
        """A page and its job, neither with results; None where there is no such page."""

    async def unsettled(self, job_id: str) -> list[Page]:
        """The pages of a job that are queued or processing, by number."""

    async def replace_page(self, old: Page, new: Page, now: datetime) -> PageChange | None:
        """Stores `new`, which a verb made of `old`, and what `job_after` makes of its job, in one transaction.

        None, and nothing changed, where the store no longer holds `old` (by revision), or the job has ended.
        The upload is dropped as with `replace`.
        """

    async def pages_left(self) -> int:
        """Pages of all unfinished jobs that are neither read nor given up; 1 of a file not opened yet."""

    async def unfinished(self) -> list[Job]:
        """Every queued or processing job, oldest first: by `created_at`, then by id; of paged ones nothing read."""

    async def counts(self) -> Mapping[JobState, int]:
        """How many jobs are in each state; every state is a key."""

    async def backlog(self, owner: str | None = None) -> Backlog:
        """What is queued or processing, of everybody or of one owner."""

    async def dead_letters(
        self, *, code: str | None = None, owner: str | None = None, after: Cursor | None = None, limit: int = 50
    ) -> Listing:
        """At most `limit` (1 or more) dead letters, newest first: by `updated_at`, then by id.

        With `code` only those whose error has it, with `owner` only those of that owner.
        """

    async def delete(self, job: Job) -> bool:
        """Forgets a terminal job and its image, if the store still holds `job` (by revision); False where it does not.

        Its id stays taken, and `was_deleted` knows it. Raises ValueError for a job that is not terminal.
        """

    async def was_deleted(self, job_id: str, owner: str | None = None) -> bool:
        """True for the id of a job that `delete` removed; with `owner` only where it was that owner's."""

    async def finished(self, before: datetime, limit: int) -> list[Job]:
        """At most `limit` jobs that became `done` or `cancelled` before that moment, by `updated_at`, then by id.

        Of paged ones nothing that was read.
        """

    async def expired(self, now: datetime, limit: int) -> list[Job]:
        """At most `limit` jobs whose `expires_at` has come, by that, then by id; of paged ones nothing read."""

    async def kept_uploads(self, now: datetime, kept: timedelta | None, limit: int) -> list[str]:
        """Ids of at most `limit` jobs that are `done`, no page given up, and still have their uploads, for longer than
        their `keep_hours`, or than `kept` where they have none; None: whatever they have, that were done before `now`.
        By `updated_at`, then by id.
        """

    async def drop_upload(self, job_id: str) -> bool:
        """Forgets the upload of a job that is `done` with no page given up; False, and nothing changed, otherwise."""

    async def listed(self, wanted: JobFilter, after: Cursor | None = None, limit: int = 50) -> Listing:
        """At most `limit` (1 or more) jobs, newest first: by `created_at`, then by id. Nothing of what was read.

        A Cursor here is a place by `created_at`.
        """

    async def changes(self, after: Cursor, limit: int, owner: str | None = None) -> list[JobChange]:
        """At most `limit` jobs that last changed their state after that, as they are now; oldest first, as a Cursor
        orders them. With `owner` only that owner's.
        """

    async def submitted(self, owner: str, key: str, since: datetime) -> AlreadySubmitted | None:
        """What the owner's key stands for, of what was submitted since then; None where it stands for nothing."""

    async def forget_repeats(self, before: datetime) -> int:
        """Forgets the keys of what was submitted before that moment; how many."""

    async def minutes(self, since: datetime) -> list[Minute]:
        """The minutes that begin at that moment or later and in which a page ended, oldest first.

        A page is counted in the transaction that ends it, and stays counted though its job is deleted.
        """

    async def forget_minutes(self, before: datetime) -> int:
        """Forgets the counts of minutes that began before that moment; how many rows they were."""

    async def free_bytes(self) -> int | None:
        """Bytes left for images where the store keeps them; None where it cannot tell."""

    async def check(self) -> None:
        """Returns if a write could be made durable now; raises StoreError otherwise. Leaves no trace."""

    async def close(self) -> None:
        """Waits for writes under way and closes; later calls of other methods raise StoreError. Twice is harmless."""
