"""What every test may use."""

import signal
from collections.abc import Iterator

import pytest

from tests.postgres import Postgres, running_postgres


def pytest_configure() -> None:
    """Ctrl-C interrupts in tests, too, where all of them run in the background of a shell, which ignores it there."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A real PostgreSQL, started when the first test asks for it."""
    with running_postgres() as running:
        yield running
