"""OcrPool: recognition by MAX_WORKERS preloaded processes, each in a supervised slot of its own.

One ProcessPoolExecutor of N would fail every future when one child dies, could not tell the guilty job and could
not kill a hung child alone. A slot is an executor of one: crash, timeout and replacement touch one job.
"""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures.process import BrokenProcessPool
from enum import StrEnum
from typing import Literal, Protocol

import msgspec
from msgspec import Struct

from ocr_engine.errors import OcrError, PoolUnavailable
from ocr_engine.options import EngineOptions
from ocr_engine.process import DiedIdle, WorkerProcess
from ocr_engine.result import OcrResult
from ocr_engine.worker import WarmUpFailed

FAILED_STARTS_ALLOWED = 3
"""Failed starts in a row after which a slot is given up."""
RESTART_PAUSE = 0.5
"""Seconds before a failed start is tried again; doubles with each failure."""


class OcrPool(Protocol):
    """All that the rest of the service knows of recognition."""

    async def recognise(self, image: bytes) -> OcrResult:
        """The text of an image, by the next free worker. Raises OcrError; a cancellation kills the work."""


class ManagedPool(OcrPool, Protocol):
    """A pool as its owner sees it."""

    failed: asyncio.Event
    """Set when no worker is left and none can be started: the service cannot go on."""

    async def start(self) -> None:
        """Returns when every worker is warm. Raises PoolUnavailable when one cannot be started."""

    def workers(self) -> list["WorkerInfo"]:
        """Every slot, in order."""

    async def close(self) -> None:
        """Ends every worker, whatever it does, and waits for that. Twice is harmless."""


class WorkerState(StrEnum):
    """Where a slot stands."""

    STARTING = "starting"
    IDLE = "idle"
    BUSY = "busy"
    FAILED = "failed"
    """Given up: its process could not be started several times in a row."""
    STOPPED = "stopped"


class WorkerInfo(Struct, frozen=True, kw_only=True):
    """One slot, as health and metrics show it."""

    name: str
    state: WorkerState
    pid: int | None
    restarts: int
    """Processes after the first one."""


class PoolEvent(Struct, frozen=True, kw_only=True):
    """Something that happened to a worker."""

    kind: Literal["started", "start_failed", "died", "given_up"]
    worker: str
    pid: int | None = None
    detail: str = ""
    seconds: float = 0.0


class ProcessOcrPool:
    """The pool on this machine. Starts, warms, watches and replaces its processes by itself."""

    def __init__(
        self,
        options: EngineOptions,
        *,
        workers: int,
        warm_up: bytes,
        job_timeout: float,
        start_timeout: float,
        on_event: Callable[[PoolEvent], None] = lambda _: None,
    ) -> None:
        """`warm_up`: an image with a line of text that every new process must read. Times in seconds."""
        self._options = options
        self._warm_up = warm_up
        self._job_timeout = job_timeout
        self._start_timeout = start_timeout
        self._on_event = on_event
        self._slots = [_Slot(f"worker-{number}") for number in range(1, workers + 1)]
        # may hold slots whose process died while idle; they are passed over when taken
        self._free: asyncio.Queue[tuple[_Slot, WorkerProcess]] = asyncio.Queue()
        self._supervisors: list[asyncio.Task[None]] = []
        self.failed = asyncio.Event()

    async def start(self) -> None:
        """See ManagedPool; warm means that the warm-up image was read."""
        self._supervisors = [
            asyncio.create_task(self._supervise(slot), name=f"supervisor of {slot.name}") for slot in self._slots
        ]
        for slot in self._slots:
            await slot.settled.wait()
        broken = next((slot for slot in self._slots if slot.state is WorkerState.FAILED), None)
        if broken:
            await self.close()
            raise PoolUnavailable(f"{broken.name} cannot be started: {broken.fault}")

    async def recognise(self, image: bytes) -> OcrResult:
        """See OcrPool. Waiting for a free worker does not count against the job's timeout."""
        while True:
            slot, process = await self._take()
            slot.state = WorkerState.BUSY
            try:
                result = await process.recognise(image, self._job_timeout)
                return msgspec.structs.replace(result, worker=slot.name)
            except DiedIdle:
                continue
            except OcrError as error:
                error.worker = slot.name
                raise
            finally:
                if process.alive:
                    slot.state = WorkerState.IDLE
                    self._free.put_nowait((slot, process))

    def workers(self) -> list[WorkerInfo]:
        """See ManagedPool."""
        return [slot.info() for slot in self._slots]

    async def close(self) -> None:
        """See ManagedPool."""
        for task in self._supervisors:
            task.cancel()
        await asyncio.gather(*self._supervisors, return_exceptions=True)
        self._supervisors = []

    async def _take(self) -> tuple["_Slot", WorkerProcess]:
        while True:
            if self.failed.is_set():
                raise PoolUnavailable("every OCR worker was given up")
            slot, process = await self._free.get()
            if process.alive:
                return slot, process

    async def _supervise(self, slot: "_Slot") -> None:
        """The life of a slot: start, serve until death, start again; given up after failed starts in a row."""
        failures = 0
        try:
            while failures < FAILED_STARTS_ALLOWED:
                if failures:
                    await asyncio.sleep(RESTART_PAUSE * 2 ** (failures - 1))
                process = slot.process = WorkerProcess(self._options)
                try:
                    await self._start(slot, process)
                    await process.died.wait()
                    # one that dies before its first job died of itself: a start that failed late
                    failures = 0 if process.jobs else failures + 1
                    slot.fault = process.cause
                    self._report("died", slot, process.cause)
                except (WarmUpFailed, OcrError, BrokenProcessPool, TimeoutError) as error:
                    failures += 1
                    slot.fault = str(error) or f"no answer within {self._start_timeout:g} s"
                    self._report("start_failed", slot, slot.fault)
                finally:
                    slot.state = WorkerState.STARTING
                    await process.end()
            self._give_up(slot)
        finally:
            slot.process = None
            if slot.state is not WorkerState.FAILED:
                slot.state = WorkerState.STOPPED

    async def _start(self, slot: "_Slot", process: WorkerProcess) -> None:
        begun = time.perf_counter()
        async with asyncio.timeout(self._start_timeout):
            await process.start(self._warm_up)
        slot.starts += 1
        slot.state = WorkerState.IDLE
        slot.settled.set()
        self._free.put_nowait((slot, process))
        self._report("started", slot, seconds=time.perf_counter() - begun)

    def _give_up(self, slot: "_Slot") -> None:
        slot.state = WorkerState.FAILED
        slot.settled.set()
        self._report("given_up", slot, slot.fault)
        if all(each.state is WorkerState.FAILED for each in self._slots):
            self.failed.set()

    def _report(
        self,
        kind: Literal["started", "start_failed", "died", "given_up"],
        slot: "_Slot",
        detail: str = "",
        seconds: float = 0.0,
    ) -> None:
        pid = slot.process.pid if slot.process else None
        self._on_event(PoolEvent(kind=kind, worker=slot.name, pid=pid, detail=detail, seconds=seconds))


class _Slot:
    """A worker's name and record; outlives its processes."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.state = WorkerState.STARTING
        self.settled = asyncio.Event()
        """Set when the first process is warm, or the slot was given up."""
        self.process: WorkerProcess | None = None
        self.fault = ""
        self.starts = 0

    def info(self) -> WorkerInfo:
        return WorkerInfo(
            name=self.name,
            state=self.state,
            pid=self.process.pid if self.process else None,
            restarts=max(0, self.starts - 1),
        )
