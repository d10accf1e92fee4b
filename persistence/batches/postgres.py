"""The BatchStore beside the jobs of a PostgresStore, in its database."""

import asyncio
from collections.abc import Sequence, Set

from persistence.batches import postgres_rows
from persistence.batches.batch import Batch, BatchFile, BatchListing, BatchState, NewJob
from persistence.batches.uploads import at_hand
from persistence.cursor import Cursor
from persistence.job import Job
from persistence.postgres import entry_table, repeats, uploads
from persistence.postgres import pages as page_rows
from persistence.postgres.connection import Connection, Connections, storable
from persistence.queue import Unit
from persistence.repeat import Repeat
from persistence.store import EqualGone, JobExists

ANSWERED = "SELECT id FROM jobs WHERE batch_id = $1 AND batch_id != '' AND status = 'done' AND attempt = 0"


class PostgresBatches:
    """What a PostgresStore keeps of batches, through its connections."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    async def add(
        self, batch: Batch, files: Sequence[BatchFile], jobs: Sequence[NewJob], repeat: Repeat | None = None
    ) -> Set[str]:
        async def work(connection: Connection, again: bool) -> Set[str]:
            if repeat is not None:
                await repeats.insert(connection, repeat, batch.id, batch.created_at)
            if not await postgres_rows.insert(connection, batch, files):
                if again and await postgres_rows.get(connection, batch.id):
                    # an earlier try of this addition was committed, its answer lost
                    return {record["id"] for record in await connection.fetch(ANSWERED, batch.id)}
                raise JobExists(f"there is or was a batch {batch.id}")
            return {new.job.id for new in jobs if await _add(connection, new)}

        return await self._connections.write(work)

    async def get(self, batch_id: str) -> BatchState | None:
        if not storable(batch_id):
            return None
        return await self._connections.read(lambda connection: postgres_rows.get(connection, batch_id))

    async def listed(self, owner: str | None, after: Cursor | None = None, limit: int = 50) -> BatchListing:
        if after is not None and not storable(after.id):
            return BatchListing(batches=(), next=None)
        return await self._connections.read(lambda connection: postgres_rows.listed(connection, owner, after, limit))

    async def files(self, batch_id: str, after: int, limit: int) -> list[BatchFile]:
        return await self._connections.read(lambda connection: postgres_rows.files(connection, batch_id, after, limit))

    async def cancel(self, batch_id: str) -> None:
        async def work(connection: Connection, _: bool) -> None:
            await connection.execute("UPDATE batches SET cancelled = true WHERE id = $1", batch_id)

        await self._connections.write(work)


async def _add(connection: Connection, new: NewJob) -> bool:
    """Whether it is done, as its equal is."""
    job = new.job
    if not await page_rows.insert_job(connection, job):
        raise JobExists(f"there is or was a job {job.id}")
    answered = await _answered(connection, new)
    if answered is not None:
        if answered.keeps_upload:
            await uploads.insert(connection, job.id, await asyncio.to_thread(at_hand, new.upload))
        return True
    await uploads.insert(connection, job.id, await asyncio.to_thread(at_hand, new.upload))
    await page_rows.insert(connection, job, new.pages)
    if not new.pages:
        await entry_table.enqueue(connection, Unit.of(job))
    return False


async def _answered(connection: Connection, new: NewJob) -> Job | None:
    if new.equal is None or new.answered is None:
        return None
    try:
        await page_rows.copy(connection, new.equal, new.job)
    except EqualGone:
        return None
    return new.answered if await page_rows.update_job(connection, new.job, new.answered) else None
