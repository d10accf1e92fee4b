"""The port JobStore: what every store of jobs promises, and its errors."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol, Self

from msgspec import Struct

from persistence.job import Job, JobState


class StoreError(Exception):
    """The store could not do it now; nothing was changed. Trying again later may help."""


class StoreFull(StoreError):
    """No room left on the device, or the database's size limit is reached."""


class StoreUnusable(Exception):
    """It cannot be opened: corrupt, newer than this program, in use, not writable, no store. Left untouched."""


class JobExists(Exception):
    """The id is taken: by a job of the store, or by one that was deleted. Nothing was changed."""


class Cursor(Struct, frozen=True, kw_only=True):
    """Where a page ended: the next one goes on after this job, whatever became of it meanwhile."""

    updated_at: datetime
    id: str


class Page(Struct, frozen=True, kw_only=True):
    """Some jobs of a longer list."""

    jobs: tuple[Job, ...]
    next: Cursor | None
    """Where to go on; None: nothing follows."""

    @classmethod
    def of(cls, jobs: Sequence[Job], limit: int) -> Self:
        """The first `limit` of `jobs`, of which there is one more where anything follows."""
        page = tuple(jobs[:limit])
        last = page[-1] if len(jobs) > limit else None
        return cls(jobs=page, next=Cursor(updated_at=last.updated_at, id=last.id) if last else None)


class Backlog(Struct, frozen=True, kw_only=True):
    """Work that was accepted and has not ended."""

    jobs: int
    image_bytes: int
    oldest: datetime | None
    """When the oldest of them was submitted; None where there is none."""


class JobStore(Protocol):
    """Where the truth about jobs lives.

    Every write is durable when it returns, and every read that begins afterwards sees it. Every method raises
    StoreError, having changed nothing (or, where a server was lost in the middle of a write, perhaps all of it), and
    works again by itself once the cause is gone. A write once asked for is carried out: cancelling its caller gives up
    the answer, not the write, and `close` waits for it.
    """

    async def add(self, job: Job, image: bytes) -> None:
        """Stores job and image in one transaction: both are there afterwards, or neither. Raises JobExists."""

    async def get(self, job_id: str) -> Job | None:
        """The job as last stored; None where the id is unknown."""

    async def image(self, job_id: str) -> bytes | None:
        """The uploaded bytes; None where the job is unknown or its image was dropped with a final state."""

    async def replace(self, old: Job, new: Job) -> bool:
        """Stores `new`, which a verb made of `old`, if the store still holds `old` (by revision).

        False, and nothing changed, where it does not: of several that start from the same `old` exactly one wins.
        An image is dropped in the same transaction when its job becomes `done` or `cancelled`.
        """

    async def unfinished(self) -> list[Job]:
        """Every queued or processing job, oldest first: by `created_at`, then by id."""

    async def counts(self) -> Mapping[JobState, int]:
        """How many jobs are in each state; every state is a key."""

    async def backlog(self, owner: str | None = None) -> Backlog:
        """What is queued or processing, of everybody or of one owner."""

    async def dead_letters(
        self, *, code: str | None = None, owner: str | None = None, after: Cursor | None = None, limit: int = 50
    ) -> Page:
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
        """At most `limit` jobs that became `done` or `cancelled` before that moment, by `updated_at`, then by id."""

    async def free_bytes(self) -> int | None:
        """Bytes left for images where the store keeps them; None where it cannot tell."""

    async def check(self) -> None:
        """Returns if a write could be made durable now; raises StoreError otherwise. Leaves no trace."""

    async def close(self) -> None:
        """Waits for writes under way and closes; later calls of other methods raise StoreError. Twice is harmless."""
