"""The whole application over a real store on disk; only the OCR processes are scripted."""

import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from litestar import Litestar

from app.http.serving.connection import Deadlines
from app.main import create_app
from app.service import Service
from app.wiring import Tuning
from config.settings import Settings
from ocr_engine.engine import Engine
from ocr_engine.options import EngineOptions
from persistence.opening import open_store
from persistence.store import JobStore
from tests.integration.watched_pool import StartPool, Watched
from tests.live_server import LiveServer, live_server
from tests.scripted_pool import ScriptedPool

Live = Callable[..., LiveServer]


class Running:
    """A running application with a client to it."""

    def __init__(self, app: Litestar, client: httpx.AsyncClient, pool: ScriptedPool, failures: list[str]) -> None:
        self.app = app
        self.client = client
        self.pool = pool
        self.failures = failures
        self.service: Service = app.state.service

    async def upload(self, image: bytes, **headers: str) -> httpx.Response:
        return await self.client.post("/images", content=image, headers={"Content-Type": "image/png", **headers})

    async def ended(self, job_id: str) -> dict[str, Any]:
        """The job, once it has ended."""
        while True:
            answer = await self.client.get(f"/images/{job_id}")
            if answer.status_code != 202:
                assert answer.status_code == 200, answer.text
                return dict(answer.json())


@contextlib.asynccontextmanager
async def connected(app: Litestar) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a service that lives as long as it."""
    async with app.lifespan():

        async def plain(scope: Any, receive: Any, send: Any) -> None:
            await app(scope, receive, send)  # Litestar names the parts of ASGI's messages, httpx takes any mapping

        transport = httpx.ASGITransport(app=plain, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            yield client


@pytest.fixture(scope="session")
def cache(graphs_folder: str) -> str:
    """A folder for rewritten graphs."""
    return graphs_folder


@pytest.fixture(scope="session")
def engine(cache: str) -> Engine:
    """The engine with its real models."""
    return Engine(EngineOptions(cache_dir=cache))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(database_url=f"sqlite:///{tmp_path}/jobs.db", retry_base_seconds=0.001, retry_max_seconds=0.01)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[JobStore]:
    """An empty one on SQLite."""
    opened = await open_store(f"sqlite:///{tmp_path}/jobs.db")
    yield opened
    await opened.close()


@pytest.fixture
def tuning() -> Tuning:
    """As the service has it; modules that wait for a pause to end have a shorter one."""
    return Tuning()


@pytest.fixture
def run(settings: Settings, tuning: Tuning) -> Callable[..., contextlib.AbstractAsyncContextManager[Running]]:
    """Starts the application; settings may be changed, the pool scripted."""

    @contextlib.asynccontextmanager
    async def start(pool: ScriptedPool | None = None, **changes: object) -> AsyncIterator[Running]:
        pool = pool or ScriptedPool()
        failures: list[str] = []
        app = create_app(
            msgspec.structs.replace(settings, **changes),
            make_pool=lambda _: pool,
            on_failure=failures.append,
            tuning=tuning,
        )
        async with connected(app) as client:
            yield Running(app, client, pool, failures)

    return start


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    """Starts the server; settings may be changed, as may its deadlines."""
    with contextlib.ExitStack() as servers:

        def start(head: float = 60.0, linger: float = 60.0, unread: float = 60.0, **changes: object) -> LiveServer:
            settings = Settings(database_url=f"sqlite:///{tmp_path}/jobs.db")
            deadlines = Deadlines(head=head, linger=linger, slow_reader=unread)
            changed = msgspec.structs.replace(settings, **changes)
            return servers.enter_context(live_server(changed, ScriptedPool(), deadlines=deadlines))

        yield start


@pytest.fixture(scope="module")
def one_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    settings = Settings(database_url=f"sqlite:///{tmp_path_factory.mktemp('one')}/jobs.db")
    with live_server(settings, ScriptedPool()) as server:
        yield server


@pytest.fixture
def server(one_server: LiveServer) -> LiveServer:
    """One server for all tests that change nothing about it: what one of them broke would fail those after it."""
    one_server.log.clear()
    return one_server


@pytest.fixture
async def start_pool() -> AsyncIterator[StartPool]:
    pools: list[Watched] = []

    async def started(**options: Any) -> Watched:
        pool = Watched(**options)
        pools.append(pool)
        await pool.start()
        while not pool.unheard.empty():
            pool.unheard.get_nowait()
        return pool

    yield started
    for pool in pools:
        await pool.close()
