"""What a cancellation promises on every store, whatever else happens to the job at the same moment."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import pytest

from app.jobs.cancellation import AlreadyEnded, Cancellation
from app.jobs.events import JobEvents, Listeners
from app.jobs.queueing.local_queue import LocalQueue
from app.jobs.reading.dispatcher import Dispatcher
from app.jobs.reading.readings import Readings
from app.jobs.reading.retry import RetryPolicy
from persistence.job import Job, JobState
from persistence.page import new_pages
from persistence.queue import Unit
from persistence.store import JobStore
from persistence.upload import Upload
from tests.contract.jobs import RESULT, after, job
from tests.dispatching import dispatcher_of
from tests.job_events import Told
from tests.scripted_pool import ScriptedPool, text_result

pytestmark = pytest.mark.anyio

IMAGE = b"image"
POLICY = RetryPolicy(max_attempts=3, base_seconds=1, max_seconds=60)


class Overtaken:
    """A store in which another change is always just before the first one."""

    def __init__(self, store: JobStore, change: Callable[[JobStore, Job], Awaitable[object]]) -> None:
        self._store = store
        self._change: Callable[[JobStore, Job], Awaitable[object]] | None = change

    async def replace(self, old: Job, new: Job) -> bool:
        change, self._change = self._change, None
        if change is not None:
            await change(self._store, old)
        return await self._store.replace(old, new)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


def cancellation(store: JobStore | Overtaken, told: JobEvents) -> Cancellation:
    return Cancellation(store, LocalQueue(limit=10), told)


async def held(store: JobStore, pool: ScriptedPool, dispatcher: Dispatcher) -> tuple[Job, "asyncio.Task[float | None]"]:
    """A job that the dispatcher has claimed, and its attempt, which goes on when the pool is released."""
    pool.hold()
    await store.add(job(), Upload.of(IMAGE))
    reading = asyncio.create_task(dispatcher.handle(Unit("a")))
    await pool.started.acquire()
    claimed = await store.get("a")
    assert claimed is not None
    return claimed, reading


async def claim(store: JobStore, queued: Job) -> None:
    assert await store.replace(queued, queued.claimed(after(1)))


async def end(store: JobStore, queued: Job) -> None:
    await claim(store, queued)
    claimed = queued.claimed(after(1))
    assert await store.replace(claimed, claimed.completed(RESULT, after(2)))


async def cancel(store: JobStore, queued: Job) -> None:
    assert await store.replace(queued, queued.cancelled(after(1)))


async def cancel_and_delete(store: JobStore, queued: Job) -> None:
    await cancel(store, queued)
    assert await store.delete(queued.cancelled(after(1)))


async def test_a_cancelled_job_is_no_backlog_and_its_image_is_forgotten(store: JobStore) -> None:
    await store.add(job(owner="key"), Upload.of(IMAGE))
    cancelled = await cancellation(store, Told()).cancel(job(owner="key"))
    assert await store.get("a") == cancelled
    assert (await store.backlog("key")).jobs == 0
    assert (await store.backlog()).image_bytes == 0
    assert await store.image("a") is None
    assert await store.unfinished() == []


async def test_an_outcome_that_comes_after_the_cancellation_is_dropped_and_one_end_is_told(store: JobStore) -> None:
    told, pool = Told(), ScriptedPool(text_result("too late"))
    dispatcher = dispatcher_of(store, pool, POLICY, told)
    claimed, reading = await held(store, pool, dispatcher)
    cancelled = await cancellation(store, told).cancel(claimed)
    pool.release()
    assert await reading is None
    assert await store.get("a") == cancelled
    assert told.changes == [(JobState.QUEUED, JobState.PROCESSING), (JobState.PROCESSING, JobState.CANCELLED)]
    assert told.dropped == [claimed]


@pytest.mark.parametrize("deleted", [False, True])
async def test_what_is_read_of_a_cancelled_job_is_stopped_and_its_other_pages_are_not_read(
    store: JobStore, deleted: bool
) -> None:
    told, pool, readings = Told(), ScriptedPool(), Readings(grace=0)
    dispatcher = dispatcher_of(store, pool, POLICY, told, readings=readings)
    paged = msgspec.structs.replace(job(), paged=True, pages_total=2)
    await store.add(paged, Upload.of(IMAGE), new_pages(paged, [1, 2], after(0)))
    pool.hold()
    reading = asyncio.create_task(dispatcher.handle(Unit("a", 1)))
    await pool.started.acquire()
    found = await store.get("a")
    assert found is not None
    cancelled = await cancellation(store, Listeners(told, readings)).cancel(found)
    assert cancelled is not None
    if deleted:
        assert await store.delete(cancelled)
    assert await reading is None
    assert pool.cancelled == 1, "the worker is free at once"
    assert await dispatcher.handle(Unit("a", 2)) is None
    assert len(pool.read) == 1
    assert ([each.id for each in told.dropped], told.missed) == (["a"], 0)


async def test_of_many_cancellations_at_once_one_is_told_and_all_answer_alike(store: JobStore) -> None:
    told = Told()
    await store.add(job(), Upload.of(IMAGE))
    cancelling = cancellation(store, told)
    answers = await asyncio.gather(*(cancelling.cancel(job()) for _ in range(8)))
    assert answers == [await store.get("a")] * 8
    assert told.changes == [(JobState.QUEUED, JobState.CANCELLED)]


async def test_a_dispatcher_that_claims_the_job_meanwhile_is_overruled(store: JobStore) -> None:
    told = Told()
    await store.add(job(), Upload.of(IMAGE))
    cancelled = await cancellation(Overtaken(store, claim), told).cancel(job())
    assert cancelled is not None
    assert cancelled.status is JobState.CANCELLED
    assert told.changes == [(JobState.PROCESSING, JobState.CANCELLED)]


async def test_an_outcome_that_is_stored_meanwhile_wins(store: JobStore) -> None:
    told = Told()
    await store.add(job(), Upload.of(IMAGE))
    with pytest.raises(AlreadyEnded):
        await cancellation(Overtaken(store, end), told).cancel(job())
    found = await store.get("a")
    assert found is not None
    assert (found.status, found.result) == (JobState.DONE, RESULT)
    assert told.changes == []


@pytest.mark.parametrize(("meanwhile", "answer"), [(cancel, job().cancelled(after(1))), (cancel_and_delete, None)])
async def test_who_is_overtaken_by_another_cancellation_answers_what_is_there(
    store: JobStore, meanwhile: Callable[[JobStore, Job], Awaitable[object]], answer: Job | None
) -> None:
    told = Told()
    await store.add(job(), Upload.of(IMAGE))
    assert await cancellation(Overtaken(store, meanwhile), told).cancel(job()) == answer
    assert told.changes == []
