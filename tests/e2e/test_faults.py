"""Faults around the running service: a disk that takes nothing, a worker that hangs."""

import os
import resource
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psutil
import pytest

from samples import sample
from tests.e2e.conftest import Server

pytestmark = pytest.mark.e2e

KNOWN = sample("health")


@contextmanager
def nothing_can_be_written(server: Server) -> Iterator[None]:
    """Every write to a file fails (EFBIG), as on a full or read-only disk; needs no mount and no root."""
    _, most = resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (0, most))
    yield
    resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (most, most))


def test_a_store_that_takes_nothing_refuses_uploads_keeps_outcomes_and_heals_by_itself(
    start: Callable[..., Server],
) -> None:
    server = start().ready()
    (worker,) = server.worker_pids()
    os.kill(worker, signal.SIGSTOP)
    running, waiting = server.upload(KNOWN.data), server.upload(KNOWN.data)
    server.wait_for("job.claimed", job_id=running)
    with nothing_can_be_written(server):
        refused = server.client.post("/images", content=KNOWN.data, headers={"Content-Type": "image/png"})
        assert (refused.status_code, refused.json()["code"]) == (503, "store_unavailable")
        assert int(refused.headers["Retry-After"]) >= 1
        assert server.client.get("/health/ready").status_code == 503
        os.kill(worker, signal.SIGCONT)
        server.wait_for("store.write_failed", job_id=running)
        assert server.client.get(f"/images/{running}").json()["status"] == "processing"
        assert server.client.get("/health/live").status_code == 200
    for job_id in (running, waiting):
        job = server.ended(job_id)
        assert (job["status"], job["text"], job["attempts"]) == ("done", KNOWN.text, 1)
    assert server.client.get("/health/ready").status_code == 200
    assert server.ended(server.upload(KNOWN.data))["status"] == "done"
    assert server.stop() == 0


def test_a_worker_that_hangs_costs_one_attempt_and_leaves_no_zombie(start: Callable[..., Server]) -> None:
    server = start(JOB_TIMEOUT_SECONDS="1", RETRY_BASE_SECONDS="0.01").ready()
    (worker,) = server.worker_pids()
    os.kill(worker, signal.SIGSTOP)
    job_id = server.upload(KNOWN.data)
    server.wait_for("job.retried", job_id=job_id, code="timeout")
    server.wait_for("worker.started", count=2)
    states = [child.status() for child in psutil.Process(server.process.pid).children()]
    assert psutil.STATUS_ZOMBIE not in states
    assert worker not in server.worker_pids()
