"""One OCR process behind an executor of one, from its start to its death."""

import asyncio
import multiprocessing
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from multiprocessing import connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Literal, ParamSpec, TypeVar

import psutil

from ocr_engine.errors import EngineError, JobTimeout, OcrError, OutOfMemory, PageTooCostly, WorkerCrashed
from ocr_engine.options import EngineOptions
from ocr_engine.workers import child
from ocr_engine.workers.allowance import WALL_FACTOR, Allowance, cpu_seconds_used
from ocr_engine.workers.child import DutyReport
from ocr_engine.workers.output import Output

P = ParamSpec("P")
T = TypeVar("T")
DeathCause = Literal["crashed", "timeout", "out_of_memory", "interrupted", "stopped"]
"""Ended by itself, or killed: its job took too long, it was short of memory, its job was interrupted, or it is not
needed any more."""


NOT_ALLOCATED = "std::bad_alloc"
"""What libraries in C++ end the process with where memory is short: the standard's name of it, told by libstdc++."""
REAP_SECONDS = 5.0
"""Until the kernel has told how a dead process has ended."""


class DiedIdle(Exception):
    """The process was dead before it was given the image: no fault of the image, another worker may take it."""


class WorkerProcess:
    """Made, then started, then used for one image at a time until it dies; never started again."""

    def __init__(
        self,
        options: EngineOptions,
        address_space: int,
        heard: Callable[[int | None, str], None],
        *,
        reads: bool = True,
    ) -> None:
        """`address_space`: bytes that the process may map. `heard`: told its id and what it writes, see Output.
        `reads`: False for one without models, see child.prepare.
        """
        self._last_words = ""
        self._output = Output(self._hear)
        self._heard = heard
        # spawn: a forked child would inherit uvicorn's signal handlers and the locks of our threads
        self._executor = ProcessPoolExecutor(
            max_workers=1,
            mp_context=multiprocessing.get_context("spawn"),
            initializer=child.prepare,
            initargs=(options, address_space, self._output.writing, reads),
        )
        self._child: BaseProcess | None = None
        self._facts: psutil.Process | None = None
        """Of the child; to make one anew for every page would take longer than to ask it."""
        self.warm_since = 0.0
        """Monotonic seconds; set by who has started it."""
        self.jobs = 0
        """Pages, and other pieces of work, that it was given."""
        self.retiring = False
        """Its replacement is warm: it may finish the image that it has, and gets no other one."""
        self.at_rest = asyncio.Event()
        """Set while it has no image."""
        self.at_rest.set()
        self.died = asyncio.Event()
        self.cause: DeathCause = "crashed"

    def _hear(self, text: str) -> None:
        self._last_words = text
        self._heard(self.pid, text)

    @property
    def alive(self) -> bool:
        """False from the moment that its death is known or ordered."""
        return not self.died.is_set()

    @property
    def available(self) -> bool:
        """May it be given an image?"""
        return self.alive and not self.retiring

    @property
    def memory(self) -> int:
        """Resident bytes; 0 when it is gone."""
        try:
            return int(self._facts.memory_info().rss) if self._facts else 0
        except psutil.NoSuchProcess:
            return 0

    def cpu_seconds(self) -> float:
        """Used so far; 0 when it is gone."""
        return cpu_seconds_used(self._facts) if self._facts else 0.0

    @property
    def pid(self) -> int | None:
        """Process id; None before the start."""
        return self._child.pid if self._child else None

    async def start(self, warm_up: bytes) -> DutyReport:
        """Returns when the warm-up image was read. Raises child.WarmUpFailed, OcrError or BrokenProcessPool."""
        report = self._executor.submit(child.report_for_duty, warm_up)
        self._output.listen()
        # private until 3.14's kill_workers(); there is no other way to kill a hung child
        self._child = next(iter(self._executor._processes.values()))
        asyncio.get_running_loop().add_reader(self._child.sentinel, self._on_death)
        with suppress(psutil.NoSuchProcess):  # its death is told by its report
            self._facts = psutil.Process(self._child.pid)
        return await asyncio.wrap_future(report)

    async def run(self, timeout: float, work: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
        """What the function of `child` gives for the arguments. Raises OcrError, or DiedIdle.

        More than its Allowance of `timeout` CPU seconds, or a cancellation, kills the process.
        """
        with self._at_work():
            return await self._done(self._begun(work, *arguments, **named), timeout)

    def forget(self, file: Path) -> None:
        """Lets go of the file, once the process has nothing else to do. Not waited for."""
        if self.alive:
            with suppress(BrokenProcessPool):
                self._executor.submit(child.forget_document, file)

    @contextmanager
    def _at_work(self) -> Iterator[None]:
        if self._child is None or connection.wait([self._child.sentinel], timeout=0):
            self._on_death()  # the event loop has not heard of it yet
            raise DiedIdle
        self.at_rest.clear()
        try:
            yield
        finally:
            self.at_rest.set()

    def _begun(self, work: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> Future[T]:
        try:
            begun = self._executor.submit(work, *arguments, **named)
        except BrokenProcessPool:
            self._on_death()
            raise DiedIdle from None
        self.jobs += 1
        return begun

    async def _done(self, work: Future[T], timeout: float) -> T:
        try:
            return await self._in_time(work, timeout)
        except asyncio.CancelledError:
            self.kill("interrupted")
            raise
        except BrokenProcessPool:
            self._on_death()
            raise await self._reason_of_death() from None
        except OcrError:
            raise
        except Exception as error:
            raise EngineError(f"{type(error).__name__}: {error}") from error

    async def _reason_of_death(self) -> OcrError:
        assert self._child is not None
        await asyncio.to_thread(self._child.join, REAP_SECONDS)
        if self._child.exitcode == -signal.SIGXCPU:
            # a limit that the process has set itself (document/pdf/bounds.py), and would meet again
            return PageTooCostly("the page takes more CPU time to be drawn than a page may take")
        if self._child.exitcode == -signal.SIGABRT and NOT_ALLOCATED in self._last_words:
            return OutOfMemory("the OCR process was not given the memory for this page, and has ended")
        return WorkerCrashed("the OCR process died while it read this page")

    async def _in_time(self, work: Future[T], timeout: float) -> T:
        awaited = asyncio.wrap_future(work)
        try:
            if await Allowance(self.cpu_seconds, timeout).lasts(awaited):
                return await awaited
        finally:
            awaited.cancel()  # harmless once it is done; else its end, which is the process's, is nobody's any more
        self.kill("timeout")
        raise JobTimeout(
            f"reading a page took more than {timeout:g} s of CPU time, or more than {WALL_FACTOR} times that in all"
        )

    def kill(self, cause: DeathCause) -> None:
        """Ends the process at once, whatever it does."""
        if self.alive:
            self.cause = cause
        if self._child is not None:
            self._child.kill()
        self._on_death()

    async def end(self) -> None:
        """Kills where needed, and waits until the process and its executor are gone. Twice is harmless."""
        self.kill("stopped")
        await asyncio.to_thread(self._executor.shutdown, wait=True, cancel_futures=True)

    def _on_death(self) -> None:
        if self.alive and self._child is not None:
            asyncio.get_running_loop().remove_reader(self._child.sentinel)
        self._output.close()
        self.died.set()
