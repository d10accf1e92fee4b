"""A long run in peace under steady load: memory and latency must stay where they were."""

import itertools
import threading
import time
from pathlib import Path

import httpx
import psutil
from msgspec import Struct

from samples import sample
from tests.e2e.conftest import Server

PARTS = 6
"""The run is told in so many parts: what grows shows."""
IMAGES = ("health", "tiny", "dark", "receipt")
POLL_SECONDS = 0.05


class Part(Struct, frozen=True, kw_only=True):
    """One part of the run. Memory is resident, at the part's end; times are milliseconds as the client sees them."""

    jobs: int
    service_megabytes: int
    worker_megabytes: list[int]
    database_megabytes: float
    upload_p50: float
    upload_p99: float
    poll_p50: float
    poll_p99: float
    wrong: int
    """Answers that are none, errors, texts that are not the sample's."""


class _Clients:
    """Each uploads, polls until the text is there, and begins again."""

    def __init__(self, url: str, clients: int) -> None:
        self._url = url
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(number,)) for number in range(clients)]
        self.uploads: list[float] = []
        self.polls: list[float] = []
        self.wrong = 0
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _run(self, number: int) -> None:
        with httpx.Client(base_url=self._url, timeout=60) as client:
            for name in itertools.islice(itertools.cycle(IMAGES), number, None):
                if self._stop.is_set():
                    return
                try:
                    self._one(client, name)
                except (httpx.HTTPError, KeyError):
                    self.wrong += 1

    def _one(self, client: httpx.Client, name: str) -> None:
        known = sample(name)
        begun = time.perf_counter()
        answer = client.post("/images", files={"file": known.data})
        self.uploads.append(time.perf_counter() - begun)
        job = answer.json()
        while job["status"] in ("queued", "processing") and not self._stop.wait(POLL_SECONDS):
            begun = time.perf_counter()
            answer = client.get(f"/images/{job['id']}")
            self.polls.append(time.perf_counter() - begun)
            job = answer.json()
        if job["status"] == "done":
            self.wrong += job["text"] != known.text


def soak(directory: Path, *, minutes: float, workers: int, clients: int) -> list[Part]:
    """Runs the service for so long and tells it in parts."""
    server = Server(directory, {"MAX_WORKERS": str(workers), "LOG_LEVEL": "INFO"}).ready()
    service = psutil.Process(server.process.pid)
    load = _Clients(str(server.client.base_url), clients)
    parts = []
    try:
        for _ in range(PARTS):
            load.uploads, load.polls, load.wrong = [], [], 0
            done = len(server.entries("job.done"))
            time.sleep(minutes * 60 / PARTS)
            with server.news:
                server.log[:] = server.entries("job.done")  # requests would fill our own memory
            parts.append(
                Part(
                    jobs=len(server.log) - done,
                    service_megabytes=_megabytes(service),
                    worker_megabytes=[_megabytes(psutil.Process(pid)) for pid in server.worker_pids()],
                    database_megabytes=round(sum(f.stat().st_size for f in directory.iterdir()) / 2**20, 1),
                    upload_p50=_quantile(load.uploads, 0.5),
                    upload_p99=_quantile(load.uploads, 0.99),
                    poll_p50=_quantile(load.polls, 0.5),
                    poll_p99=_quantile(load.polls, 0.99),
                    wrong=load.wrong,
                )
            )
    finally:
        load.stop()
        server.stop()
    return parts


def _megabytes(process: psutil.Process) -> int:
    return int(process.memory_info().rss / 2**20)


def _quantile(seconds: list[float], share: float) -> float:
    ordered = sorted(seconds)
    return round(ordered[int(share * (len(ordered) - 1))] * 1000, 1) if ordered else 0.0
