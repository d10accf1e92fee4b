"""The BatchStore over another one, its uploads in object storage: as ObjectImages is over a JobStore."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence, Set

import msgspec

from persistence.batches.batch import Batch, BatchFile, BatchListing, BatchState, NewJob
from persistence.batches.store import BatchStore
from persistence.cursor import Cursor
from persistence.repeat import AlreadySubmitted, Repeat
from persistence.tasks import Writes
from persistence.upload import Upload

PUTS_AT_ONCE = 8
"""Objects of one batch that are written at a time."""


class ObjectBatches:
    """Writes the objects first, then all rows in one transaction; objects without rows are the sweep's."""

    def __init__(
        self,
        batches: BatchStore,
        put: Callable[[str, Upload], Awaitable[Upload]],
        delete: Callable[[Upload], Awaitable[None]],
        writes: Writes,
    ) -> None:
        """`put`: makes the object of a job's upload, and gives the row that names it; `delete` undoes that."""
        self._batches = batches
        self._put = put
        self._delete = delete
        self._writes = writes

    async def add(
        self, batch: Batch, files: Sequence[BatchFile], jobs: Sequence[NewJob], repeat: Repeat | None = None
    ) -> Set[str]:
        async def write() -> Set[str]:
            places = asyncio.Semaphore(PUTS_AT_ONCE)

            async def put(new: NewJob) -> NewJob:
                async with places:
                    return msgspec.structs.replace(new, upload=await self._put(new.job.id, new.upload))

            done = await asyncio.gather(*map(put, jobs), return_exceptions=True)
            for failed in done:
                if isinstance(failed, BaseException):
                    raise failed
            named = [new for new in done if isinstance(new, NewJob)]
            try:
                answered = await self._batches.add(batch, files, named, repeat)
            except AlreadySubmitted:
                for new in named:
                    await self._delete(new.upload)
                raise
            for new in named:
                if new.job.id in answered and not new.job.options.keep_upload:
                    await self._delete(new.upload)
            return answered

        return await self._writes.carry_out(write())

    async def get(self, batch_id: str) -> BatchState | None:
        return await self._batches.get(batch_id)

    async def listed(self, owner: str | None, after: Cursor | None = None, limit: int = 50) -> BatchListing:
        return await self._batches.listed(owner, after, limit)

    async def files(self, batch_id: str, after: int, limit: int) -> list[BatchFile]:
        return await self._batches.files(batch_id, after, limit)

    async def cancel(self, batch_id: str) -> None:
        await self._batches.cancel(batch_id)
