"""Load on a running server: a closed loop for throughput, an open loop for latency.

In a closed loop a slow server slows its clients, and the requests that they did not send are missing from the
latencies: coordinated omission. In an open loop jobs arrive by a schedule that knows nothing of the server, and latency
counts from the intended arrival even where the client itself was late (Gil Tene, How NOT to Measure Latency, 2013; his
wrk2).
"""

import asyncio
import itertools
import random
import time
from collections.abc import Callable, Coroutine, Iterable, Sequence

import msgspec
from msgspec import Struct

from benchmarks.report.measures import Arrivals
from benchmarks.service.http_client import Client
from benchmarks.service.server_process import JobFailed, ServerProcess

OnJob = Callable[[], None]
Party = Callable[[Client], Coroutine[None, None, None]]


class JobRecord(Struct, frozen=True, kw_only=True):
    """One job as its client saw it; monotonic seconds."""

    job_id: str
    intended: float
    """When it was to arrive; in a closed loop, when it was sent."""
    accepted: float
    stored: float
    wait: float
    recognition: float


class Outcome(Struct, frozen=True, kw_only=True):
    """What became of a load."""

    begun: float
    records: tuple[JobRecord, ...]
    errors: tuple[str, ...]
    """Why uploads were refused or jobs failed."""

    @property
    def seconds(self) -> float:
        """From the beginning to the last result stored."""
        return max((record.stored for record in self.records), default=self.begun) - self.begun


class _Accepted(Struct):
    """What matters of an upload's answer."""

    id: str


async def closed_loop(
    server: ServerProcess, images: Sequence[bytes], *, clients: int, on_job: OnJob = lambda: None
) -> Outcome:
    """Every image once, by `clients` that each upload the next one when the result of theirs is stored."""
    todo = iter(images)
    gathered = _Gathering(server, on_job)

    async def client(http: Client) -> None:
        for image in todo:
            await gathered.run(http, image, time.monotonic())

    return await gathered.all([client] * clients)


async def open_loop(
    server: ServerProcess, images: Sequence[bytes], schedule: Sequence[float], on_job: OnJob = lambda: None
) -> Outcome:
    """A job at each of the schedule's moments (seconds from now), images in turn, until all results are stored."""
    gathered = _Gathering(server, on_job)

    def arrival(image: bytes, moment: float) -> Party:
        async def arrive(http: Client) -> None:
            intended = gathered.begun + moment
            await asyncio.sleep(intended - time.monotonic())
            await gathered.run(http, image, intended)

        return arrive

    in_turn = itertools.cycle(images)
    return await gathered.all([arrival(next(in_turn), moment) for moment in schedule])


def schedule(arrivals: Arrivals, rate: float, count: int, seed: int = 1) -> list[float]:
    """Moments of `count` arrivals, seconds from 0: exponential gaps (a Poisson process) or equal ones, 1/rate each."""
    rng = random.Random(seed)
    gaps = (rng.expovariate(rate) if arrivals == "poisson" else 1 / rate for _ in range(count))
    return list(itertools.accumulate(gaps))


async def verify(server: ServerProcess, records: Iterable[JobRecord]) -> list[str]:
    """Reads every job back over HTTP; what is not `done` there, in words."""
    faults = []
    async with Client(server.url) as http:
        for record in records:
            answer = await http.get(f"/images/{record.job_id}")
            if answer.status != 200 or b'"status":"done"' not in answer.body:
                faults.append(f"{record.job_id} was told to be done and is answered {answer.status}")
    return faults


class _Gathering:
    """The records of one load."""

    def __init__(self, server: ServerProcess, on_job: OnJob) -> None:
        self.begun = time.monotonic()
        self._server = server
        self._on_job = on_job
        self._records: list[JobRecord] = []
        self._errors: list[str] = []

    async def run(self, http: Client, image: bytes, intended: float) -> None:
        """One upload, and the wait for its result."""
        answer = await http.post("/images", image)
        accepted = time.monotonic()
        if answer.status != 202:
            self._errors.append(f"{answer.status}: {answer.body.decode(errors='replace')}")
            return
        job_id = msgspec.json.decode(answer.body, type=_Accepted).id
        try:
            done = await self._server.stored(job_id)
        except JobFailed as error:
            self._errors.append(str(error))
            return
        self._records.append(
            JobRecord(
                job_id=job_id,
                intended=intended,
                accepted=accepted,
                # its line in the log may be read before the answer to its upload
                stored=max(done.moment, accepted),
                wait=done.wait,
                recognition=done.recognition,
            )
        )
        self._on_job()

    async def all(self, parties: Iterable[Party]) -> Outcome:
        """Runs the parties side by side to their ends."""
        async with Client(self._server.url) as http, asyncio.TaskGroup() as group:
            for party in parties:
                group.create_task(party(http))
        return Outcome(begun=self.begun, records=tuple(self._records), errors=tuple(self._errors))
