"""Uploads that stay after their jobs are done, and go after KEEP_UPLOADS_HOURS or what the job asked for, or earlier
for want of room.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from loguru import logger

from app import clock
from app.jobs.admission import Admission
from persistence.store import JobStore, StoreFull

UPLOADS_LOOK_SECONDS = 20.0
"""From one look to the next."""
DROPPED_AT_ONCE = 100
"""Uploads that are dropped between two looks at the room that is left. Each is a write of its own."""


class KeptUploads:
    """Drops what is due; while the disk is short of room the oldest ones first, so that new ones can be taken."""

    def __init__(
        self, store: JobStore, kept: timedelta, admission: Admission, now: Callable[[], datetime] = clock.now
    ) -> None:
        self._store = store
        self._kept = kept
        self._admission = admission
        self._now = now

    async def expire(self) -> int:
        """Drops what is due, and gives the number. Harmless on several nodes at once. Raises StoreError."""
        dropped = 0
        while due := await self._due():
            for job_id in due:
                dropped += await self._store.drop_upload(job_id)
        if dropped:
            logger.bind(event="uploads.dropped", uploads=dropped).info("uploads of finished jobs dropped")
        return dropped

    async def _due(self) -> list[str]:
        is_short = isinstance(await self._admission.short_of(), StoreFull)
        return await self._store.kept_uploads(self._now(), None if is_short else self._kept, DROPPED_AT_ONCE)
