"""How often the store is asked what waits, and what is known without."""

from typing import cast

import pytest

from app.jobs.admission import BACKLOG_SECONDS, ROOM_SECONDS, Admission, Limits, MemoryShort
from persistence.queue import QueueFull
from persistence.store import Backlog, JobStore

pytestmark = pytest.mark.anyio

LIMIT = 1000


class Waiting:
    """A store in which so many bytes wait, and its clock."""

    def __init__(self, image_bytes: int = 0) -> None:
        self.image_bytes = image_bytes
        self.asked = 0
        self.now = 0.0

    async def free_bytes(self) -> None:
        return None

    async def backlog(self, owner: str | None = None) -> Backlog:
        self.asked += 1
        return Backlog(jobs=0, image_bytes=self.image_bytes, oldest=None)

    def admission(self) -> Admission:
        limits = Limits(max_waiting_bytes=LIMIT, min_free_disk=0, min_free_memory=0, max_jobs_per_key=0)
        return Admission(cast(JobStore, self), limits, clock=lambda: self.now)


async def add(admission: Admission, store: Waiting, size: int) -> None:
    async with admission.admit("", size):
        store.image_bytes += size


async def test_while_half_of_the_room_is_left_the_store_is_asked_once_a_second() -> None:
    store = Waiting()
    admission = store.admission()
    for _ in range(4):
        await add(admission, store, 100)
    assert store.asked == 1
    store.now += BACKLOG_SECONDS
    await add(admission, store, 100)
    assert store.asked == 2


async def test_beyond_half_of_the_room_every_upload_asks_and_none_gets_past_the_limit() -> None:
    store = Waiting()
    admission = store.admission()
    for _ in range(10):
        await add(admission, store, 100)
    assert store.image_bytes == LIMIT
    assert store.asked == 6  # the first, and those that would go beyond 500
    with pytest.raises(QueueFull):
        await add(admission, store, 1)
    store.image_bytes = 0  # all of it was read
    await add(admission, store, 100)


async def test_ample_room_is_looked_at_once_a_second_and_little_for_each_upload() -> None:
    store, looked = Waiting(), []
    free = 1000

    def memory() -> int:
        looked.append(free)
        return free

    limits = Limits(max_waiting_bytes=10**6, min_free_disk=0, min_free_memory=100, max_jobs_per_key=0)
    admission = Admission(cast(JobStore, store), limits, memory, clock=lambda: store.now)
    for _ in range(4):
        await add(admission, store, 25)  # an eighth of 1000 - 200, together
    assert len(looked) == 1
    await add(admission, store, 25)
    assert len(looked) == 2
    store.now += ROOM_SECONDS
    free = 199  # enough, but no longer twice as much
    for _ in range(3):
        await add(admission, store, 1)
    assert len(looked) == 5
    free = 99
    with pytest.raises(MemoryShort):
        await add(admission, store, 1)


async def test_bytes_of_a_batch_and_of_uploads_on_their_way_count_at_once() -> None:
    store = Waiting()
    admission = store.admission()
    async with admission.admit("", 300):
        asked = store.asked
        async with admission.admit_many("", [100, 100]) as (held, lacking):
            assert (held, lacking) == (2, None)
            store.image_bytes += 200
        store.image_bytes += 300
        asked_before = store.asked
        await add(admission, store, 200)
        assert store.asked == asked_before + 1 > asked
