"""One run of chaos in a cluster: two API nodes, two worker nodes, PostgreSQL; load, faults, peace, the account."""

import asyncio
import itertools
import time
from collections import Counter
from pathlib import Path

from msgspec import Struct

from persistence.opening import open_store
from persistence.postgres import entry_table
from persistence.postgres.connection import connect
from persistence.store import JobStore, StoreError
from tests.chaos.audit import Audit, audit
from tests.chaos.cluster_monkey import ClusterMonkey
from tests.chaos.load import Load
from tests.chaos.node import Node, Takeover, takeovers
from tests.chaos.run import free_port
from tests.e2e.conftest import Server
from tests.postgres import OwnServer
from tests.proxy import Proxy

SETTINGS = {
    "MAX_WORKERS": "2",
    "QUEUE_LIMIT": "20",
    "JOB_TIMEOUT_SECONDS": "2",  # of CPU time: what hangs ends after 10
    "RETRY_BASE_SECONDS": "0.05",
    "RETRY_MAX_SECONDS": "0.5",
    "DRAIN_SECONDS": "2",
    "MAX_ATTEMPTS": "5",  # each outage of the database may cost one
}
CLIENT_SECONDS = 15.0
"""How long a client waits for an answer: a frozen node gives none."""
REST_SECONDS = 90.0
"""Longest wait for the last job, when peace has come."""


class ClusterReport(Struct, frozen=True, kw_only=True):
    """A run in figures; `faults` must be empty."""

    seed: int
    lives: dict[str, int]
    struck: dict[str, int]
    refused: dict[str, int]
    unanswered: int
    """Uploads whose answer was lost."""
    unanswered_jobs: int
    """Of these, the ones that had been stored: each ended once, like any other."""
    outcomes_dropped: int
    """Late outcomes that the store refused."""
    takeovers: dict[str, Takeover]
    """Fault -> how soon other nodes had the jobs of the node that was struck."""
    audit: Audit
    faults: list[str]


def run_cluster(
    directory: Path, *, seed: int, seconds: float, clients: int = 4, lease: float = 6.0, real: bool = False
) -> ClusterReport:
    """Strikes for so long, then lets everything come to its end and draws up the account.

    `real`: with OCR in processes, rather than with an engine that knows the samples by heart.
    """
    database = OwnServer()
    names = ("api-1", "api-2", "worker-1", "worker-2")
    proxies = {name: Proxy(database.url) for name in names}
    settings = SETTINGS | {"QUEUE_LEASE_SECONDS": str(lease)}
    nodes = {
        name: Node(
            name,
            directory,
            settings | {"ROLE": name.partition("-")[0], "PORT": str(free_port()), "DATABASE_URL": proxies[name].url},
            module="app" if real else "tests.chaos.scripted_service",
        )
        for name in names
    }
    urls = [f"http://127.0.0.1:{nodes[name].settings['PORT']}" for name in names if name.startswith("api")]
    load = Load(*urls, clients=clients, seed=seed, patience=CLIENT_SECONDS)
    monkey = ClusterMonkey(seed, nodes, proxies, database, longest=1.5 * lease)
    try:
        nodes["api-1"].start()
        nodes["api-1"].server.wait_for("service.listening")  # it has made the schema
        for node in itertools.islice(nodes.values(), 1, None):
            node.start()
        load.start()
        monkey.rage(time.monotonic() + seconds)
        for node in nodes.values():
            node.wait_until_listening()
        load.stop()
        faults = asyncio.run(_come_to_rest(database.url))
        exit_codes = {name: node.server.stop() for name, node in nodes.items()}
        lives = [life for node in nodes.values() for life in node.lives]
        done = Counter(entry["job_id"] for life in lives for entry in life.entries("job.done"))
        known = dict.fromkeys(entry["job_id"] for life in lives for entry in life.entries("job.accepted"))
        account = asyncio.run(audit(database.url, known | load.accepted, done))
    finally:
        load.stop()
        for node in nodes.values():
            node.end()
        for proxy in proxies.values():
            proxy.close()
        database.remove()
    return ClusterReport(
        seed=seed,
        lives={name: len(node.lives) for name, node in nodes.items()},
        struck=dict(monkey.done),
        refused=load.refused,
        unanswered=load.unanswered,
        unanswered_jobs=sum(account.states.values()) - len(load.accepted),
        outcomes_dropped=sum(len(life.entries("job.outcome_dropped")) for life in lives),
        takeovers=takeovers(monkey.blows, nodes.values()),
        audit=account,
        faults=[
            *faults,
            *account.faults,
            *load.broken_promises,
            *monkey.faults,
            *(f"{name} ended with {code}" for name, code in exit_codes.items() if code),
            *(f"the log has {entry}" for life in lives for entry in _surprises(life)),
        ],
    )


async def _come_to_rest(url: str) -> list[str]:
    """Returns when no job is unfinished and no entry of the queue is left; what is left after all, in words."""
    store = await open_store(url)
    try:
        async with asyncio.timeout(REST_SECONDS):
            while await _unrest(store, url):  # noqa: ASYNC110 - of nodes that are other processes
                await asyncio.sleep(0.2)
    except TimeoutError:
        return [f"{await _unrest(store, url)} after {REST_SECONDS} s of peace"]
    finally:
        await store.close()
    return []


async def _unrest(store: JobStore, url: str) -> str:
    try:
        jobs = [job.id for job in await store.unfinished()]
        connection = await connect(url)
        try:
            entries = await connection.fetchval("SELECT count(*) FROM pgqueuer")
            waiting = await entry_table.depth(connection)
        finally:
            await connection.close()
    except StoreError as error:
        return str(error)
    return f"unfinished: {jobs}, entries of the queue: {entries}, of which wait: {waiting}" if jobs or entries else ""


def _surprises(life: Server) -> list[str]:
    """Events that no fault of ours explains."""
    unexplained = ("request.failed", "job.internal_error", "uvicorn.error", "asyncio", "warning")
    return [
        str(entry)
        for entry in life.log
        if (entry["event"] in unexplained or "exception" in entry)
        and entry["level"] != "INFO"
        and entry["message"] != "Application startup failed. Exiting."
    ]
