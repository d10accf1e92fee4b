"""Clients that upload without a pause and remember what was promised to them."""

import random
import threading
from collections import Counter
from typing import Any

import httpx
from msgspec import Struct

from samples import sample

BROKEN = "broken"
"""An image whose header is fine and whose pixels are cut off: its job can only end as a dead letter."""
_GOOD = ("health", "tiny", "dark")


class Expectation(Struct, frozen=True):
    """What a job has to end as."""

    image: str
    text: str | None
    """None: `invalid_image`."""


def images() -> dict[str, tuple[bytes, Expectation]]:
    """Name -> bytes and what becomes of them."""
    chosen = {name: (sample(name).data, Expectation(name, sample(name).text)) for name in _GOOD}
    data = sample("dark").data
    return chosen | {BROKEN: (data[: len(data) // 2], Expectation(BROKEN, None))}


class Load:
    """Threads, each with its own seeded choice of images; they outlive the service's lives."""

    def __init__(self, *urls: str, clients: int, seed: int, patience: float = 30.0) -> None:
        """Each request goes to any of the nodes; after `patience` seconds without an answer it is given up."""
        self.accepted: dict[str, Expectation] = {}
        self.unanswered = 0
        """Uploads whose answer never came: their jobs may exist or not."""
        self.refused: Counter[str] = Counter()
        """Uploads that were answered with a problem, by its code: allowed, as long as nothing was promised."""
        self.broken_promises: list[str] = []
        """What a client saw that must never be."""
        self._urls = urls
        self._patience = patience
        self._images = images()
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, args=(random.Random(f"{seed}/{number}"),), name=f"client-{number}")
            for number in range(clients)
        ]

    def start(self) -> None:
        """Begins; the service need not be there yet."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Returns when no client waits for anything any more."""
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _run(self, rng: random.Random) -> None:
        mine: list[str] = []
        with httpx.Client(timeout=self._patience) as client:
            while not self._stop.is_set():
                try:
                    self._upload(client, rng, mine)
                    self._poll(client, rng, mine)
                except httpx.TransportError:
                    self._stop.wait(0.05)  # between two lives

    def _upload(self, client: httpx.Client, rng: random.Random, mine: list[str]) -> None:
        data, expectation = self._images[rng.choices((*_GOOD, BROKEN), weights=(3, 3, 3, 1))[0]]
        url = f"{rng.choice(self._urls)}/images"
        try:
            if rng.random() < 0.5:
                answer = client.post(url, files={"file": ("scan", data)})
            else:
                answer = client.post(url, content=data, headers={"Content-Type": "image/png"})
        except httpx.ConnectError:
            raise  # nobody can have got it
        except httpx.TransportError:
            self.unanswered += 1
            raise
        if answer.status_code == 202:
            job_id = str(answer.json()["id"])
            self.accepted[job_id] = expectation
            mine.append(job_id)
        else:
            self.refused[str(answer.json()["code"])] += 1
            if answer.status_code not in (503, 507):
                self.broken_promises.append(f"an upload was answered {answer.status_code}: {answer.text}")
            self._stop.wait(0.3)

    def _poll(self, client: httpx.Client, rng: random.Random, mine: list[str]) -> None:
        if mine:
            job_id = rng.choice(mine)
            answer = client.get(f"{rng.choice(self._urls)}/images/{job_id}")
            if answer.status_code == 200:
                self._check(job_id, answer.json())
            elif answer.status_code not in (202, 503):
                self.broken_promises.append(f"{job_id} was accepted and is now {answer.status_code}: {answer.text}")

    def _check(self, job_id: str, view: dict[str, Any]) -> None:
        expected = self.accepted[job_id]
        if view["status"] == "done" and view["text"] != expected.text:
            self.broken_promises.append(f"{job_id} ({expected.image}) was read as {view['text']!r}")
