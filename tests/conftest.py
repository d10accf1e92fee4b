"""What every test may use."""

import faulthandler
import os
import signal
from collections.abc import Iterator

import pytest

from tests.postgres import Postgres, running_postgres


def pytest_configure(config: pytest.Config) -> None:
    """Ctrl-C interrupts in tests, too, where all of them run in the background of a shell, which ignores it there."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # where a process of pytest-xdist is ended, nothing else says what it was at
    with config.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
        stderr = os.dup(2)
    faulthandler.register(signal.SIGTERM, file=stderr, all_threads=True, chain=True)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def graphs_folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Of rewritten graphs that are made once for all tests of a run, in whichever of its processes."""
    base = tmp_path_factory.getbasetemp()
    return str((base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "graphs")


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A real PostgreSQL, started when the first test asks for it."""
    with running_postgres() as running:
        yield running
