"""Claim, recognise, store the outcome: with stores that fail, stops that interrupt, and restarts."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from app.clock import WallClock
from app.jobs.events import JobEvents
from app.jobs.queueing.local_queue import LocalQueue
from app.jobs.reading.dispatcher import DispatcherPauses
from app.jobs.reading.retry import RetryPolicy
from app.jobs.retention import Retention
from app.main import create_app
from config.settings import Settings
from ocr_engine.errors import PoolUnavailable
from persistence.job import Job, JobState
from persistence.queue import Unit
from persistence.store import JobStore, StoreError, Taken
from samples import sample
from tests.dispatching import POLICY, dispatcher_of, intake, stored, submitted
from tests.integration.conftest import connected
from tests.job_events import Told
from tests.scripted_pool import ScriptedPool, text_result

pytestmark = pytest.mark.anyio

PATIENT = RetryPolicy(max_attempts=3, base_seconds=100, max_seconds=100)
PNG = sample("health").data


async def test_one_attempt_takes_a_job_from_queued_to_done(store: JobStore) -> None:
    job = await submitted(store)
    told = Told()
    dispatcher = dispatcher_of(store, ScriptedPool(text_result("read")), POLICY, told)
    assert await dispatcher.handle(Unit(job.id)) is None
    done = await stored(store, job.id)
    assert (done.status, done.result and done.result.text, done.attempt) == (JobState.DONE, "read", 1)
    assert told.states == [JobState.PROCESSING, JobState.DONE]
    assert await store.image(job.id) is None


async def test_an_id_delivered_again_after_its_job_ended_is_acknowledged(store: JobStore) -> None:
    job, pool = await submitted(store), ScriptedPool()
    dispatcher = dispatcher_of(store, pool, POLICY, JobEvents())
    assert [await dispatcher.handle(Unit(job.id)) for _ in range(3)] == [None] * 3
    assert len(pool.images) == 1
    assert (await stored(store, job.id)).status is JobState.DONE


async def test_of_two_dispatchers_with_one_id_only_one_outcome_counts(store: JobStore) -> None:
    """No queue hands an id to two at once; should one do so all the same, the store lets one of them win."""
    job = await submitted(store)
    pool = ScriptedPool(text_result("first"), text_result("second"))
    told = Told()
    dispatcher = dispatcher_of(store, pool, POLICY, told)
    await asyncio.gather(dispatcher.handle(Unit(job.id)), dispatcher.handle(Unit(job.id)))
    assert told.states.count(JobState.DONE) <= 1
    while (await stored(store, job.id)).status is JobState.QUEUED:
        await dispatcher.handle(Unit(job.id))
    assert told.states.count(JobState.DONE) == 1


async def test_an_unknown_id_is_acknowledged(store: JobStore) -> None:
    assert await dispatcher_of(store, ScriptedPool(), POLICY, JobEvents()).handle(Unit("nobody")) is None


async def test_a_job_that_is_not_due_yet_is_asked_for_again(store: JobStore) -> None:
    job, pool = await submitted(store), ScriptedPool()
    early = job.due_at - timedelta(seconds=0.005)
    dispatcher = dispatcher_of(store, pool, POLICY, JobEvents(), now=lambda: early)
    assert await dispatcher.handle(Unit(job.id)) == pytest.approx(0.005)
    assert not pool.images


async def test_a_clock_that_was_set_back_holds_up_no_job(store: JobStore) -> None:
    job = await submitted(store)
    dispatcher = dispatcher_of(store, ScriptedPool(), POLICY, JobEvents(), now=lambda: datetime(2020, 1, 1, tzinfo=UTC))
    assert await dispatcher.handle(Unit(job.id)) is None
    done = await stored(store, job.id)
    assert done.status is JobState.DONE
    assert done.updated_at >= job.updated_at
    assert done.wait_seconds == 0


async def test_a_clock_that_is_set_while_a_job_waits_does_not_show_in_its_wait(store: JobStore) -> None:
    job = await submitted(store)
    wall, steady = job.due_at.timestamp(), 100.0
    clock = WallClock(lambda: wall, lambda: steady)
    wall, steady = wall + 86_400 + 4, steady + 4
    dispatcher = dispatcher_of(store, ScriptedPool(), POLICY, JobEvents(), now=clock.now, restated=clock.restated)
    assert await dispatcher.handle(Unit(job.id)) is None
    assert (await stored(store, job.id)).wait_seconds == pytest.approx(4)


async def test_a_pool_that_cannot_serve_costs_no_attempt(store: JobStore) -> None:
    job = await submitted(store)
    delay = await dispatcher_of(store, ScriptedPool(PoolUnavailable("none left")), POLICY, JobEvents()).handle(
        Unit(job.id)
    )
    back = await stored(store, job.id)
    assert delay is not None
    assert delay > 0
    assert (back.status, back.attempt, back.failures) == (JobState.QUEUED, 0, ())


async def test_an_unexpected_error_costs_an_attempt_and_strands_no_job(store: JobStore) -> None:
    job = await submitted(store)
    delay = await dispatcher_of(store, ScriptedPool(ZeroDivisionError("bug")), POLICY, JobEvents()).handle(Unit(job.id))
    again = await stored(store, job.id)
    assert delay is not None
    assert (again.status, again.failures[0].code) == (JobState.QUEUED, "internal")


async def test_an_outcome_is_written_as_soon_as_the_store_can(store: JobStore, monkeypatch: pytest.MonkeyPatch) -> None:
    job, replace, refusals = await submitted(store), store.replace, iter([StoreError("full")] * 3)

    async def sometimes(old: Job, new: Job) -> bool:
        if new.status is JobState.DONE and (refusal := next(refusals, None)):
            raise refusal
        return await replace(old, new)

    monkeypatch.setattr(store, "replace", sometimes)
    pool = ScriptedPool()
    await dispatcher_of(store, pool, POLICY, JobEvents(), pauses=DispatcherPauses(write=0.0)).handle(Unit(job.id))
    assert (await stored(store, job.id)).status is JobState.DONE
    assert len(pool.images) == 1


async def test_an_image_that_cannot_be_read_now_costs_no_attempt(
    store: JobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(_: str) -> bytes:
        raise StoreError("locked")

    take = store.take

    async def alone(job_id: str, begun: Callable[[Job], Job | None]) -> Taken | None:
        taken = await take(job_id, begun)
        return taken and msgspec.structs.replace(taken, image=None)

    job = await submitted(store)
    monkeypatch.setattr(store, "take", alone)
    monkeypatch.setattr(store, "image", broken)
    assert await dispatcher_of(store, ScriptedPool(), POLICY, JobEvents()).handle(Unit(job.id)) is not None
    assert (await stored(store, job.id)).attempt == 0


async def test_a_small_image_comes_with_its_job_in_one_step_of_the_store(
    store: JobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def another_step(_: str) -> bytes:
        raise AssertionError

    job, pool = await submitted(store), ScriptedPool()
    monkeypatch.setattr(store, "image", another_step)
    await dispatcher_of(store, pool, POLICY, JobEvents()).handle(Unit(job.id))
    assert (await stored(store, job.id)).status is JobState.DONE
    assert pool.images == [b"image"]


async def test_an_interrupted_job_is_back_in_the_store_with_its_attempt(store: JobStore) -> None:
    job, pool = await submitted(store), ScriptedPool()
    pool.hold()
    handling = asyncio.create_task(dispatcher_of(store, pool, POLICY, JobEvents()).handle(Unit(job.id)))
    await pool.started.acquire()
    handling.cancel()
    await asyncio.wait({handling})
    back = await stored(store, job.id)
    assert handling.cancelled()
    assert pool.cancelled == 1
    assert (back.status, back.attempt) == (JobState.QUEUED, 0)


async def test_a_cancellation_does_not_lose_an_outcome_that_is_being_written(
    store: JobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    job, replace, writing, go_on = await submitted(store), store.replace, asyncio.Event(), asyncio.Event()

    async def slowly(old: Job, new: Job) -> bool:
        if new.status is JobState.DONE:
            writing.set()
            await go_on.wait()
        return await replace(old, new)

    monkeypatch.setattr(store, "replace", slowly)
    handling = asyncio.create_task(dispatcher_of(store, ScriptedPool(), POLICY, JobEvents()).handle(Unit(job.id)))
    await writing.wait()
    handling.cancel()
    go_on.set()
    await asyncio.wait({handling})
    assert (await stored(store, job.id)).status is JobState.DONE


async def test_a_stop_gives_back_the_attempt_that_was_just_being_claimed(
    store: JobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    job, take, claiming, go_on = await submitted(store), store.take, asyncio.Event(), asyncio.Event()

    async def slowly(job_id: str, begun: Callable[[Job], Job | None]) -> Taken | None:
        taken = await take(job_id, begun)
        claiming.set()
        await go_on.wait()
        return taken

    monkeypatch.setattr(store, "take", slowly)
    told = Told()
    pool = ScriptedPool()
    dispatcher = dispatcher_of(store, pool, POLICY, told)
    handling = asyncio.create_task(dispatcher.handle(Unit(job.id)))
    await claiming.wait()
    handling.cancel()
    go_on.set()
    await asyncio.wait({handling})
    back = await stored(store, job.id)
    assert handling.cancelled()
    assert (back.status, back.attempt, pool.images) == (JobState.QUEUED, 0, [])
    assert told.states == [JobState.PROCESSING, JobState.QUEUED]


@pytest.mark.parametrize(("state", "missed"), [(JobState.CANCELLED, 0), (JobState.QUEUED, 1)])
async def test_an_outcome_that_comes_too_late_is_dropped(store: JobStore, state: JobState, missed: int) -> None:
    job, pool, told = await submitted(store), ScriptedPool(), Told()
    pool.hold()
    handling = asyncio.create_task(dispatcher_of(store, pool, POLICY, told).handle(Unit(job.id)))
    await pool.started.acquire()
    claimed = await stored(store, job.id)
    now = datetime.now(UTC)
    other = claimed.cancelled(now) if state is JobState.CANCELLED else claimed.interrupted(now)
    assert await store.replace(claimed, other)
    pool.release()
    assert await handling is None
    assert (await stored(store, job.id)).status is state
    assert ([each.id for each in told.dropped], told.missed) == ([job.id], missed)


async def test_rescue_queues_what_a_crash_left(store: JobStore) -> None:
    await submitted(store)
    running = await submitted(store)
    await store.replace(running, running.claimed(datetime.now(UTC)))
    queue = LocalQueue(limit=10)
    rescued = await intake(store, queue).rescue()
    assert (rescued.units, len(rescued.unfinished)) == (2, 2)
    assert queue.depth() == 2


async def test_an_attempt_that_another_process_may_be_at_is_left_alone_until_it_must_have_ended(
    store: JobStore,
) -> None:
    job = await submitted(store)
    begun = datetime.now(UTC)
    await store.replace(job, job.claimed(begun))
    delays: list[float] = []

    class Recording(LocalQueue):
        async def put(self, unit: Unit, *, delay: float = 0.0) -> bool:
            delays.append(delay)
            return True

    await intake(store, Recording(limit=10), abandoned_seconds=100, now=lambda: begun + timedelta(seconds=40)).rescue()
    assert delays == [60.0]


async def test_a_job_whose_process_died_is_tried_again_and_the_attempt_counts(store: JobStore) -> None:
    job = await submitted(store)
    await store.replace(job, job.claimed(datetime.now(UTC)))
    wait = await dispatcher_of(store, ScriptedPool(), PATIENT, JobEvents()).handle(Unit(job.id))
    again = await stored(store, job.id)
    assert wait is not None
    assert (again.status, again.attempt, again.failures[0].code) == (JobState.QUEUED, 1, "worker_crashed")


async def test_a_job_that_kills_the_service_every_time_ends_in_the_dead_letters(store: JobStore) -> None:
    job = await submitted(store)
    for _ in range(POLICY.max_attempts):
        current = await stored(store, job.id)
        await store.replace(current, current.claimed(datetime.now(UTC)))
        await dispatcher_of(store, ScriptedPool(), PATIENT, JobEvents()).handle(Unit(job.id))
    ended = await stored(store, job.id)
    assert ended.status is JobState.DEAD_LETTER
    assert len(ended.failures) == POLICY.max_attempts


async def test_a_drain_puts_back_what_does_not_finish_in_time(run: Any) -> None:
    async with run(drain_seconds=0.01) as service:
        service.pool.hold()
        job_id = (await service.upload(PNG)).json()["id"]
        await service.pool.started.acquire()
        await service.service.drain()
        back = await stored(service.service.store, job_id)
        assert (back.status, back.attempt) == (JobState.QUEUED, 0)
    async with run() as service:
        assert (await service.ended(job_id))["status"] == "done"


async def test_a_pool_that_is_lost_ends_the_service(settings: Settings) -> None:
    failed: asyncio.Queue[str] = asyncio.Queue()
    pool = ScriptedPool()
    async with connected(create_app(settings, make_pool=lambda _: pool, on_failure=failed.put_nowait)):
        pool.failed.set()
        assert await failed.get() == "no OCR worker can be started"


async def test_a_loop_that_dies_makes_the_service_unready(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async def die(_: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(Retention, "expire", die)
    async with run(keep_finished_days=1.0) as service:
        while (answer := await service.client.get("/health/ready")).status_code == 200:
            pass
        assert answer.json()["reasons"] == ["the loop 'retention' died"]
