"""The pool with real processes and real models: preloaded, supervised, replaced."""

import asyncio
import io
import os
import resource
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import anyio.lowlevel
import psutil
import pytest
from PIL import Image

from ocr_engine.errors import (
    ImageMissing,
    InvalidDocument,
    InvalidImage,
    JobTimeout,
    OutOfMemory,
    PoolUnavailable,
    WorkerCrashed,
    WorkersBusy,
)
from ocr_engine.formats import Source
from ocr_engine.options import EngineOptions, ReadOptions
from ocr_engine.result import DocumentInfo
from ocr_engine.searchable.order import PdfOrder
from ocr_engine.workers import process
from ocr_engine.workers.allowance import Allowance
from ocr_engine.workers.child import DutyReport, WarmUpFailed
from ocr_engine.workers.limits import DEFAULT_LIMITS, WorkerLimits
from ocr_engine.workers.pool import PoolEvent, WorkerState
from ocr_engine.workers.process import WorkerProcess
from ocr_engine.workers.process_pool import ProcessOcrPool
from samples import sample
from tests.pdf_readers import texts
from tests.pdfs import bomb, pdf, typed

pytestmark = pytest.mark.anyio

KNOWN = sample("health")
AT_ONCE = WorkerLimits(restart_pause=0.0)


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


@pytest.fixture
async def start() -> AsyncIterator[Callable[..., Awaitable[Watched]]]:
    pools: list[Watched] = []

    async def started(**options: Any) -> Watched:
        pool = Watched(**options)
        pools.append(pool)
        await pool.start()
        while not pool.unheard.empty():
            pool.unheard.get_nowait()
        return pool

    yield started
    for pool in pools:
        await pool.close()


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


async def test_every_worker_is_warm_when_start_returns(start: Callable[..., Awaitable[Watched]]) -> None:
    pool = await start(workers=2)
    assert [worker.state for worker in pool.workers()] == [WorkerState.IDLE, WorkerState.IDLE]
    assert len(set(pool.pids())) == 2
    result = await pool.recognise(KNOWN.data)
    assert result.text == KNOWN.text
    assert result.worker in ("worker-1", "worker-2")


async def test_a_killed_worker_costs_its_own_job_only_and_is_replaced(start: Callable[..., Awaitable[Watched]]) -> None:
    pool = await start(workers=2)
    victim, survivor = pool.pids()
    for pid in (victim, survivor):
        os.kill(pid, signal.SIGSTOP)  # both hold their job for as long as the test needs
    jobs = [asyncio.create_task(pool.recognise(KNOWN.data)) for _ in range(2)]
    await until_busy(pool, 2)
    os.kill(victim, signal.SIGKILL)
    (hit,), (spared,) = await asyncio.wait(jobs, return_when=asyncio.FIRST_COMPLETED)
    crash = hit.exception()
    assert isinstance(crash, WorkerCrashed)
    assert crash.worker == "worker-1"
    os.kill(survivor, signal.SIGCONT)
    assert (await spared).text == KNOWN.text
    assert (await pool.until("started")).worker == "worker-1"
    assert pool.workers()[0].restarts == 1
    assert survivor in pool.pids()
    assert victim not in pool.pids()


async def test_a_job_beyond_its_time_loses_its_process_and_no_other(start: Callable[..., Awaitable[Watched]]) -> None:
    pool = await start(job_timeout=0.2)
    hung = pool.pids()[0]
    os.kill(hung, signal.SIGSTOP)
    with pytest.raises(JobTimeout):
        await pool.recognise(KNOWN.data)
    await pool.until("started")
    assert not psutil.pid_exists(hung)
    assert pool.workers()[0].state is WorkerState.IDLE


async def test_each_page_has_its_time(
    start: Callable[..., Awaitable[Watched]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pool = await start(job_timeout=20.0)
    allowances: list[float] = []

    class Noted(Allowance):
        def __init__(self, pid: int, cpu_seconds: float) -> None:
            super().__init__(pid, cpu_seconds)
            allowances.append(cpu_seconds)

    monkeypatch.setattr(process, "Allowance", Noted)
    file = tmp_path / "three.tiff"
    file.write_bytes(three_pages())
    for number in (1, 2, 3):
        await pool.read_page(file, number, ReadOptions())
    assert allowances == [20.0] * 3
    await pool.read_page(file, 1, ReadOptions(timeout=7.0), more_time=True)
    await pool.recognise(KNOWN.data, ReadOptions(timeout=99.0))
    assert allowances[3:] == [7.0, 20.0], "what a client allows, and never more than the pool does"


async def test_an_image_of_several_pages_is_read_in_one_go(start: Callable[..., Awaitable[Watched]]) -> None:
    pool = await start()
    result = await pool.recognise(three_pages())
    assert [page.number for page in result.pages] == [1, 2, 3]
    assert [page.text for page in result.pages] == [KNOWN.text] * 3


async def test_who_has_no_patience_is_told_that_all_workers_are_busy(start: Callable[..., Awaitable[Watched]]) -> None:
    pool = await start()
    os.kill(pool.pids()[0], signal.SIGSTOP)
    job = asyncio.create_task(pool.recognise(KNOWN.data))
    await until_busy(pool)
    with pytest.raises(WorkersBusy):
        await pool.recognise(KNOWN.data, patience=0.01)
    os.kill(pool.pids()[0], signal.SIGCONT)
    assert (await job).text == KNOWN.text
    assert (await pool.recognise(KNOWN.data, patience=0.01)).text == KNOWN.text


async def test_a_worker_that_dies_idle_is_replaced_and_no_job_pays_for_it(
    start: Callable[..., Awaitable[Watched]],
) -> None:
    pool = await start()
    kill_unheard(*pool.pids())
    assert (await pool.recognise(KNOWN.data)).text == KNOWN.text
    assert [event.kind for event in pool.events] == ["started", "died", "started"]


async def test_a_cancelled_recognition_stops_computing(start: Callable[..., Awaitable[Watched]]) -> None:
    pool = await start()
    os.kill(pool.pids()[0], signal.SIGSTOP)
    job = asyncio.create_task(pool.recognise(KNOWN.data))
    await until_busy(pool)
    job.cancel()
    await asyncio.wait({job})
    assert job.cancelled()
    await pool.until("started")
    assert (await pool.recognise(KNOWN.data)).text == KNOWN.text


async def test_errors_of_the_engine_come_through_with_their_code(start: Callable[..., Awaitable[Watched]]) -> None:
    pool = await start()
    pid = pool.pids()[0]
    with pytest.raises(InvalidImage) as caught:
        await pool.recognise(KNOWN.data[: len(KNOWN.data) // 2])
    assert caught.value.worker == "worker-1"
    assert pool.pids() == [pid]


async def test_workers_obey_their_parent_only(start: Callable[..., Awaitable[Watched]]) -> None:
    pool = await start()
    pid = pool.pids()[0]
    for number in (signal.SIGTERM, signal.SIGINT):
        os.kill(pid, number)
    assert (await pool.recognise(KNOWN.data)).text == KNOWN.text
    assert pool.pids() == [pid]


async def test_a_worker_that_cannot_read_the_warm_up_fails_the_start(
    start: Callable[..., Awaitable[Watched]],
) -> None:
    with pytest.raises(PoolUnavailable, match="worker-1 cannot be started"):
        await start(warm_up=b"no image", limits=WorkerLimits(max_failed_starts=1))


@pytest.mark.parametrize("broken", ["__init__", "start"])
@pytest.mark.parametrize("fault", [BlockingIOError("no process"), ValueError("what is this?")])
async def test_a_system_that_grants_no_process_fails_the_start_and_does_not_hang_it(
    start: Callable[..., Awaitable[Watched]], monkeypatch: pytest.MonkeyPatch, broken: str, fault: Exception
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise fault

    monkeypatch.setattr(WorkerProcess, broken, refuse)
    with pytest.raises(PoolUnavailable, match=f"worker-1 cannot be started: .*{fault}"):
        await start(limits=AT_ONCE)


async def test_a_system_that_grants_no_process_for_a_while_costs_no_worker(
    start: Callable[..., Awaitable[Watched]], monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = await start(limits=AT_ONCE)
    whole = WorkerProcess.start
    refused: list[WorkerProcess] = []

    async def refuse_once(process: WorkerProcess, warm_up: bytes) -> DutyReport:
        if not refused:
            refused.append(process)
            raise BlockingIOError("no process")
        return await whole(process, warm_up)

    monkeypatch.setattr(WorkerProcess, "start", refuse_once)
    os.kill(pool.pids()[0], signal.SIGKILL)
    assert (await pool.until("start_failed")).detail == "no process"
    await pool.until("started")
    assert (await pool.recognise(KNOWN.data)).text == KNOWN.text


async def test_a_worker_that_can_never_be_started_again_is_given_up(
    start: Callable[..., Awaitable[Watched]], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(process: WorkerProcess, warm_up: bytes) -> DutyReport:
        raise WarmUpFailed("nothing was read")

    pool = await start(limits=AT_ONCE)
    monkeypatch.setattr(WorkerProcess, "start", refuse)
    os.kill(pool.pids()[0], signal.SIGKILL)
    await pool.failed.wait()
    assert pool.workers()[0].state is WorkerState.FAILED
    with pytest.raises(PoolUnavailable):
        await pool.recognise(KNOWN.data)


async def test_an_idle_worker_may_be_killed_as_often_as_there_are_quiet_nights(
    start: Callable[..., Awaitable[Watched]],
) -> None:
    limits = WorkerLimits(early_death=0.0)
    pool = await start(limits=limits)
    for _ in range(limits.max_failed_starts + 1):
        os.kill(pool.pids()[0], signal.SIGKILL)
        await pool.until("died")
        assert (await pool.next()).kind == "started"
    assert (await pool.recognise(KNOWN.data)).text == KNOWN.text


async def test_close_leaves_no_process_behind(start: Callable[..., Awaitable[Watched]]) -> None:
    pool = await start(workers=2)
    pids = pool.pids()
    await pool.close()
    await pool.close()
    assert not any(psutil.pid_exists(pid) for pid in pids)


ORPHANING = """
import asyncio, sys
from ocr_engine.options import EngineOptions
from ocr_engine.workers.process_pool import ProcessOcrPool

async def main():
    warm_up = open(sys.argv[1], "rb").read()
    pool = ProcessOcrPool(EngineOptions(), workers=1, warm_up=warm_up, job_timeout=60, start_timeout=60)
    await pool.start()
    print(pool.workers()[0].pid, flush=True)
    await asyncio.Event().wait()

if __name__ == "__main__":
    asyncio.run(main())
"""


def test_workers_die_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    script = tmp_path / "parent.py"
    script.write_text(ORPHANING)
    root = str(Path(__file__).parents[2])
    with subprocess.Popen(
        [sys.executable, script, KNOWN.path], stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": root}
    ) as parent:
        assert parent.stdout is not None
        worker = psutil.Process(int(parent.stdout.readline()))
        parent.kill()
    gone, _ = psutil.wait_procs([worker], timeout=10)
    assert gone == [worker]


async def test_a_worker_that_served_long_enough_is_recycled_and_no_job_pays_for_it(
    start: Callable[..., Awaitable[Watched]],
) -> None:
    pool = await start(limits=WorkerLimits(max_jobs=2))
    first = pool.pids()[0]
    for _ in range(2):
        assert (await pool.recognise(KNOWN.data)).text == KNOWN.text
    assert (await pool.until("recycled")).pid == first
    assert [event.kind for event in pool.events] == ["started", "started", "recycled"]
    assert not psutil.pid_exists(first)
    assert (await pool.recognise(KNOWN.data)).text == KNOWN.text


async def test_a_worker_that_grew_too_large_is_recycled(start: Callable[..., Awaitable[Watched]]) -> None:
    pool = await start(limits=WorkerLimits(max_memory=1))
    await pool.recognise(KNOWN.data)
    await pool.until("recycled")


async def test_what_a_worker_writes_is_an_event(start: Callable[..., Awaitable[Watched]]) -> None:
    pool = await start()
    (pid,) = pool.pids()
    Path(f"/proc/{pid}/fd/2").write_bytes(b"libfoo: row 7 is odd\n")
    event = await pool.until("output")
    assert (event.worker, event.pid, event.detail) == ("worker-1", pid, "libfoo: row 7 is odd")


async def test_what_a_worker_writes_never_holds_it_up() -> None:
    heard: list[str] = []
    worker = WorkerProcess(EngineOptions(), DEFAULT_LIMITS.address_space, lambda _, text: heard.append(text))
    await worker.start(KNOWN.data)
    written = await worker.run(60.0, os.write, 1, b"x" * 10_000_000)
    await worker.end()
    assert heard == [f"{'x' * 2000} … and {written - 2000} characters more"]


async def test_a_page_that_used_up_its_cpu_time_in_one_drawing_is_not_read_again() -> None:
    worker = WorkerProcess(EngineOptions(), DEFAULT_LIMITS.address_space, lambda *_: None)
    await worker.start(KNOWN.data)
    try:
        with pytest.raises(InvalidDocument, match="more CPU time") as error:
            await worker.run(60.0, signal.raise_signal, signal.SIGXCPU)  # as the kernel does at a limit
        assert not error.value.retriable
    finally:
        await worker.end()


async def test_a_worker_without_the_memory_for_a_page_says_so_and_is_replaced(
    start: Callable[..., Awaitable[Watched]],
) -> None:
    pool = await start()
    page, (pid,) = io.BytesIO(), pool.pids()
    Image.new("L", (6000, 6000), "white").save(page, "PNG")
    mapped, (_, most) = psutil.Process(pid).memory_info().vms, resource.prlimit(pid, resource.RLIMIT_AS)
    resource.prlimit(pid, resource.RLIMIT_AS, (mapped + 30_000_000, most))
    with pytest.raises(OutOfMemory, match="process may map only"):
        await pool.recognise(page.getvalue())
    died = await pool.until("died")
    assert (died.pid, died.cause) == (pid, "out_of_memory")
    assert (await pool.recognise(KNOWN.data)).text == KNOWN.text


async def test_a_worker_may_map_so_much_and_no_more(
    start: Callable[..., Awaitable[Watched]],
) -> None:
    with pytest.raises(PoolUnavailable):
        await start(limits=WorkerLimits(address_space=2**26, max_failed_starts=1))


async def test_the_pages_of_a_file_are_read_one_by_one_in_any_order(
    start: Callable[..., Awaitable[Watched]], tmp_path: Path
) -> None:
    pool = await start()
    file = tmp_path / "three.tiff"
    file.write_bytes(three_pages())
    assert await pool.open(file, ReadOptions()) == DocumentInfo(media_type="image/tiff", pages=3)
    for number in (3, 1, 2):
        result = await pool.read_page(file, number, ReadOptions())
        assert [page.number for page in result.pages] == [number]
        assert (result.text, result.worker) == (KNOWN.text, "worker-1")
        assert result.timings.total >= result.timings.decode > 0
    with pytest.raises(InvalidDocument, match="no page 4"):
        await pool.read_page(file, 4, ReadOptions())
    assert pool.events[-1].kind == "started", "no worker died of it"


async def test_a_file_stays_open_from_page_to_page_until_it_is_forgotten(
    start: Callable[..., Awaitable[Watched]], tmp_path: Path
) -> None:
    pool = await start()
    (pid,) = pool.pids()
    files = [tmp_path / "first.tiff", tmp_path / "second.png"]
    files[0].write_bytes(three_pages())
    files[1].write_bytes(KNOWN.data)

    def held() -> set[str]:
        return {file.path for file in psutil.Process(pid).open_files()} & {*map(str, files)}

    await pool.read_page(files[0], 1, ReadOptions())
    assert held() == {str(files[0])}
    await pool.read_page(files[1], 1, ReadOptions())
    assert held() == {str(files[1])}
    pool.forget(files[0])
    await pool.open(files[1], ReadOptions())
    assert held() == {str(files[1])}
    pool.forget(files[1])
    with pytest.raises(ImageMissing):  # after which the forgetting is done, too
        await pool.open(tmp_path / "none.png", ReadOptions())
    assert not held()


async def test_a_page_that_is_cancelled_stops_computing(
    start: Callable[..., Awaitable[Watched]], tmp_path: Path
) -> None:
    pool = await start()
    file = tmp_path / "known.png"
    file.write_bytes(KNOWN.data)
    os.kill(pool.pids()[0], signal.SIGSTOP)
    page = asyncio.create_task(pool.read_page(file, 1, ReadOptions()))
    await until_busy(pool)
    page.cancel()
    await asyncio.wait({page})
    assert page.cancelled()
    pool.forget(file)  # of a dead process: harmless
    await pool.until("started")
    assert (await pool.read_page(file, 1, ReadOptions())).text == KNOWN.text


async def test_a_page_is_drawn_for_people_as_wide_as_they_want_it(
    start: Callable[..., Awaitable[Watched]], tmp_path: Path
) -> None:
    pool = await start()
    file = tmp_path / "known.png"
    file.write_bytes(KNOWN.data)
    whole = Image.open(io.BytesIO(KNOWN.data))
    for width in (100, 10_000):
        shown = Image.open(io.BytesIO(await pool.render_page(file, 1, ReadOptions(), width)))
        assert shown.format == "JPEG"
        assert shown.width == min(width, whole.width)
        assert abs(shown.height - whole.height * shown.width / whole.width) <= 1


async def test_a_searchable_pdf_is_written_by_a_worker_and_never_in_the_services_process(
    start: Callable[..., Awaitable[Watched]], tmp_path: Path
) -> None:
    pool = await start()
    file, target = tmp_path / "known.png", tmp_path / "known.pdf"
    file.write_bytes(KNOWN.data)
    pages = (await pool.read_page(file, 1, ReadOptions())).pages
    await pool.write_searchable_pdf(
        PdfOrder(file=file, pages=pages, target=target, options=ReadOptions(), source=Source())
    )
    assert {" ".join(page.split()) for (page,) in texts(target).values()} == {" ".join(KNOWN.text.split())}
    file.unlink()
    with pytest.raises(ImageMissing):
        await pool.write_searchable_pdf(
            PdfOrder(file=file, pages=pages, target=target, options=ReadOptions(), source=Source())
        )
    only_for_workers = "import sys, app.main; sys.exit('pikepdf' in sys.modules or 'pypdfium2' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", only_for_workers], check=False).returncode == 0


async def test_a_page_that_unfolds_without_end_costs_its_own_worker_only(
    start: Callable[..., Awaitable[Watched]], tmp_path: Path
) -> None:
    pool = await start()
    files = [tmp_path / "bomb.pdf", tmp_path / "sound.pdf"]
    files[0].write_bytes(bomb(1000))
    files[1].write_bytes(pdf(typed("Hello from page one"), typed("Hello from page two")))
    assert files[0].stat().st_size < 10_000
    with pytest.raises(WorkerCrashed):
        await pool.read_page(files[0], 1, ReadOptions())
    await pool.until("started")
    assert await pool.open(files[1], ReadOptions()) == DocumentInfo(media_type="application/pdf", pages=2)
    assert (await pool.read_page(files[1], 2, ReadOptions())).text == "Hello from page two"
