"""The real server as a process: started by the README's command, spoken to over HTTP, killed like any process."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

ROOT = Path(__file__).parents[2]
PATIENCE = 60.0
"""Seconds after which an event that did not come fails the test."""


class Server:
    """`python -m app` on a free port, its log read line by line."""

    def __init__(self, directory: Path, settings: dict[str, str], module: str = "app") -> None:
        self.log: list[dict[str, Any]] = []
        self.news = threading.Condition()
        environment = {
            **os.environ,
            "DATABASE_URL": f"sqlite:///{directory}/jobs.db",
            "PORT": "0",
            "MAX_WORKERS": "1",
            "LOG_LEVEL": "DEBUG",
            "OCR_BACKEND": "onnxruntime",  # tests have OpenVINO installed, and no time for a trial of it
            **settings,
        }
        self.process = subprocess.Popen(
            [sys.executable, "-m", module], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
        )
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with self.news:
                self.log.append(json.loads(line))
                self.news.notify_all()
        with self.news:
            self.news.notify_all()  # the end of the log is news too

    def wait_until(self, predicate: Callable[[], bool], what: str) -> None:
        """Returns when the predicate holds; it is asked again with every line of the log."""
        with self.news:
            self.news.wait_for(lambda: predicate() or self.ended_itself, PATIENCE)
            assert predicate(), f"waited in vain for {what}; the log ends with {self.log[-5:]}"

    @property
    def ended_itself(self) -> bool:
        return not self.reader.is_alive()

    def entries(self, event: str, **fields: Any) -> list[dict[str, Any]]:
        """The log's entries of that event with these fields."""
        wanted = {"event": event, **fields}
        return [entry for entry in self.log if wanted.items() <= entry.items()]

    def wait_for(self, event: str, count: int = 1, **fields: Any) -> dict[str, Any]:
        """The count-th such entry of the log, once it is there."""
        self.wait_until(lambda: len(self.entries(event, **fields)) >= count, f"{count} x {event} {fields}")
        return self.entries(event, **fields)[count - 1]

    def ready(self) -> "Server":
        """The server, once it listens."""
        self.url = str(self.wait_for("service.listening")["url"])
        self.client = httpx.Client(base_url=self.url, timeout=PATIENCE)
        return self

    def upload(self, image: bytes) -> str:
        answer = self.client.post("/images", files={"file": image})
        assert answer.status_code == 202, answer.text
        return str(answer.json()["id"])

    def ended(self, job_id: str) -> dict[str, Any]:
        """The job, once the log says that it has ended."""
        self.wait_until(
            lambda: bool(self.entries("job.done", job_id=job_id) or self.entries("job.dead_lettered", job_id=job_id)),
            f"the end of job {job_id}",
        )
        answer = self.client.get(f"/images/{job_id}")
        assert answer.status_code == 200
        return dict(answer.json())

    def worker_pids(self) -> list[int]:
        """The OCR processes; Python's resource tracker is a child too."""
        children = psutil.Process(self.process.pid).children()
        return [child.pid for child in children if "spawn_main" in str(child.cmdline())]

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Sends the signal, waits for the end, gives the exit code."""
        self.process.send_signal(number)
        code = self.process.wait(PATIENCE)
        self.reader.join(PATIENCE)
        return code


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Starts servers on one data directory; whatever still runs at the end is killed."""
    servers: list[Server] = []

    def started(**settings: str) -> Server:
        server = Server(tmp_path, settings)
        servers.append(server)
        return server

    yield started
    for server in servers:
        if server.process.poll() is None:
            server.process.kill()
        server.process.wait(PATIENCE)
        server.reader.join(PATIENCE)
        assert server.process.stdout is not None
        server.process.stdout.close()
        if hasattr(server, "client"):
            server.client.close()
