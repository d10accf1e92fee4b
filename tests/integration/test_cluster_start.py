"""A node that cannot reach its database says so in one line, and ends."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from persistence.opening import open_store
from persistence.patience import Patience
from persistence.postgres.scratch import LOCK, PREFIX, ScratchFolder
from persistence.store import StoreUnusable
from tests.e2e.conftest import Server, start  # noqa: F401 - a fixture
from tests.postgres import OwnServer, Postgres
from tests.proxy import Proxy


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


@pytest.fixture(scope="module")
def server() -> Iterator[OwnServer]:
    """With the roles `limited`, for which there is no connection, and `locked`, which has a password."""
    own = OwnServer()
    own.set_up("CREATE ROLE limited LOGIN CONNECTION LIMIT 0", "CREATE ROLE locked LOGIN PASSWORD 'the right one'")
    own.ask_for_password("locked")
    yield own
    own.remove()


@pytest.mark.parametrize("role", ["api", "worker"])
def test_a_wrong_password_ends_the_start_with_one_line_that_does_not_hold_it(
    start: Callable[..., Server],  # noqa: F811
    server: OwnServer,
    role: str,
) -> None:
    node = start(ROLE=role, DATABASE_URL=server.url.replace("postgres:@", "locked:very-secret@"))
    _assert_told(node, "password authentication failed")
    assert "very-secret" not in str(node.log)


@pytest.mark.parametrize("role", ["api", "worker"])
def test_a_server_without_a_free_connection_ends_the_start_with_one_line(
    start: Callable[..., Server],  # noqa: F811
    server: OwnServer,
    role: str,
) -> None:
    _assert_told(start(ROLE=role, DATABASE_URL=server.url.replace("postgres:@", "limited:@")), "too many connections")


@pytest.mark.anyio
@pytest.mark.parametrize(
    "url",
    [
        "postgresql://ocr:very/secret@127.0.0.1/ocr",
        "postgresql://ocr:very?secret@127.0.0.1/ocr",
        "postgresql://ocr:very#secret@127.0.0.1/ocr",
        "postgresql+asyncpg://ocr:very-secret@127.0.0.1/ocr",
        "mysql://ocr:very-secret@127.0.0.1/ocr",
    ],
)
async def test_a_database_url_that_cannot_be_read_is_refused_without_a_word_of_its_password(url: str) -> None:
    with pytest.raises(StoreUnusable) as refused:
        await open_store(url)
    assert "very" not in str(refused.value)
    assert "secret" not in str(refused.value)


@pytest.mark.anyio
async def test_a_server_that_never_answers_is_told_in_words(server: OwnServer) -> None:
    with Proxy(server.url) as proxy:
        proxy.part()
        with pytest.raises(StoreUnusable, match="the database cannot be used: it does not answer"):
            await open_store(proxy.url, patience=Patience(connect=0.1))
        proxy.heal()


def _assert_told(node: Server, told: str) -> None:
    assert node.process.wait(60) == 3
    node.wait_until(lambda: node.ended_itself, "the end of the log")
    (failure,) = node.entries("service.start_failed")
    assert told in failure["message"]
    assert "\n" not in failure["message"]
    assert not [entry for entry in node.log if "exception" in entry or "Traceback" in entry["message"]]


def test_files_of_a_killed_node_are_removed_by_the_next_start_and_those_of_others_are_not(
    tmp_path: Path,
) -> None:
    dead, strange = tmp_path / f"{PREFIX}dead", tmp_path / f"{PREFIX}strange"
    dead.mkdir()
    (dead / LOCK).touch()
    (dead / "upload").write_bytes(b"x")
    strange.mkdir()
    first = ScratchFolder.make(tmp_path)
    (first.path / "upload").write_bytes(b"x")
    second = ScratchFolder.make(tmp_path)
    assert {each.name for each in tmp_path.iterdir()} == {first.path.name, second.path.name, strange.name}
    first.remove()
    second.remove()
    assert [*tmp_path.iterdir()] == [strange]
