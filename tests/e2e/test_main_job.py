"""The main job as its users do it: the real server, real OCR, real kills."""

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from samples import all_samples, sample
from tests.e2e.conftest import ROOT, Server

pytestmark = pytest.mark.e2e

KNOWN = sample("health")


def test_every_sample_is_read_as_its_text_says(start: Callable[..., Server]) -> None:
    server = start(MAX_WORKERS="2").ready()
    ids = {each.name: server.upload(each.data) for each in all_samples()}
    read = {name: server.ended(job_id)["text"] for name, job_id in ids.items()}
    assert read == {each.name: each.text for each in all_samples()}


def test_the_api_answers_while_every_worker_reads(start: Callable[..., Server]) -> None:
    server = start(MAX_WORKERS="2").ready()
    with ThreadPoolExecutor(8) as clients:
        ids = list(clients.map(server.upload, [sample("receipt").data] * 8))
    server.wait_for("job.claimed", count=2)
    assert server.client.get("/health/live").status_code == 200
    assert {server.client.get(f"/images/{job_id}").status_code for job_id in ids} <= {200, 202}
    assert {server.ended(job_id)["status"] for job_id in ids} == {"done"}
    assert {entry["worker"] for entry in server.entries("job.done")} == {"worker-1", "worker-2"}


def test_a_killed_worker_costs_one_attempt_of_one_job(start: Callable[..., Server]) -> None:
    server = start(RETRY_BASE_SECONDS="0.01").ready()
    (victim,) = server.worker_pids()
    os.kill(victim, signal.SIGSTOP)  # so that it surely is in the middle of the job
    first, second = server.upload(KNOWN.data), server.upload(KNOWN.data)
    server.wait_for("job.claimed", job_id=first)
    os.kill(victim, signal.SIGKILL)
    one, other = server.ended(first), server.ended(second)
    assert (one["status"], one["attempts"], one["failures"][0]["code"]) == ("done", 2, "worker_crashed")
    assert (other["status"], other["attempts"], other["failures"]) == ("done", 1, [])


def test_a_killed_service_loses_nothing_and_runs_nothing_twice(start: Callable[..., Server]) -> None:
    server = start().ready()
    ids = [server.upload(KNOWN.data) for _ in range(20)]
    server.wait_for("job.done", count=3)
    workers = [psutil.Process(pid) for pid in server.worker_pids()]
    server.stop(signal.SIGKILL)
    assert not psutil.wait_procs(workers, timeout=10)[1]
    again = start(RETRY_BASE_SECONDS="0.01").ready()
    for job_id in ids:
        assert again.client.get(f"/images/{job_id}").status_code in (200, 202)
    again.wait_until(
        lambda: len({entry["job_id"] for run in (server, again) for entry in run.entries("job.done")}) == 20,
        "all 20 jobs",
    )
    done = Counter(entry["job_id"] for run in (server, again) for entry in run.entries("job.done"))
    assert done == dict.fromkeys(ids, 1)
    assert {again.client.get(f"/images/{job_id}").json()["text"] for job_id in ids} == {KNOWN.text}


def test_a_stop_lets_the_running_job_finish_and_keeps_the_waiting_ones(start: Callable[..., Server]) -> None:
    server = start().ready()
    ids = [server.upload(sample("receipt").data) for _ in range(5)]
    server.wait_for("job.claimed")
    assert server.stop(signal.SIGTERM) == 0
    finished = {entry["job_id"] for entry in server.entries("job.done")}
    assert 1 <= len(finished) < 5
    assert not server.entries("job.put_back")
    again = start().ready()
    again.wait_for("job.done", count=5 - len(finished))
    assert {again.client.get(f"/images/{job_id}").json()["attempts"] for job_id in ids} == {1}


def test_a_stop_puts_back_what_outlasts_the_drain_and_says_which(start: Callable[..., Server]) -> None:
    server = start(DRAIN_SECONDS="0.1").ready()
    os.kill(server.worker_pids()[0], signal.SIGSTOP)
    job_id = server.upload(KNOWN.data)
    server.wait_for("job.claimed")
    assert server.stop(signal.SIGINT) == 0
    assert server.entries("job.put_back", job_id=job_id)
    again = start().ready()
    assert again.ended(job_id)["attempts"] == 1


def test_a_second_signal_puts_the_running_job_back_at_once(start: Callable[..., Server]) -> None:
    server = start(DRAIN_SECONDS="3600").ready()
    os.kill(server.worker_pids()[0], signal.SIGSTOP)
    job_id = server.upload(KNOWN.data)
    server.wait_for("job.claimed")
    server.process.send_signal(signal.SIGTERM)
    server.wait_for("service.draining")
    assert server.stop(signal.SIGTERM) == 0
    assert server.entries("job.put_back", job_id=job_id)
    assert server.entries("service.drained")
    again = start().ready()
    assert again.ended(job_id)["attempts"] == 1


def test_a_signal_during_the_start_ends_it_and_leaves_no_process(start: Callable[..., Server]) -> None:
    server = start()
    while not (workers := server.worker_pids()):
        pass
    os.kill(workers[0], signal.SIGSTOP)  # so that the start takes as long as the test needs
    assert server.stop(signal.SIGTERM) == 0
    assert server.entries("service.start_stopped")
    assert not server.entries("service.listening")
    assert not [entry for entry in server.log if entry["level"] in ("ERROR", "CRITICAL")]
    assert not psutil.pid_exists(workers[0])


def test_the_log_is_one_json_object_a_line_with_what_operators_need(start: Callable[..., Server]) -> None:
    server = start().ready()
    answer = server.client.post("/images", content=KNOWN.data, headers={"X-Request-ID": "req-7"})
    server.ended(answer.json()["id"])
    server.stop()
    assert all({"time", "level", "event", "message"} <= entry.keys() for entry in server.log)
    accepted = server.entries("job.accepted")[0]
    done = server.entries("job.done")[0]
    assert accepted["request_id"] == "req-7"
    assert {"job_id", "attempt", "worker", "wait_seconds", "ocr_seconds"} <= done.keys()
    assert server.entries("request", method="POST", status=202, request_id="req-7")
    assert KNOWN.text not in json.dumps(server.log)


def test_the_health_of_the_recognition_is_good(start: Callable[..., Server]) -> None:
    server = start().ready()
    view = server.client.get("/health/ai").json()
    assert (view["status"] in ("good", "acceptable"), view["sample_text"]) == (True, KNOWN.text)


def test_wrong_settings_are_all_named_and_end_the_start(tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-m", "app"],
        cwd=ROOT,
        env={**os.environ, "PORT": "http", "MAX_ATTEMPTS": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 2
    assert "PORT='http'" in run.stderr
    assert "MAX_ATTEMPTS='0'" in run.stderr


def test_help_explains_every_setting() -> None:
    run = subprocess.run([sys.executable, "-m", "app", "--help"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "MAX_WORKERS" in run.stdout


def test_a_store_that_cannot_be_opened_ends_the_start_and_is_left_alone(
    start: Callable[..., Server], tmp_path: Path
) -> None:
    broken = tmp_path / "jobs.db"
    broken.write_bytes(b"this is no database, but somebody may want it back" * 100)
    before = broken.read_bytes()
    server = start()
    assert server.process.wait(60) == 3
    assert broken.read_bytes() == before
    assert "jobs.db" in json.dumps(server.log)
