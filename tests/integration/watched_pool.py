"""A pool of real processes whose events a test can wait for."""

import asyncio
import io
import os
import signal
from collections.abc import Awaitable, Callable
from contextlib import suppress

import anyio.lowlevel
from PIL import Image

from ocr_engine.options import EngineOptions
from ocr_engine.workers.limits import DEFAULT_LIMITS, WorkerLimits
from ocr_engine.workers.pool import PoolEvent, WorkerState
from ocr_engine.workers.process_pool import ProcessOcrPool
from samples import sample

KNOWN = sample("health")


class Watched(ProcessOcrPool):
    """A pool whose events a test can wait for."""

    def __init__(
        self,
        *,
        workers: int = 1,
        warm_up: bytes = KNOWN.data,
        job_timeout: float = 60.0,
        limits: WorkerLimits = DEFAULT_LIMITS,
    ) -> None:
        self.events: list[PoolEvent] = []
        self.unheard: asyncio.Queue[PoolEvent] = asyncio.Queue()
        super().__init__(
            EngineOptions(),
            workers=workers,
            warm_up=warm_up,
            job_timeout=job_timeout,
            start_timeout=60.0,
            limits=limits,
            on_event=self._keep,
        )

    def _keep(self, event: PoolEvent) -> None:
        self.events.append(event)
        self.unheard.put_nowait(event)

    async def next(self) -> PoolEvent:
        return await self.unheard.get()

    async def until(self, kind: str) -> PoolEvent:
        while True:
            event = await self.next()
            if event.kind == kind:
                return event

    def pids(self) -> list[int]:
        return [worker.pid for worker in self.workers() if worker.pid is not None]


StartPool = Callable[..., Awaitable[Watched]]
"""What the fixture `start_pool` gives: a pool of these options, started."""


def three_pages() -> bytes:
    """A TIFF of three times the known text."""
    page, file = Image.open(io.BytesIO(KNOWN.data)).convert("RGB"), io.BytesIO()
    page.save(file, "TIFF", save_all=True, append_images=[page, page])
    return file.getvalue()


def kill_unheard(pid: int) -> None:
    """Returns when the whole process is gone; the event loop has had no turn to hear of it."""
    os.kill(pid, signal.SIGKILL)
    with suppress(ChildProcessError):  # the executor's thread has seen its end before us
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)


async def until_busy(pool: ProcessOcrPool, number: int = 1) -> None:
    while sum(worker.state is WorkerState.BUSY for worker in pool.workers()) < number:
        await anyio.lowlevel.checkpoint()
