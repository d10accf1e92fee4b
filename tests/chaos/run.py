"""One run of chaos: load, faults, a last life in peace, the account."""

import asyncio
import math
import socket
import time
from collections import Counter
from pathlib import Path

from msgspec import Struct

from tests.chaos.audit import Audit, audit
from tests.chaos.load import Load
from tests.chaos.monkey import Monkey
from tests.e2e.conftest import Server

SETTINGS = {
    "MAX_WORKERS": "2",
    "QUEUE_LIMIT": "10",
    "JOB_TIMEOUT_SECONDS": "2",  # of CPU time: what hangs ends after 10
    "RETRY_BASE_SECONDS": "0.05",
    "RETRY_MAX_SECONDS": "0.5",
    "START_TIMEOUT_SECONDS": "20",  # one may be hung while it starts
    "DRAIN_SECONDS": "1",
    "WORKER_MAX_JOBS": "25",  # recycling happens as well
}
QUIET_SECONDS = 2.0
"""The monkey strikes after so long even where the log says nothing more."""


class Report(Struct, frozen=True, kw_only=True):
    """A run in figures; `faults` must be empty."""

    seed: int
    lives: int
    struck: dict[str, int]
    refused: dict[str, int]
    audit: Audit
    faults: list[str]


def run(directory: Path, *, seed: int, seconds: float = math.inf, faults: float = math.inf, clients: int = 4) -> Report:
    """Strikes for so long or so often, then lets everything come to its end and draws up the account."""
    port = free_port()
    settings = SETTINGS | {"PORT": str(port)}
    monkey, load = Monkey(seed), Load(f"http://127.0.0.1:{port}", clients=clients, seed=seed)
    end = time.monotonic() + seconds
    lives = [Server(directory, settings)]
    load.start()
    try:
        while time.monotonic() < end and sum(monkey.done.values()) < faults:
            if not monkey.disturbs_start():
                lives[-1].wait_for("service.listening")
            _let_pass(lives[-1], monkey.lines())
            if monkey.strike(lives[-1]):
                lives.append(Server(directory, settings))
        lives[-1].wait_for("service.listening")
        load.stop()
        _come_to_rest(lives[-1])
        exit_code = lives[-1].stop()
    finally:
        load.stop()
        lives[-1].process.kill()
    done = Counter(entry["job_id"] for life in lives for entry in life.entries("job.done"))
    known = dict.fromkeys(entry["job_id"] for life in lives for entry in life.entries("job.accepted"))
    account = asyncio.run(audit(f"sqlite:///{directory}/jobs.db", known | load.accepted, done))
    for life in lives:
        assert life.process.stdout is not None
        life.process.stdout.close()
    return Report(
        seed=seed,
        lives=len(lives),
        struck=monkey.done,
        refused=load.refused,
        audit=account,
        faults=[
            *account.faults,
            *load.broken_promises,
            *monkey.faults,
            *([f"the last life ended with {exit_code}"] if exit_code else []),
            *(f"the log has {entry}" for life in lives for entry in _surprises(life)),
        ],
    )


def _let_pass(server: Server, lines: int) -> None:
    """Returns when so many more lines were logged, or none for a while."""
    wanted = len(server.log) + lines
    with server.news:
        server.news.wait_for(lambda: len(server.log) >= wanted or server.ended_itself, QUIET_SECONDS)


def _come_to_rest(server: Server) -> None:
    """Returns when every job that the last life took over or accepted has ended."""

    def at_rest() -> bool:
        taken_over = sum(int(entry["jobs"]) for entry in server.entries("jobs.resumed"))
        ended = len(server.entries("job.done")) + len(server.entries("job.dead_lettered"))
        return ended >= taken_over + len(server.entries("job.accepted"))

    server.wait_until(at_rest, "the end of every job")


def _surprises(life: Server) -> list[str]:
    """Events that no fault of ours explains."""
    unexplained = ("request.failed", "job.internal_error", "job.handler_failed", "job.outcome_dropped", "uvicorn.error")
    return [str(entry) for entry in life.log if entry["event"] in unexplained and entry["level"] != "INFO"]


def free_port() -> int:
    """One that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])
