"""A JobStore that measures how long the operations of the store within take."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime

from persistence.job import Job, JobState
from persistence.store import Backlog, Cursor, JobStore, Page


class ObservedStore:
    """Passes everything on to the store within, and tells how long it took."""

    def __init__(self, store: JobStore, on_use: Callable[[str, float], None]) -> None:
        """`on_use` is told the operation's name and its seconds, failed ones included."""
        self._store = store
        self._on_use = on_use

    async def add(self, job: Job, image: bytes) -> None:
        with self._timed("add"):
            await self._store.add(job, image)

    async def get(self, job_id: str) -> Job | None:
        with self._timed("get"):
            return await self._store.get(job_id)

    async def image(self, job_id: str) -> bytes | None:
        with self._timed("image"):
            return await self._store.image(job_id)

    async def replace(self, old: Job, new: Job) -> bool:
        with self._timed("replace"):
            return await self._store.replace(old, new)

    async def unfinished(self) -> list[Job]:
        with self._timed("unfinished"):
            return await self._store.unfinished()

    async def counts(self) -> Mapping[JobState, int]:
        with self._timed("counts"):
            return await self._store.counts()

    async def backlog(self, owner: str | None = None) -> Backlog:
        with self._timed("backlog"):
            return await self._store.backlog(owner)

    async def dead_letters(
        self, *, code: str | None = None, owner: str | None = None, after: Cursor | None = None, limit: int = 50
    ) -> Page:
        with self._timed("dead_letters"):
            return await self._store.dead_letters(code=code, owner=owner, after=after, limit=limit)

    async def delete(self, job: Job) -> bool:
        with self._timed("delete"):
            return await self._store.delete(job)

    async def was_deleted(self, job_id: str, owner: str | None = None) -> bool:
        with self._timed("was_deleted"):
            return await self._store.was_deleted(job_id, owner)

    async def finished(self, before: datetime, limit: int) -> list[Job]:
        with self._timed("finished"):
            return await self._store.finished(before, limit)

    async def free_bytes(self) -> int | None:
        return await self._store.free_bytes()

    async def check(self) -> None:
        with self._timed("check"):
            await self._store.check()

    async def close(self) -> None:
        await self._store.close()

    @contextmanager
    def _timed(self, operation: str) -> Iterator[None]:
        begun = time.perf_counter()
        try:
            yield
        finally:
            self._on_use(operation, time.perf_counter() - begun)
