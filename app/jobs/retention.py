"""Deletes finished jobs after KEEP_FINISHED_DAYS."""

from collections.abc import Callable
from datetime import datetime, timedelta

from loguru import logger

from app import clock
from app.jobs.events import JobEvents
from persistence.store import JobStore

EXPIRY_SECONDS = 60.0
"""From one look to the next."""
EXPIRY_BATCH_JOBS = 100
"""Jobs that are read at a time. Each is deleted by a write of its own, so that uploads wait for one at most."""


class Retention:
    """Deletes jobs that have been `done` or cancelled for long; dead letters stay until a person deletes them."""

    def __init__(
        self, store: JobStore, kept: timedelta, events: JobEvents, now: Callable[[], datetime] = clock.now
    ) -> None:
        self._store = store
        self._kept = kept
        self._events = events
        self._now = now

    async def expire(self) -> int:
        """Deletes what is due, and gives the number. Harmless on several nodes at once. Raises StoreError."""
        due, expired = self._now() - self._kept, 0
        while jobs := await self._store.finished(due, EXPIRY_BATCH_JOBS):
            for job in jobs:
                if await self._store.delete(job):
                    self._events.deleted(job)
                    expired += 1
        if expired:
            logger.bind(event="jobs.expired", jobs=expired).info("finished jobs deleted, as KEEP_FINISHED_DAYS says")
        return expired
