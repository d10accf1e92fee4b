"""One place in a cluster, taken by one life after the other; and how soon others had what a life left behind."""

import statistics
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from msgspec import Struct

from tests.e2e.conftest import Server

END_EVENTS = ("job.done", "job.retried", "job.dead_lettered", "job.put_back", "job.outcome_dropped")


class Node:
    """Its address and role stay the same in every life."""

    def __init__(self, name: str, directory: Path, settings: dict[str, str], module: str) -> None:
        self.name = name
        self.settings = settings
        self.lives: list[Server] = []
        self._directory = directory
        self._module = module

    @property
    def server(self) -> Server:
        """The latest life."""
        return self.lives[-1]

    def start(self) -> None:
        """Begins another life."""
        self.lives.append(Server(self._directory, self.settings, self._module))

    def revive(self) -> int | None:
        """As whoever runs the service does, starts one that ended by itself; gives the exit code that it had."""
        code = self.server.process.poll()
        if code is not None:
            self.bury()
            self.start()
        return code

    def wait_until_listening(self) -> None:
        """Returns when it serves, after as many tries as it takes."""
        while True:
            self.server.wait_until(
                lambda: bool(self.server.ended_itself or self.server.entries("service.listening")), "a start"
            )
            if not self.server.ended_itself:
                return
            self.server.process.wait()
            self.revive()

    def bury(self) -> int:
        """Waits for the end of this life; its exit code."""
        code = self.server.process.wait(60)
        self.server.reader.join()
        return code

    def end(self) -> None:
        """Kills what still lives, and closes what was open."""
        for life in self.lives:
            life.process.kill()
            life.process.wait()
            life.reader.join()
            if life.process.stdout is not None:
                life.process.stdout.close()


class Blow(Struct, frozen=True):
    """A fault that took a life out of its work."""

    fault: str
    life: Server
    at: datetime


class Takeover(Struct, frozen=True):
    """Seconds from a blow until another life touched a job that the struck one was reading."""

    jobs: int
    median: float
    longest: float


def takeovers(blows: Iterable[Blow], nodes: Iterable[Node]) -> dict[str, Takeover]:
    """By fault; only of jobs that a life was reading when it was struck and that another one then took."""
    lives = [life for node in nodes for life in node.lives]
    waits: dict[str, list[float]] = {}
    for blow in blows:
        for job_id in _reading(blow):
            others = [
                when
                for life in lives
                if life is not blow.life
                for entry in life.log
                if entry.get("job_id") == job_id
                and entry["event"] in ("job.retried", "job.claimed", "job.dead_lettered")
                and (when := _time(entry)) > blow.at
            ]
            if others:  # otherwise it woke, and ended the job itself
                waits.setdefault(blow.fault, []).append((min(others) - blow.at).total_seconds())
    return {
        fault: Takeover(len(found), round(statistics.median(found), 1), round(max(found), 1))
        for fault, found in waits.items()
    }


def _reading(blow: Blow) -> set[str]:
    """The jobs that the life had claimed before the blow and not ended by then."""
    reading: set[str] = set()
    for entry in blow.life.log:
        if _time(entry) > blow.at:
            break
        if entry["event"] == "job.claimed":
            reading.add(entry["job_id"])
        elif entry["event"] in END_EVENTS:
            reading.discard(entry["job_id"])
    return reading


def _time(entry: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(entry["time"])
