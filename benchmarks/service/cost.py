"""What a job costs the service's own process: `python -m benchmarks cost`.

CPU time, not seconds: it is worth reading on a machine that others use as well. Every round is measured by itself and
the least is shown, since whatever disturbs a round can only add to it.
"""

import argparse
import asyncio
import itertools
import os
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

import msgspec
import psutil
from msgspec import Struct

from app.processes import engine_options, processes
from benchmarks import command
from benchmarks.cluster import postgres
from benchmarks.report.progress import Progress
from benchmarks.report.report import aligned
from benchmarks.service.http_client import Client, form
from benchmarks.service.server_process import FAKE, ServerFailed, ServerProcess, running
from config.environment import load
from samples import sample

SERVICE_WORKERS = 2
CLIENTS = 2
"""Each has one job under way: about what two workers leave the service to do at a time."""


class Cost(Struct, frozen=True, kw_only=True):
    """CPU seconds of one job, by the round in which it took the least."""

    what: str
    user: float
    system: float
    database: float | None = None
    """Of PostgreSQL's processes; None without one of our own."""


class _Accepted(Struct):
    id: str


Way = Callable[[ServerProcess, Client, bytes], Awaitable[None]]


async def uploaded(server: ServerProcess, http: Client, image: bytes) -> None:
    """An upload whose end is seen in the log, so that it costs the server nothing. Raises ServerFailed, JobFailed."""
    await server.stored(_accepted((await http.post("/images", image)).body))


async def read_back(server: ServerProcess, http: Client, image: bytes) -> None:
    """A form, as browsers and most libraries send it, and one look at the end. Raises ServerFailed, JobFailed."""
    job_id = _accepted((await http.post("/images", *form(image, "file"))).body)
    await server.stored(job_id)
    _require((await http.get(f"/images/{job_id}")).status)


async def waited_for(server: ServerProcess, http: Client, image: bytes) -> None:
    """An upload that is answered with its text. Raises ServerFailed."""
    _require((await http.post("/images?wait=30", image)).status)


WAYS: Mapping[str, Way] = {
    "upload alone": uploaded,
    "form, then GET": read_back,
    "upload with ?wait": waited_for,
}


def main(argv: Sequence[str]) -> int:
    """Runs the benchmark; 0, or 2 when it could not be run."""
    arguments = _parser().parse_args(argv)
    progress = Progress()
    try:
        found = asyncio.run(_measure(arguments, progress))
    except command.FAILURES as error:
        progress.end()
        print(f"cost: {error}", file=sys.stderr)
        return 2
    progress.end()
    print(table(found))
    return 0


def table(costs: Sequence[Cost]) -> str:
    """For people; milliseconds."""
    rows: list[tuple[str, ...]] = [("CPU ms of one job", "user", "system", "together", "PostgreSQL")]
    for cost in costs:
        database = "" if cost.database is None else f"{cost.database * 1000:.2f}"
        own = (cost.user, cost.system, cost.user + cost.system)
        rows.append((cost.what, *(f"{seconds * 1000:.2f}" for seconds in own), database))
    return aligned(rows)


async def _measure(arguments: argparse.Namespace, progress: Progress) -> list[Cost]:
    images = [path.read_bytes() for path in command.images(arguments.images)]
    jobs = list(itertools.islice(itertools.cycle(images), arguments.jobs))
    found = await _of_service("SQLite", {}, None, jobs, arguments.rounds, progress)
    if not arguments.no_postgres:
        async with postgres.server(arguments.url) as server, server.database() as database:
            settings = {"DATABASE_URL": database.url}
            found += await _of_service("PostgreSQL", settings, server, jobs, arguments.rounds, progress)
    return [*found, await _of_workers(arguments.rounds, progress)]


async def _of_service(
    store: str,
    settings: Mapping[str, str],
    database: postgres.Server | None,
    jobs: Sequence[bytes],
    rounds: int,
    progress: Progress,
) -> list[Cost]:
    found: dict[str, list[Cost]] = {name: [] for name in WAYS}
    async with running(FAKE, workers=SERVICE_WORKERS, settings=settings) as server, Client(server.url) as http:
        process = psutil.Process(server.pid)
        for number in range(rounds + 1):
            for name, way in WAYS.items():
                progress.step(f"{store}, {name}, round {number} of {rounds}", len(jobs))
                before, database_before = process.cpu_times(), _spent(database)
                await _load(server, http, way, jobs, progress)
                after, database_after = process.cpu_times(), _spent(database)
                cost = Cost(
                    what=f"{store}, {name}",
                    user=(after.user - before.user) / len(jobs),
                    system=(after.system - before.system) / len(jobs),
                    database=(database_after - database_before) / len(jobs) if database else None,
                )
                if number:  # the first round warms up
                    found[name].append(cost)
    return [_least(costs) for costs in found.values()]


async def _load(server: ServerProcess, http: Client, way: Way, jobs: Sequence[bytes], progress: Progress) -> None:
    todo = iter(jobs)

    async def client() -> None:
        for image in todo:
            await way(server, http, image)
            progress.advance()

    async with asyncio.TaskGroup() as group:
        for _ in range(CLIENTS):
            group.create_task(client())


async def _of_workers(rounds: int, progress: Progress) -> Cost:
    """Of a page's way to a worker and back, and of nothing else; the reading itself is another process's."""
    image = sample("health").data
    settings = load({})
    pool = processes(settings, engine_options(settings), 1, lambda _: None)
    progress.step("a page's way to a worker and back")
    found = []
    try:
        await pool.start()
        for _ in range(rounds):
            before, pages = os.times(), 50
            for _ in range(pages):
                await pool.recognise(image)
            after = os.times()
            found.append(
                Cost(
                    what="a page to a worker and back",
                    user=(after.user - before.user) / pages,
                    system=(after.system - before.system) / pages,
                )
            )
    finally:
        await pool.close()
    return _least(found)


def _spent(database: postgres.Server | None) -> float:
    return (database and database.cpu_seconds()) or 0.0


def _least(costs: Sequence[Cost]) -> Cost:
    return min(costs, key=lambda cost: cost.user + cost.system)


def _accepted(answer: bytes) -> str:
    try:
        return msgspec.json.decode(answer, type=_Accepted).id
    except msgspec.DecodeError:
        raise ServerFailed(f"an upload was refused: {answer.decode(errors='replace')}") from None


def _require(status: int) -> None:
    if status != 200:
        raise ServerFailed(f"200 was expected, {status} came")


def _parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog="python -m benchmarks cost", description=__doc__)
    made.add_argument("--jobs", type=int, default=100, metavar="N", help="of each round; 100")
    made.add_argument("--rounds", type=int, default=5, metavar="N", help="after one that warms up; 5")
    made.add_argument("--images", type=Path, metavar="DIR", help="folder of images; without it our samples")
    made.add_argument("--no-postgres", action="store_true", help="SQLite only")
    made.add_argument("--url", metavar="URL", help="of a PostgreSQL; without it one of our own")
    return made
