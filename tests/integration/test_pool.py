"""The pool with real processes and real models: preloaded, supervised, replaced."""

import asyncio
import io
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from PIL import Image

from ocr_engine.errors import (
    InvalidImage,
    JobTimeout,
    OutOfMemory,
    PageTooCostly,
    PoolUnavailable,
    WorkerCrashed,
    WorkersBusy,
)
from ocr_engine.options import EngineOptions
from ocr_engine.workers.child import NICENESS, DutyReport, WarmUpFailed
from ocr_engine.workers.limits import DEFAULT_LIMITS, WorkerLimits
from ocr_engine.workers.pool import WorkerState
from ocr_engine.workers.process import WorkerProcess
from tests.integration.watched_pool import KNOWN, StartPool, kill_unheard, until_busy

pytestmark = pytest.mark.anyio

AT_ONCE = WorkerLimits(restart_pause=0.0)


async def test_every_worker_is_warm_when_start_returns(start_pool: StartPool) -> None:
    pool = await start_pool(workers=2)
    assert [worker.state for worker in pool.workers()] == [WorkerState.IDLE, WorkerState.IDLE]
    assert [worker.backend for worker in pool.workers()] == ["onnxruntime", "onnxruntime"]
    assert len(set(pool.pids())) == 2
    # the API answers while all cores read
    assert {psutil.Process(pid).nice() for pid in pool.pids()} == {min(19, os.nice(0) + NICENESS)}
    result = await pool.recognise(KNOWN.data)
    assert result.text == KNOWN.text
    assert result.worker in ("worker-1", "worker-2")


async def test_a_killed_worker_costs_its_own_job_only_and_is_replaced(
    start_pool: StartPool,
) -> None:
    pool = await start_pool(workers=2)
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


async def test_a_job_beyond_its_time_loses_its_process_and_no_other(
    start_pool: StartPool,
) -> None:
    pool = await start_pool(job_timeout=0.2)
    hung = pool.pids()[0]
    os.kill(hung, signal.SIGSTOP)
    with pytest.raises(JobTimeout):
        await pool.recognise(KNOWN.data)
    await pool.until("started")
    assert not psutil.pid_exists(hung)
    assert pool.workers()[0].state is WorkerState.IDLE


async def test_who_has_no_patience_is_told_that_all_workers_are_busy(
    start_pool: StartPool,
) -> None:
    pool = await start_pool()
    os.kill(pool.pids()[0], signal.SIGSTOP)
    job = asyncio.create_task(pool.recognise(KNOWN.data))
    await until_busy(pool)
    with pytest.raises(WorkersBusy):
        await pool.recognise(KNOWN.data, patience=0.01)
    os.kill(pool.pids()[0], signal.SIGCONT)
    assert (await job).text == KNOWN.text
    assert (await pool.recognise(KNOWN.data, patience=0.01)).text == KNOWN.text


async def test_a_worker_that_dies_idle_is_replaced_and_no_job_pays_for_it(
    start_pool: StartPool,
) -> None:
    pool = await start_pool()
    kill_unheard(*pool.pids())
    assert (await pool.recognise(KNOWN.data)).text == KNOWN.text
    assert [event.kind for event in pool.events] == ["started", "died", "started"]


async def test_a_cancelled_recognition_stops_computing(start_pool: StartPool) -> None:
    pool = await start_pool()
    os.kill(pool.pids()[0], signal.SIGSTOP)
    job = asyncio.create_task(pool.recognise(KNOWN.data))
    await until_busy(pool)
    job.cancel()
    await asyncio.wait({job})
    assert job.cancelled()
    await pool.until("started")
    assert (await pool.recognise(KNOWN.data)).text == KNOWN.text


async def test_errors_of_the_engine_come_through_with_their_code(start_pool: StartPool) -> None:
    pool = await start_pool()
    pid = pool.pids()[0]
    with pytest.raises(InvalidImage) as caught:
        await pool.recognise(KNOWN.data[: len(KNOWN.data) // 2])
    assert caught.value.worker == "worker-1"
    assert pool.pids() == [pid]


async def test_workers_obey_their_parent_only(start_pool: StartPool) -> None:
    pool = await start_pool()
    pid = pool.pids()[0]
    for number in (signal.SIGTERM, signal.SIGINT):
        os.kill(pid, number)
    assert (await pool.recognise(KNOWN.data)).text == KNOWN.text
    assert pool.pids() == [pid]


async def test_a_worker_that_cannot_read_the_warm_up_fails_the_start(
    start_pool: StartPool,
) -> None:
    with pytest.raises(PoolUnavailable, match="worker-1 cannot be started"):
        await start_pool(warm_up=b"no image", limits=WorkerLimits(max_failed_starts=1))


@pytest.mark.parametrize("broken", ["__init__", "start"])
@pytest.mark.parametrize("fault", [BlockingIOError("no process"), ValueError("what is this?")])
async def test_a_system_that_grants_no_process_fails_the_start_and_does_not_hang_it(
    start_pool: StartPool, monkeypatch: pytest.MonkeyPatch, broken: str, fault: Exception
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise fault

    monkeypatch.setattr(WorkerProcess, broken, refuse)
    with pytest.raises(PoolUnavailable, match=f"worker-1 cannot be started: .*{fault}"):
        await start_pool(limits=AT_ONCE)


async def test_a_system_that_grants_no_process_for_a_while_costs_no_worker(
    start_pool: StartPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = await start_pool(limits=AT_ONCE)
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
    start_pool: StartPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(process: WorkerProcess, warm_up: bytes) -> DutyReport:
        raise WarmUpFailed("nothing was read")

    pool = await start_pool(limits=AT_ONCE)
    monkeypatch.setattr(WorkerProcess, "start", refuse)
    os.kill(pool.pids()[0], signal.SIGKILL)
    await pool.failed.wait()
    assert pool.workers()[0].state is WorkerState.FAILED
    with pytest.raises(PoolUnavailable):
        await pool.recognise(KNOWN.data)


async def test_an_idle_worker_may_be_killed_as_often_as_there_are_quiet_nights(
    start_pool: StartPool,
) -> None:
    limits = WorkerLimits(early_death=0.0)
    pool = await start_pool(limits=limits)
    for _ in range(limits.max_failed_starts + 1):
        os.kill(pool.pids()[0], signal.SIGKILL)
        await pool.until("died")
        assert (await pool.next()).kind == "started"
    assert (await pool.recognise(KNOWN.data)).text == KNOWN.text


async def test_close_leaves_no_process_behind(start_pool: StartPool) -> None:
    pool = await start_pool(workers=2)
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
    start_pool: StartPool,
) -> None:
    pool = await start_pool(limits=WorkerLimits(max_jobs=2))
    first = pool.pids()[0]
    for _ in range(2):
        assert (await pool.recognise(KNOWN.data)).text == KNOWN.text
    assert (await pool.until("recycled")).pid == first
    assert [event.kind for event in pool.events] == ["started", "started", "recycled"]
    assert not psutil.pid_exists(first)
    assert (await pool.recognise(KNOWN.data)).text == KNOWN.text


async def test_a_worker_that_grew_too_large_is_recycled(start_pool: StartPool) -> None:
    pool = await start_pool(limits=WorkerLimits(max_memory=1))
    await pool.recognise(KNOWN.data)
    await pool.until("recycled")


async def test_what_a_worker_writes_is_an_event(start_pool: StartPool) -> None:
    pool = await start_pool()
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
        with pytest.raises(PageTooCostly, match="more CPU time") as error:
            await worker.run(60.0, signal.raise_signal, signal.SIGXCPU)  # as the kernel does at a limit
        assert not error.value.retriable
    finally:
        await worker.end()


async def test_a_worker_that_a_library_ends_for_want_of_memory_says_so() -> None:
    worker = WorkerProcess(EngineOptions(), DEFAULT_LIMITS.address_space, lambda *_: None)
    await worker.start(KNOWN.data)
    try:
        # as pdfium's, OpenCV's and ONNX Runtime's C++ end where nobody catches it
        await worker.run(60.0, os.write, 2, b"terminate called after throwing an instance of 'std::bad_alloc'\n")
        with pytest.raises(OutOfMemory, match="the memory for this page"):
            await worker.run(60.0, os.abort)
    finally:
        await worker.end()


async def test_a_worker_without_the_memory_for_a_page_says_so_and_is_replaced(
    start_pool: StartPool,
) -> None:
    pool = await start_pool()
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
    start_pool: StartPool,
) -> None:
    with pytest.raises(PoolUnavailable):
        await start_pool(limits=WorkerLimits(address_space=2**26, max_failed_starts=1))
