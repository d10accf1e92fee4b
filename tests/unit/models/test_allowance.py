"""A page's time is what its process worked on it: a busy machine costs it little, and a hang ends all the same."""

import asyncio
import subprocess
import sys

import psutil
import pytest

from ocr_engine.workers.allowance import WALL_FACTOR, Allowance, cpu_seconds_used

pytestmark = pytest.mark.anyio


class Machine:
    """Where time goes by as somebody waits, and a process has its share of it."""

    def __init__(self, share: float, monkeypatch: pytest.MonkeyPatch) -> None:
        self.share = share
        self.now, self.used = 100.0, 7.0
        self.ends = float("inf")
        monkeypatch.setattr(asyncio, "wait", self._wait)

    async def _wait(self, work: set[asyncio.Future[None]], timeout: float) -> None:
        passed = min(timeout, self.ends - self.now)
        self.now += passed
        self.used += passed * self.share
        if self.now >= self.ends:
            work.pop().set_result(None)

    async def lasts(self, cpu_seconds: float) -> bool:
        allowance = Allowance(lambda: self.used, cpu_seconds, lambda: self.now)
        return await allowance.lasts(asyncio.get_running_loop().create_future())


@pytest.mark.parametrize(("share", "given_up_after"), [(1.0, 10.0), (0.5, 20.0), (0.0, 10.0 * WALL_FACTOR)])
async def test_work_is_given_up_by_what_its_process_has_used_and_at_last_by_the_clock(
    share: float, given_up_after: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = Machine(share, monkeypatch)
    assert not await machine.lasts(10.0)
    assert machine.now - 100.0 == pytest.approx(given_up_after, abs=0.2)


async def test_work_that_ends_in_time_was_waited_for_no_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(0.25, monkeypatch)
    machine.ends = 130.0
    assert await machine.lasts(10.0)
    assert machine.now == 130.0


def test_a_process_that_is_gone_has_used_nothing() -> None:
    assert cpu_seconds_used(psutil.Process()) > 0
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    facts = psutil.Process(child.pid)
    assert cpu_seconds_used(facts) >= 0
    child.communicate()
    assert cpu_seconds_used(facts) == 0.0
