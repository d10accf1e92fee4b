"""MAX_WORKERS preloaded OCR processes, each in a supervised slot of its own.

One ProcessPoolExecutor of N would fail every future when one child dies, could not tell the guilty job and could
not kill a hung child alone. A slot is an executor of one: crash, timeout and replacement touch one job.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import TypeVar

import msgspec

from ocr_engine.errors import OcrError, OutOfMemory, PoolUnavailable, WorkersBusy
from ocr_engine.options import DEFAULT_READING, EngineOptions, ReadOptions
from ocr_engine.result import DocumentInfo, OcrResult
from ocr_engine.searchable.order import PdfOrder
from ocr_engine.workers import child
from ocr_engine.workers.allowance import MORE_TIME_FACTOR
from ocr_engine.workers.child import WarmUpFailed
from ocr_engine.workers.limits import DEFAULT_LIMITS, WorkerLimits
from ocr_engine.workers.pool import PoolEvent, PoolEventKind, WorkerInfo, WorkerState
from ocr_engine.workers.process import DeathCause, DiedIdle, WorkerProcess

T = TypeVar("T")


class ProcessOcrPool:
    """The pool on this machine. Starts, warms, watches, recycles and replaces its processes by itself."""

    def __init__(
        self,
        options: EngineOptions,
        *,
        workers: int,
        warm_up: bytes,
        job_timeout: float,
        start_timeout: float,
        limits: WorkerLimits = DEFAULT_LIMITS,
        on_event: Callable[[PoolEvent], None] = lambda _: None,
        name: str = "worker",
    ) -> None:
        """`warm_up`: an image with a line of text that every new process must read; empty: they load no models, and
        only open, draw and write files. Times in seconds, `job_timeout` for each page.
        """
        self._options = options
        self._warm_up = warm_up
        self._job_timeout = job_timeout
        self._start_timeout = start_timeout
        self._limits = limits
        self._on_event = on_event
        self._slots = [_Slot(f"{name}-{number}") for number in range(1, workers + 1)]
        # may hold processes that died or retired while idle; they are passed over when taken
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

    async def recognise(
        self,
        image: bytes,
        options: ReadOptions = DEFAULT_READING,
        *,
        patience: float | None = None,
        more_time: bool = False,
    ) -> OcrResult:
        """See OcrPool. Waiting for a free worker does not count against the job's timeout."""
        seconds = self._allowed(options, more_time)
        return await self._by_a_worker(patience, lambda process: process.run(seconds, child.read, image, options))

    async def open(self, file: Path, options: ReadOptions, *, patience: float | None = None) -> DocumentInfo:
        """See OcrPool."""
        return await self._by_a_worker(
            patience, lambda process: process.run(self._job_timeout, child.open_document, file, options)
        )

    async def read_page(
        self,
        file: Path,
        number: int,
        options: ReadOptions,
        *,
        patience: float | None = None,
        more_time: bool = False,
    ) -> OcrResult:
        """See OcrPool."""
        seconds = self._allowed(options, more_time)
        return await self._by_a_worker(
            patience, lambda process: process.run(seconds, child.read_page, file, number, options)
        )

    async def render_page(
        self, file: Path, number: int, options: ReadOptions, width: int, *, patience: float | None = None
    ) -> bytes:
        """See OcrPool."""
        return await self._by_a_worker(
            patience, lambda process: process.run(self._job_timeout, child.render_page, file, number, options, width)
        )

    async def write_searchable_pdf(self, order: PdfOrder, *, patience: float | None = None) -> None:
        """See OcrPool."""
        work = child.write_searchable_pdf
        await self._by_a_worker(patience, lambda process: process.run(self._job_timeout, work, order))

    def forget(self, file: Path) -> None:
        """See OcrPool."""
        for slot in self._slots:
            if slot.process is not None:
                slot.process.forget(file)

    def _allowed(self, options: ReadOptions, more_time: bool) -> float:
        seconds = self._job_timeout * (MORE_TIME_FACTOR if more_time else 1)
        return seconds if options.timeout is None else min(seconds, options.timeout)

    async def _by_a_worker(self, patience: float | None, work: Callable[[WorkerProcess], Awaitable[T]]) -> T:
        """What the next free worker makes of it. Raises as `OcrPool.read_page` does."""
        while True:
            slot, process = await self._take_within(patience)
            slot.state = WorkerState.BUSY
            try:
                result = await work(process)
                return msgspec.structs.replace(result, worker=slot.name) if isinstance(result, OcrResult) else result
            except DiedIdle:
                continue
            except OcrError as error:
                error.worker = slot.name
                if isinstance(error, OutOfMemory):
                    process.kill("out_of_memory")  # it may misjudge the next files: libraries do not recover from it
                raise
            finally:
                self._give_back(slot, process)

    def workers(self) -> list[WorkerInfo]:
        """See ManagedPool."""
        return [slot.info() for slot in self._slots]

    async def close(self) -> None:
        """See ManagedPool."""
        for task in self._supervisors:
            task.cancel()
        await asyncio.gather(*self._supervisors, return_exceptions=True)
        self._supervisors = []

    async def _take_within(self, patience: float | None) -> tuple["_Slot", WorkerProcess]:
        try:
            async with asyncio.timeout(patience):
                return await self._take()
        except TimeoutError:
            raise WorkersBusy(f"no OCR worker was free within {patience:g} s") from None

    async def _take(self) -> tuple["_Slot", WorkerProcess]:
        while True:
            if self.failed.is_set():
                raise PoolUnavailable("every OCR worker was given up")
            slot, process = await self._free.get()
            if process.available:
                return slot, process

    def _give_back(self, slot: "_Slot", process: WorkerProcess) -> None:
        if not process.available:
            return
        slot.state = WorkerState.IDLE
        self._free.put_nowait((slot, process))
        if process.jobs >= self._limits.max_jobs or process.memory > self._limits.max_memory:
            slot.recycle_due.set()

    async def _supervise(self, slot: "_Slot") -> None:
        """The life of a slot: start, serve, recycle, start again after a death; failed starts in a row end it."""
        failures = 0
        try:
            while failures < self._limits.max_failed_starts:
                if failures:
                    await asyncio.sleep(self._limits.restart_pause * 2 ** (failures - 1))
                process = await self._warm_process(slot)
                if process is None:
                    failures += 1
                    continue
                process = await self._serve(slot, process)
                failures = failures + 1 if self._died_early(process) else 0
                slot.fault = process.cause
                slot.state = WorkerState.STARTING
                self._report("died", slot, process.pid, cause=process.cause)
                await process.end()
            self._give_up(slot)
        except Exception as error:
            # of a kind that nobody thought of: told, rather than a slot that never settles
            slot.fault = f"{type(error).__name__}: {error}"
            self._give_up(slot)
        finally:
            if slot.process is not None:
                await slot.process.end()
            slot.process = None
            if slot.state is not WorkerState.FAILED:
                slot.state = WorkerState.STOPPED

    def _died_early(self, process: WorkerProcess) -> bool:
        return not process.jobs and time.monotonic() - process.warm_since < self._limits.early_death

    async def _warm_process(self, slot: "_Slot") -> WorkerProcess | None:
        """A new process that has read the warm-up image; None, and the reason reported, where that failed."""
        begun = time.perf_counter()
        try:
            process = WorkerProcess(
                self._options,
                self._limits.address_space,
                lambda pid, text: self._report("output", slot, pid, text),
                reads=bool(self._warm_up),
            )
        except OSError as error:
            self._not_started(slot, None, f"the system gives no means for it: {error}")
            return None
        try:
            async with asyncio.timeout(self._start_timeout):
                report = await process.start(self._warm_up)
        except (WarmUpFailed, OcrError, BrokenProcessPool, OSError) as error:  # a TimeoutError is an OSError
            await process.end()
            self._not_started(slot, process.pid, str(error) or f"no answer within {self._start_timeout:g} s")
            return None
        except BaseException:
            await process.end()
            raise
        process.warm_since = time.monotonic()
        slot.starts += 1
        slot.backend = report.backend
        self._report("started", slot, process.pid, "; ".join(report.notes), seconds=time.perf_counter() - begun)
        return process

    async def _serve(self, slot: "_Slot", process: WorkerProcess) -> WorkerProcess:
        """Gives the process work until it dies, recycles it whenever that is due; returns the one that died."""
        self._put_to_work(slot, process)
        while await slot.due_before_death(process):
            # warm before the old one retires, so that no job waits for the change
            successor = await self._warm_process(slot)
            if successor is None:
                await asyncio.sleep(self._limits.restart_pause)
                continue
            process.retiring = True
            self._put_to_work(slot, successor)
            try:
                await process.at_rest.wait()
                served = f"after {process.jobs} jobs, at {process.memory} bytes"
            finally:
                await process.end()
            self._report("recycled", slot, process.pid, served)
            process = successor
        return process

    def _put_to_work(self, slot: "_Slot", process: WorkerProcess) -> None:
        slot.process = process
        slot.recycle_due.clear()
        slot.state = WorkerState.IDLE
        slot.settled.set()
        self._free.put_nowait((slot, process))

    def _not_started(self, slot: "_Slot", pid: int | None, fault: str) -> None:
        slot.fault = fault
        self._report("start_failed", slot, pid, fault)

    def _give_up(self, slot: "_Slot") -> None:
        slot.state = WorkerState.FAILED
        slot.settled.set()
        self._report("given_up", slot, None, slot.fault)
        if all(each.state is WorkerState.FAILED for each in self._slots):
            self.failed.set()

    def _report(
        self,
        kind: PoolEventKind,
        slot: "_Slot",
        pid: int | None,
        detail: str = "",
        cause: DeathCause | None = None,
        seconds: float = 0.0,
    ) -> None:
        self._on_event(
            PoolEvent(
                kind=kind,
                worker=slot.name,
                pid=pid,
                detail=detail,
                cause=cause,
                seconds=seconds,
                backend=slot.backend if kind == "started" else "",
            )
        )


class _Slot:
    """A worker's name and record; outlives its processes."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.state = WorkerState.STARTING
        self.settled = asyncio.Event()
        """Set when the first process is warm, or the slot was given up."""
        self.recycle_due = asyncio.Event()
        """Set when its process has served long enough."""
        self.process: WorkerProcess | None = None
        self.fault = ""
        self.starts = 0
        self.backend = ""

    async def due_before_death(self, process: WorkerProcess) -> bool:
        """Waits for either; False when the process died."""
        waits = {asyncio.create_task(event.wait()) for event in (self.recycle_due, process.died)}
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        return process.alive

    def info(self) -> WorkerInfo:
        return WorkerInfo(
            name=self.name,
            state=self.state,
            pid=self.process.pid if self.process else None,
            restarts=max(0, self.starts - 1),
            backend=self.backend,
        )
