"""What every store promises, and how one is opened."""

from collections.abc import Mapping
from typing import Protocol

from persistence.job import Job, JobState


class StoreError(Exception):
    """The store could not do it now; nothing was changed. Trying again later may help."""


class StoreFull(StoreError):
    """No room left on the device, or the database's size limit is reached."""


class StoreUnusable(Exception):
    """The store cannot be opened: corrupt, newer than this program, not writable, or no store at all. Left untouched."""


class JobStore(Protocol):
    """Where the truth about jobs lives. Every write is durable when it returns; every method raises StoreError."""

    async def add(self, job: Job, image: bytes) -> None:
        """Stores job and image in one transaction: both are there afterwards, or neither."""

    async def get(self, job_id: str) -> Job | None:
        """The job as last stored; None where the id is unknown."""

    async def image(self, job_id: str) -> bytes | None:
        """The uploaded bytes; None where the job is unknown or its image was dropped with a final state."""

    async def replace(self, old: Job, new: Job) -> bool:
        """Stores `new` if the store still holds `old` (by revision); False, and nothing changed, where it does not.

        An image is dropped in the same transaction when its job becomes `done` or `cancelled`.
        """

    async def unfinished(self) -> list[Job]:
        """Every queued or processing job, oldest first."""

    async def counts(self) -> Mapping[JobState, int]:
        """How many jobs are in each state; every state is a key."""

    async def check(self) -> None:
        """Returns if a write could be made durable now; raises StoreError otherwise. Leaves no trace."""

    async def close(self) -> None:
        """Waits for writes under way and closes. Twice is harmless."""


async def open_store(url: str) -> JobStore:
    """Opens, and migrates where needed, the store that the URL names: `sqlite:///relative` or `sqlite:////absolute`.

    Raises StoreUnusable, and leaves the file as it was, where that cannot be done.
    """
    scheme, separator, rest = url.partition("://")
    if scheme == "sqlite" and separator and rest.startswith("/") and len(rest) > 1:
        from persistence.sqlite import SqliteStore

        return await SqliteStore.open(rest[1:])
    raise StoreUnusable(f"DATABASE_URL {url!r} names no known store; use sqlite:///path/to/jobs.db")
