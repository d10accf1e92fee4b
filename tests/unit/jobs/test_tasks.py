"""Work that is done again and again, and work that is carried out whoever still asks for it."""

import asyncio

import pytest
from anyio.lowlevel import checkpoint

from persistence.store import StoreError
from persistence.tasks import Writes, end, every

pytestmark = pytest.mark.anyio


async def test_periodic_work_goes_on_after_an_outage_and_ends_with_a_fault() -> None:
    faults: list[Exception | None] = [None, StoreError("away"), None, ZeroDivisionError("a bug")]

    async def work() -> None:
        if fault := faults.pop(0):
            raise fault

    with pytest.raises(ZeroDivisionError):
        await every(0.0, work)
    assert not faults


async def test_periodic_work_may_begin_with_the_pause() -> None:
    begun: list[None] = []

    async def work() -> None:
        begun.append(None)

    loops = [asyncio.create_task(every(3600, work, wait_first=wait_first)) for wait_first in (True, False)]
    await checkpoint()
    await checkpoint()
    assert len(begun) == 1
    for loop in loops:
        await end(loop)


async def test_a_write_is_carried_out_though_its_caller_is_cancelled_and_can_be_waited_for() -> None:
    writes, begun, go_on, written = Writes(), asyncio.Event(), asyncio.Event(), list[str]()

    async def write() -> None:
        begun.set()
        await go_on.wait()
        written.append("all of it")

    caller = asyncio.create_task(writes.carry_out(write()))
    await begun.wait()
    caller.cancel()
    await asyncio.wait({caller})
    assert caller.cancelled()
    go_on.set()
    await writes.ended()
    assert written == ["all of it"]


async def test_a_write_that_fails_fails_its_caller() -> None:
    async def write() -> None:
        raise StoreError("full")

    with pytest.raises(StoreError, match="full"):
        await Writes().carry_out(write())
