"""The real server as a process, and what its log says of jobs."""

import asyncio
import os
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
from msgspec import Struct

ROOT = Path(__file__).parents[2]
START_SECONDS = 300.0
"""Longest start: the very first one also writes the models' optimised graphs."""
STOP_SECONDS = 60.0

REAL: Sequence[str] = ("-m", "app", "--port", "0")
FAKE: Sequence[str] = ("-m", "benchmarks.service.fake_service")


class ServerFailed(Exception):
    """The server did not start, or died."""


class Done(Struct, frozen=True, kw_only=True):
    """A job whose result is stored."""

    moment: float
    """Monotonic seconds at which we read of it."""
    wait: float
    recognition: float


class _Event(Struct):
    """A line of the log, as far as it matters here."""

    event: str = ""
    message: str = ""
    job_id: str = ""
    url: str = ""
    worker: str = ""
    pid: int = 0
    wait_seconds: float = 0.0
    ocr_seconds: float = 0.0


class JobFailed(Exception):
    """The job became a dead letter."""


class Outcomes:
    """What became of each job; nodes of a cluster share one, as any of them may end a job."""

    def __init__(self) -> None:
        self._found: dict[str, asyncio.Future[Done]] = {}

    def of(self, job_id: str) -> asyncio.Future[Done]:
        """Done when the job's result is stored; JobFailed or ServerFailed in it otherwise."""
        if job_id not in self._found:
            self._found[job_id] = asyncio.get_running_loop().create_future()
        return self._found[job_id]

    def fail(self, job_id: str, fault: Exception) -> None:
        """The job has no result."""
        outcome = self.of(job_id)
        if not outcome.done():
            outcome.set_exception(fault)
            outcome.exception()  # retrieved: nobody may be waiting for it

    def fail_all(self, fault: Exception) -> None:
        """No job that is under way will have a result."""
        for job_id in self._found:
            self.fail(job_id, fault)


class ServerProcess:
    """A running server. Its log is read as it comes, which costs it nothing, where polling would cost it requests."""

    def __init__(self, process: asyncio.subprocess.Process, errors: Path, outcomes: Outcomes) -> None:
        self._process = process
        self._errors = errors
        self._decoder = msgspec.json.Decoder(_Event)
        self._outcomes = outcomes
        self._listening: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._last_words = ""
        self.url = ""
        self.worker_pids: dict[str, int] = {}
        """Process id of each worker, by name."""
        self.start_seconds = 0.0
        self.wal = errors.with_name("jobs.db-wal")
        """Its store's write-ahead log."""

    @property
    def pid(self) -> int:
        """Process id of the service itself."""
        return self._process.pid

    async def listening(self) -> None:
        """Returns when it is ready. Raises ServerFailed."""
        begun = time.monotonic()
        try:
            async with asyncio.timeout(START_SECONDS):
                self.url = await asyncio.shield(self._listening)
        except TimeoutError:
            raise ServerFailed(f"the server did not listen within {START_SECONDS:g} s") from None
        self.start_seconds = time.monotonic() - begun

    async def stored(self, job_id: str) -> Done:
        """Returns when the job's result is stored. Raises JobFailed and ServerFailed."""
        return await self._outcomes.of(job_id)

    async def read_log(self) -> None:
        """Reads the log to its end, which is the server's."""
        assert self._process.stdout is not None
        while line := await self._process.stdout.readline():
            try:
                self._take(self._decoder.decode(line))
            except msgspec.DecodeError:
                self._last_words = line.decode(errors="replace").strip()
        errors = self._errors.read_text(errors="replace").strip().splitlines()
        fault = ServerFailed(f"the server ended: {errors[-1] if errors else self._last_words}")
        if not self._listening.done():
            self._listening.set_exception(fault)
        self._outcomes.fail_all(fault)

    async def stop(self) -> None:
        """Ends it and its workers; by force where it does not listen."""
        if self._process.returncode is None:
            self._process.terminate()
            try:
                async with asyncio.timeout(STOP_SECONDS):
                    await self._process.wait()
            except (TimeoutError, asyncio.CancelledError):
                os.killpg(self._process.pid, signal.SIGKILL)
                await self._process.wait()
                raise

    def _take(self, event: _Event) -> None:
        self._last_words = event.message
        match event.event:
            case "job.done":
                done = Done(moment=time.monotonic(), wait=event.wait_seconds, recognition=event.ocr_seconds)
                self._outcomes.of(event.job_id).set_result(done)
            case "job.dead_lettered":
                self._outcomes.fail(event.job_id, JobFailed(event.message))
            case "worker.started":
                self.worker_pids[event.worker] = event.pid
            case "service.listening" if not self._listening.done():
                self._listening.set_result(event.url)


@asynccontextmanager
async def running(
    command: Sequence[str],
    *,
    workers: int,
    settings: Mapping[str, str] | None = None,
    outcomes: Outcomes | None = None,
) -> AsyncIterator[ServerProcess]:
    """The server, listening, with a database of its own that is deleted in the end. Raises ServerFailed.

    `outcomes` may be shared with other servers. Other settings are those of our own environment, so that what is
    measured is what the operator would run.
    """
    with tempfile.TemporaryDirectory(prefix="ocr-benchmark-") as folder:
        errors = Path(folder, "errors.txt")
        environment = {
            **os.environ,
            "DATABASE_URL": f"sqlite:///{folder}/jobs.db",
            "MAX_WORKERS": str(workers),
            "QUEUE_LIMIT": "1000000",
            "HOST": "127.0.0.1",
            "API_KEYS_FILE": "",
            "UPLOADS_PER_MINUTE": "0",
            "LOG_LEVEL": "INFO",
            "LOG_FORMAT": "json",
            **(settings or {}),
        }
        stderr = os.open(errors, os.O_WRONLY | os.O_CREAT)
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                *command,
                cwd=ROOT,
                env=environment,
                stdout=asyncio.subprocess.PIPE,
                stderr=stderr,
                start_new_session=True,  # Ctrl-C is ours; the server is told to stop in order
            )
        finally:
            os.close(stderr)
        server = ServerProcess(process, errors, outcomes or Outcomes())
        log = asyncio.create_task(server.read_log(), name="log")
        try:
            await server.listening()
            yield server
        finally:
            await server.stop()
            await log
