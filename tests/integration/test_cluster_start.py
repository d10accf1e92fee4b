"""A node that cannot reach its database says so in one line, and ends."""

from collections.abc import Callable

import pytest

from tests.e2e.conftest import Server, start  # noqa: F401 - a fixture
from tests.postgres import Postgres


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("/ocr_", "/no_such_"), "does not exist"),
        (("postgres:@", "nobody:@"), "does not exist"),
    ],
    ids=["database", "account"],
)
@pytest.mark.parametrize("role", ["api", "worker"])
def test_a_wrong_database_ends_the_start_with_one_line(
    start: Callable[..., Server],  # noqa: F811
    postgres: Postgres,
    role: str,
    change: tuple[str, str],
    told: str,
) -> None:
    _assert_told(start(ROLE=role, DATABASE_URL=postgres.empty_database().replace(*change)), told)


@pytest.mark.parametrize("role", ["api", "worker"])
def test_a_server_that_is_not_there_ends_the_start_with_one_line(start: Callable[..., Server], role: str) -> None:  # noqa: F811
    _assert_told(start(ROLE=role, DATABASE_URL="postgresql://ocr@127.0.0.1:1/ocr"), "Connect call failed")


def _assert_told(node: Server, told: str) -> None:
    assert node.process.wait(60) == 3
    node.wait_until(lambda: node.ended_itself, "the end of the log")
    (failure,) = node.entries("service.start_failed")
    assert told in failure["message"]
    assert "\n" not in failure["message"]
    assert not [entry for entry in node.log if "exception" in entry or "Traceback" in entry["message"]]
