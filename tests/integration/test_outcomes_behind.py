"""Outcomes that are stored while the next unit is read: nobody is held up, nothing is lost."""

import asyncio
from collections.abc import Callable

import pytest

from app.jobs.events import JobEvents
from ocr_engine.errors import PoolUnavailable
from persistence.job import Job, JobState
from persistence.queue import Unit
from persistence.store import JobStore, Taken
from tests.dispatching import POLICY, dispatcher_of, stored, submitted
from tests.scripted_pool import ScriptedPool

pytestmark = pytest.mark.anyio


async def test_an_outcome_that_may_be_stored_behind_holds_up_nobody_and_a_stop_waits_for_it(
    store: JobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs, replace, may_write = [await submitted(store) for _ in range(3)], store.replace, asyncio.Event()

    async def slowly(old: Job, new: Job) -> bool:
        await may_write.wait()
        return await replace(old, new)

    monkeypatch.setattr(store, "replace", slowly)
    dispatcher = dispatcher_of(store, ScriptedPool(), POLICY, JobEvents(), behind=2)
    for job in jobs[:2]:
        assert await dispatcher.handle(Unit(job.id)) is None
    third = asyncio.create_task(dispatcher.handle(Unit(jobs[2].id)))
    stop = asyncio.create_task(dispatcher.settle())
    assert await asyncio.wait({third, stop}, timeout=0.05) == (set(), {third, stop})
    assert {(await stored(store, job.id)).status for job in jobs} == {JobState.PROCESSING}
    may_write.set()
    await asyncio.wait({third, stop})
    assert {(await stored(store, job.id)).status for job in jobs} == {JobState.DONE}


async def test_dispatchers_die_of_a_fault_of_ours_in_storing_behind(
    store: JobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs, failing = [await submitted(store) for _ in range(2)], asyncio.Event()

    async def fails(*_: object) -> bool:
        failing.set()
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr(store, "replace", fails)
    dispatcher = dispatcher_of(store, ScriptedPool(), POLICY, JobEvents(), behind=2)
    assert await dispatcher.handle(Unit(jobs[0].id)) is None
    await failing.wait()
    await dispatcher.settle()
    with pytest.raises(RuntimeError):
        await dispatcher.handle(Unit(jobs[1].id))


async def test_a_failed_attempt_is_stored_before_its_unit_is_due_again(store: JobStore) -> None:
    job = await submitted(store)
    pool = ScriptedPool(PoolUnavailable("none"))
    assert await dispatcher_of(store, pool, POLICY, JobEvents(), behind=2).handle(Unit(job.id)) is not None
    assert (await stored(store, job.id)).status is JobState.QUEUED


async def test_the_next_job_is_claimed_before_the_outcome_of_the_last_is_stored(
    store: JobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs, replace, take = [await submitted(store) for _ in range(2)], store.replace, store.take
    order: list[str] = []

    async def noted_replace(old: Job, new: Job) -> bool:
        order.append("stored")
        return await replace(old, new)

    async def noted_take(job_id: str, begun: Callable[[Job], Job | None]) -> Taken | None:
        order.append("claimed")
        return await take(job_id, begun)

    monkeypatch.setattr(store, "replace", noted_replace)
    monkeypatch.setattr(store, "take", noted_take)
    dispatcher = dispatcher_of(store, ScriptedPool(), POLICY, JobEvents(), behind=1)
    for job in jobs:
        await dispatcher.handle(Unit(job.id))
    await dispatcher.settle()
    assert order[:3] == ["claimed", "claimed", "stored"]
