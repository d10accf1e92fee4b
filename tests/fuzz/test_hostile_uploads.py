"""A few hundred hostile files through the whole service: every one gets its answer, and nothing else is touched."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from ocr_engine.errors import (
    InvalidDocument,
    InvalidImage,
    PasswordRequired,
    TooManyPages,
    TooManyPixels,
    UnsupportedImage,
)
from samples import sample
from tests.e2e.conftest import Server
from tests.fuzz.hostile import blank_png, hostile_files

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

MAX_PIXELS = 12_000_000
REFUSALS = (InvalidDocument, InvalidImage, PasswordRequired, TooManyPages, TooManyPixels, UnsupportedImage)
SERVICE_BYTES = 500_000_000
WORKER_BYTES = 1_200_000_000


def peak(pid: int, what: str = "VmHWM") -> int:
    """Most bytes that the process ever had resident, or mapped (VmPeak): proc_pid_status(5)."""
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith(f"{what}:"))


def test_hostile_files_are_refused_or_read_and_harm_nobody(start: Callable[..., Server]) -> None:
    files = hostile_files(MAX_PIXELS)
    assert len(files) > 300
    server = start(MAX_IMAGE_PIXELS=str(MAX_PIXELS), MAX_WORKERS="2").ready()
    jobs, refusals = {}, Counter[str]()
    for number, (name, data) in enumerate(files.items()):
        if number % 2:
            answer = server.client.post("/images", files={"file": (name, data, "image/png")})
        else:
            answer = server.client.post("/images", content=data, headers={"Content-Type": "image/jpeg"})
        assert answer.status_code == 202 or 400 <= answer.status_code < 500, (name, answer.text)
        if answer.status_code == 202:
            jobs[name] = answer.json()["id"]
        else:
            problem = answer.json()
            assert problem["request_id"] == answer.headers["X-Request-ID"]
            refusals[problem["code"]] += 1
    ends = {name: server.ended(job_id) for name, job_id in jobs.items()}
    client_fault = {error.code for error in REFUSALS}
    wrong = {
        name: job["error"]
        for name, job in ends.items()
        if job["status"] != "done" and job["error"]["code"] not in client_fault
    }
    assert not wrong
    assert {job["attempts"] for job in ends.values()} == {1}
    assert all(ends[name]["status"] == "done" for name in ends if name.startswith("sound"))
    assert set(refusals) <= client_fault | {"missing_file", "malformed_request"}

    assert not server.entries("worker.died")
    assert peak(server.process.pid) < SERVICE_BYTES
    for pid in server.worker_pids():
        assert peak(pid) < WORKER_BYTES
    assert server.client.get("/health/ready").status_code == 200
    assert server.ended(server.upload(sample("health").data))["text"] == sample("health").text
    assert not [entry for entry in server.log if "exception" in entry]


def test_an_image_that_needs_more_memory_than_a_worker_may_map_ends_its_job_only(start: Callable[..., Server]) -> None:
    server = start().ready()
    mapped = peak(server.worker_pids()[0], "VmPeak")
    server.stop()
    server = start(WORKER_ADDRESS_SPACE_BYTES=str(mapped + 100_000_000), MAX_ATTEMPTS="1").ready()
    job = server.ended(server.upload(blank_png(8000, 7900)))
    assert (job["status"], job["text"]) == ("dead-letter", "")
    assert job["error"]["code"] in ("invalid_image", "engine_error", "worker_crashed", "out_of_memory")
    assert server.ended(server.upload(sample("health").data))["text"] == sample("health").text
    assert server.client.get("/health/ready").status_code == 200
