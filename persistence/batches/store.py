"""The port BatchStore: what every store promises of batches, in addition to what it promises of their jobs."""

from collections.abc import Sequence, Set
from typing import Protocol

from persistence.batches.batch import Batch, BatchFile, BatchListing, BatchState, NewJob
from persistence.cursor import Cursor
from persistence.repeat import Repeat


class BatchStore(Protocol):
    """Batches beside the jobs of a JobStore, whose promises about durability and errors hold here, too.

    What becomes of a batch follows from its jobs, in the transactions that change those: `unfinished` and `ended_at`
    from their states, and when the last of its jobs is deleted, so is the batch; `JobStore.was_deleted` knows its id.
    """

    async def add(
        self, batch: Batch, files: Sequence[BatchFile], jobs: Sequence[NewJob], repeat: Repeat | None = None
    ) -> Set[str]:
        """Stores batch, files and jobs in one step: all are there afterwards, or nothing. Jobs name the batch.

        The ids of those that are `answered` by then: the store held their equals (by revision). The others wait.
        Raises JobExists, or AlreadySubmitted as JobStore.add; the key stands for the batch from then on. Files of
        uploads that are left where they were are still their giver's.
        """

    async def get(self, batch_id: str) -> BatchState | None:
        """The batch as it stands; None where the id is unknown."""

    async def listed(self, owner: str | None, after: Cursor | None = None, limit: int = 50) -> BatchListing:
        """At most `limit` (1 or more) batches, of everybody or of one owner, newest first: by `created_at`, then id."""

    async def files(self, batch_id: str, after: int, limit: int) -> list[BatchFile]:
        """At most `limit` of its files, in their order, from the one after that number on."""

    async def cancel(self, batch_id: str) -> None:
        """Notes that its owner wants none of what is unfinished. Its jobs are cancelled by their own verb."""
