"""Admission control: refuses uploads while too many bytes wait, disk or memory is short, or a key's quota is used."""

import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from msgspec import Struct

from config import machine
from persistence.job import ANYBODY
from persistence.queue import QueueFull
from persistence.store import JobStore, StoreFull

BACKLOG_SECONDS = 1.0
"""How long the bytes that waited are not asked for again while half of the room is left: that half is for what other
nodes and requeued jobs add meanwhile. To ask sums up all that waits, in another thread, for each upload."""

ROOM_SECONDS = 1.0
"""How long the room on disk and in memory is not looked at again where more than twice as much was free as has to be.
To look opens three files and asks for the disk, for each upload."""
SHARE_OF_ROOM = 8
"""One of so many parts of what is free beyond that may come in meanwhile: what is uploaded is in the write-ahead log,
in the file and in a worker, and others fill the machine as well."""


class MemoryShort(Exception):
    """Less memory can be had than the floor that was set."""


class QuotaExceeded(Exception):
    """The key has as many unfinished jobs as it may have."""


class Limits(Struct, frozen=True, kw_only=True):
    """Bytes, and jobs of one key; 0 jobs: no limit."""

    max_waiting_bytes: int
    min_free_disk: int
    min_free_memory: int
    max_jobs_per_key: int


class Admission:
    """Asked before anything is stored."""

    def __init__(
        self,
        store: JobStore,
        limits: Limits,
        free_memory: Callable[[], int] = machine.available_memory,
        quota_of: Callable[[str], int | None] = lambda _: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`quota_of` an owner: how many unfinished jobs it may have (0: no limit); None: as Limits say."""
        self._store = store
        self._limits = limits
        self._free_memory = free_memory
        self._quota_of = quota_of
        self._incoming_bytes = 0
        self._incoming_jobs: Counter[str] = Counter()
        self._clock = clock
        self._admitted_bytes = 0
        """Of all uploads so far."""
        self._asked = (0, float("-inf"), 0)
        """Admitted bytes when the store was last asked what waits, when that was, and what it told."""
        self._looked = (0, float("-inf"), 0)
        """Admitted bytes when the room was last looked at, when that was, and what was beyond twice the floors then."""

    async def short_of(self) -> StoreFull | MemoryShort | None:
        """What the machine has too little of; None where it has enough."""
        shortage, _ = await self._room()
        return shortage

    async def _room(self) -> tuple[StoreFull | MemoryShort | None, int]:
        """What there is too little of, and how many bytes are free beyond twice what has to be."""
        disk, memory = await self._store.free_bytes(), self._free_memory()
        least_disk, least_memory = self._limits.min_free_disk, self._limits.min_free_memory
        if disk is not None and disk < least_disk:
            return StoreFull(f"{disk} bytes are free on the store's disk, {least_disk} are asked for"), 0
        if memory < least_memory:
            return MemoryShort(f"less than {least_memory} bytes of memory can be had"), 0
        spare = memory - 2 * least_memory
        return None, spare if disk is None else min(spare, disk - 2 * least_disk)

    async def _require_room(self, size: int) -> None:
        """Raises StoreFull, MemoryShort. `size`: bytes that come now, not counted yet."""
        admitted, moment, spare = self._looked
        taken = self._admitted_bytes - admitted + self._incoming_bytes + size
        if self._clock() - moment < ROOM_SECONDS and taken <= spare // SHARE_OF_ROOM:
            return
        admitted, moment = self._admitted_bytes, self._clock()
        shortage, spare = await self._room()
        if shortage:
            raise shortage
        self._looked = admitted, moment, spare

    @asynccontextmanager
    async def admit(self, owner: str, size: int) -> AsyncIterator[None]:
        """Holds the room for one image of `size` bytes while it is stored.

        Raises QueueFull (too many bytes wait), StoreFull, MemoryShort or QuotaExceeded.
        """
        await self._require_room(size)
        # counted before the store is asked, so that uploads at the same moment see each other
        self._incoming_bytes += size
        try:
            await self._check_backlog()
            async with self.one_more(owner):
                yield
        finally:
            self._incoming_bytes -= size
            self._admitted_bytes += size

    @asynccontextmanager
    async def admit_many(self, owner: str, sizes: Sequence[int]) -> AsyncIterator[tuple[int, Exception | None]]:
        """Holds the room for as many of these images as there is room for, from the first on, while they are stored.

        How many they are, and what the next one lacks. Raises StoreFull, MemoryShort.
        """
        if shortage := await self.short_of():
            raise shortage
        held, size, lacking = len(sizes), sum(sizes), None
        self._incoming_bytes += size
        self._incoming_jobs[owner] += held
        try:
            # as with single ones: counted before the store is asked
            room = self._limits.max_waiting_bytes - (await self._store.backlog()).image_bytes - self._incoming_bytes
            over = await self._over_quota(owner)
            while held and (room < 0 or over > 0):
                held -= 1
                lacking = self._exceeded(owner) if over > 0 else QueueFull()
                size, room, over = size - sizes[held], room + sizes[held], over - 1
                self._incoming_bytes -= sizes[held]
                self._incoming_jobs[owner] -= 1
            yield held, lacking
        finally:
            self._incoming_bytes -= size
            self._admitted_bytes += size
            self._incoming_jobs[owner] -= held
            if not self._incoming_jobs[owner]:
                del self._incoming_jobs[owner]

    @asynccontextmanager
    async def one_more(self, owner: str) -> AsyncIterator[None]:
        """Holds the room for one more unfinished job of the key. Raises QuotaExceeded."""
        self._incoming_jobs[owner] += 1
        try:
            await self._check_quota(owner)
            yield
        finally:
            self._incoming_jobs[owner] -= 1
            if not self._incoming_jobs[owner]:
                del self._incoming_jobs[owner]

    async def _check_backlog(self) -> None:
        admitted, moment, waiting = self._asked
        most = waiting + self._admitted_bytes - admitted + self._incoming_bytes
        if self._clock() - moment < BACKLOG_SECONDS and most <= self._limits.max_waiting_bytes // 2:
            return
        admitted, moment = self._admitted_bytes, self._clock()
        waiting = (await self._store.backlog()).image_bytes
        self._asked = max(self._asked, (admitted, moment, waiting))
        if waiting + self._incoming_bytes > self._limits.max_waiting_bytes:
            raise QueueFull

    async def _check_quota(self, owner: str) -> None:
        if await self._over_quota(owner) > 0:
            raise self._exceeded(owner)

    async def _over_quota(self, owner: str) -> int:
        """How many of the key's unfinished jobs, with those that are coming in, are too many."""
        if not self._allowed(owner):
            return 0
        return (await self._store.backlog(owner)).jobs + self._incoming_jobs[owner] - self._allowed(owner)

    def _allowed(self, owner: str) -> int:
        own = self._quota_of(owner)
        allowed = self._limits.max_jobs_per_key if own is None else own
        return 0 if owner == ANYBODY else allowed

    def _exceeded(self, owner: str) -> QuotaExceeded:
        return QuotaExceeded(f"this key has as many unfinished jobs as it may have, which are {self._allowed(owner)}")
