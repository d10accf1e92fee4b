"""How long a page waits that comes in behind long files: by the service itself, in multiples of what a page takes."""

import asyncio
import hashlib
import random
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import httpx
from msgspec import Struct

from benchmarks.documents.draw import draw_scan, write_pdf
from benchmarks.report.measures import percentile
from benchmarks.report.progress import Progress
from benchmarks.service.server_process import REAL, ServerFailed, running

DRAWN = 5
"""Scans that are drawn; the long file has them in turn."""
KEYS = 10
"""That have a long file each."""
UNDER_WAY = 2
"""Pages of a long file that are read before anything else comes in."""
LOOK_AGAIN_SECONDS = 0.2
ANSWER_SECONDS = 600.0


class Waits(Struct, frozen=True, kw_only=True):
    """Of pages that came in behind something, one after the other, at moments drawn by lot."""

    behind: str
    jobs: int
    page_seconds: float
    """What a worker takes for such a page meanwhile."""
    median: float | None
    """Of the waits, in such pages."""
    p95: float | None
    longest: float


async def measured(
    folder: Path, *, pages: int, nodes: int, workers: int, jobs: int, lines: int, progress: Progress
) -> list[Waits]:
    """Behind a file of so many pages of another key, of the same key, and behind those of ten keys: as a new key each
    time, and as one that sends page after page. Either's turn is one in eleven.

    `workers` are shared out to the nodes, at least one to each. Raises ServerFailed, StoreUnusable, and httpx's errors.
    """
    scans = [draw_scan(number, lines).jpeg for number in range(DRAWN)]
    long = folder / "behind.pdf"
    write_pdf(long, scans, pages, shared=True)
    newcomers = [f"new-{number}" for number in range(jobs)]
    names = ["mine", *newcomers, *(f"key-{number}" for number in range(KEYS))]
    long_keys = names[-KEYS:]
    (folder / "keys").write_text("".join(f"{name}:{hashlib.sha256(name.encode()).hexdigest()}\n" for name in names))
    cases = {
        f"another key's {pages} pages": (long_keys[:1], ["mine"]),
        f"one's own {pages} pages": (["mine"], ["mine"]),
        "ten keys', each a new key": (long_keys, newcomers),
        "ten keys', one after another": (long_keys, ["mine"]),
    }
    found = []
    async with AsyncExitStack() as stack:
        settings = {"API_KEYS_FILE": str(folder / "keys"), "MAX_IMAGE_PAGES": str(pages)}
        url = await stack.enter_async_context(_service(nodes, workers, settings))
        client = await stack.enter_async_context(httpx.AsyncClient(base_url=url, timeout=ANSWER_SECONDS))
        for behind, (keys, senders) in cases.items():
            progress.step(f"waits behind {behind}", jobs)
            files = [LongFile(client, long, key) for key in keys]
            try:
                found.append(await _waits(client, behind, files, scans, senders, jobs, progress))
            finally:
                for file in files:
                    await file.cancel()
    return found


@asynccontextmanager
async def _service(nodes: int, workers: int, settings: Mapping[str, str]) -> AsyncIterator[str]:
    """The URL of the node that takes the uploads: of one on SQLite, or the first of several on one PostgreSQL."""
    async with AsyncExitStack() as stack:
        if nodes > 1:
            from benchmarks.cluster.postgres import server  # asyncpg is an extra

            postgres = await stack.enter_async_context(server(None))
            database = await stack.enter_async_context(postgres.database())
            settings = {**settings, "DATABASE_URL": database.url}
        found = [
            await stack.enter_async_context(running(REAL, workers=max(1, workers // nodes), settings=settings))
            for _ in range(nodes)
        ]
        yield found[0].url


class LongFile:
    """A long file of a key, sent again when it has been read."""

    def __init__(self, client: httpx.AsyncClient, file: Path, key: str) -> None:
        self._client = client
        self._file = file
        self._headers = {"X-API-Key": key}
        self._path = ""

    async def under_way(self) -> None:
        """Returns when some of its pages are read and others are not. Raises ServerFailed where it cannot be."""
        while True:
            job = (await self._client.get(self._path, headers=self._headers)).json() if self._path else {}
            if job.get("status") == "dead-letter":
                raise ServerFailed(f"the long file was not read: {job['error']['detail']}")
            if job.get("status") not in ("queued", "processing"):
                sent = await self._client.post("/images", content=self._file.read_bytes(), headers=self._headers)
                self._path = sent.raise_for_status().headers["Location"]
            elif job["pages_done"] >= UNDER_WAY:
                return
            await asyncio.sleep(LOOK_AGAIN_SECONDS)

    async def cancel(self) -> None:
        """It is not read any more."""
        if self._path:
            await self._client.delete(self._path, headers=self._headers)


async def _waits(
    client: httpx.AsyncClient,
    behind: str,
    files: Sequence[LongFile],
    scans: Sequence[bytes],
    senders: Sequence[str],
    jobs: int,
    progress: Progress,
) -> Waits:
    chance = random.Random(behind)
    waits, seconds = [], list[float]()
    for number in range(jobs):
        for file in files:
            await file.under_way()
        # not in step with the pages of the long files
        await asyncio.sleep(chance.random() * (sum(seconds) / len(seconds) if seconds else 1.0))
        key = {"X-API-Key": senders[number % len(senders)]}
        sent = await client.post("/images", content=scans[number % len(scans)], headers={**key, "Prefer": "wait=60"})
        job = sent.raise_for_status().json()
        while job["status"] in ("queued", "processing"):
            answer = await client.get(f"/images/{job['id']}?wait=60", headers=key)
            job = answer.raise_for_status().json()
        waits.append(job["waiting_time"])
        seconds.append(job["processing_time"])
        progress.advance()
    return told(behind, waits, seconds)


def told(behind: str, waits: Sequence[float], seconds: Sequence[float]) -> Waits:
    """The figures of seconds waited, and of seconds that the pages themselves took; at least one of each."""
    page = sum(seconds) / len(seconds)
    by_page = [wait / page for wait in waits]
    return Waits(
        behind=behind,
        jobs=len(waits),
        page_seconds=page,
        median=percentile(by_page, 0.5),
        p95=percentile(by_page, 0.95),
        longest=max(by_page),
    )


def table(waits: Sequence[Waits]) -> str:
    """The figures for people."""
    rows = [f"{'Wait behind':26}{'jobs':>6}{'a page':>10}{'median':>9}{'p95':>7}{'longest':>9}   in pages"]
    for each in waits:
        shown = [f"{value:.2f}" if value is not None else "-" for value in (each.median, each.p95, each.longest)]
        rows.append(f"{each.behind:26}{each.jobs:6}{each.page_seconds:8.2f} s{shown[0]:>9}{shown[1]:>7}{shown[2]:>9}")
    return "\n".join(rows)
