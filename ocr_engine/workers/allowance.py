"""How long a process may be at one piece of work: so much CPU time, and several times as long by the clock."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import psutil

WALL_FACTOR = 5
"""Times the CPU time that work may take by the clock: on a busy machine it waits for its turn, which is not its fault;
what sleeps for ever uses no CPU time."""
MORE_TIME_FACTOR = 3
"""Times the usual CPU time for what that was not enough for; a second time it ends for good."""
MIN_LOOK_SECONDS = 0.05


class Allowance:
    """Of a process that has just been given a piece of work."""

    def __init__(
        self,
        used: Callable[[], float],
        cpu_seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`used`: CPU seconds of the process so far."""
        self._used = used
        self._cpu_seconds = cpu_seconds
        self._clock = clock
        self._begun, self._used_before = clock(), used()

    async def lasts(self, work: asyncio.Future[Any]) -> bool:
        """Waits for the end of the work. False where the allowance was used up before."""
        left = self._cpu_seconds
        # threads aside, no more CPU time goes by than time: nothing is missed by looking when all could be used up
        while left > 0:
            await asyncio.wait({work}, timeout=max(left, MIN_LOOK_SECONDS))
            if work.done():
                return True
            left = self._left()
        return False

    def _left(self) -> float:
        by_cpu = self._cpu_seconds - (self._used() - self._used_before)
        by_clock = self._cpu_seconds * WALL_FACTOR - (self._clock() - self._begun)
        return min(by_cpu, by_clock)


def cpu_seconds_used(process: psutil.Process) -> float:
    """By the process and the children that it has waited for; 0 where it is gone."""
    try:
        return sum(process.cpu_times()[:4])
    except psutil.Error:
        return 0.0
