"""More clients than there is room for, and clients that take what they ask for and do not read it."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.http.serving.connection import Deadlines
from config.settings import Settings
from tests.integration.conftest import Live
from tests.integration.raw_http import HOST, PNG, sized
from tests.live_server import LiveServer, Wire, live_server
from tests.scripted_pool import ScriptedPool

LIVE = b"GET /health/live HTTP/1.1\r\n" + HOST + b"\r\n"
ROOM = 8


@pytest.fixture
def small(tmp_path: Path) -> Iterator[LiveServer]:
    """A server with room for ROOM connections, whose deadlines are far away."""
    settings = Settings(database_url=f"sqlite:///{tmp_path}/jobs.db")
    with live_server(settings, ScriptedPool(), ROOM, Deadlines(head=600.0)) as server:
        yield server


def status(wire: Wire) -> int:
    answer = wire.answer()
    assert answer is not None
    return answer.status


def test_idle_connections_keep_nobody_out(small: LiveServer) -> None:
    with contextlib.ExitStack() as idle:
        silent = [idle.enter_context(small.wire()) for _ in range(3 * ROOM)]
        kept = [idle.enter_context(small.wire()).send(LIVE) for _ in range(2)]
        assert [status(wire) for wire in kept] == [200, 200]
        assert [status(wire.send(LIVE)) for wire in kept] == [200, 200]  # they are not the ones idle for the longest
        assert silent[0].ended()
    full = [entry for entry in small.log if entry.get("event") == "connections.full"]
    assert len(full) == 1  # though it was met many times
    assert small.works()


def test_where_all_connections_are_at_work_the_next_waits_for_one_to_end(small: LiveServer) -> None:
    with contextlib.ExitStack() as busy:
        uploads = [busy.enter_context(small.wire()).send(sized(PNG)[:-1]) for _ in range(ROOM)]
        asking = [busy.enter_context(small.wire()).send(LIVE) for _ in range(2)]
        assert [status(wire.send(PNG[-1:])) for wire in uploads] == [202] * ROOM
        assert [status(wire) for wire in asking] == [200, 200]
    assert small.works()


def test_files_that_nobody_reads_are_held_once_for_all(live: Live) -> None:
    server = live()
    bundle = b"GET /static/vendor/swagger-ui/swagger-ui-bundle.js HTTP/1.1\r\n" + HOST + b"\r\n"
    with contextlib.ExitStack() as asking:
        for _ in range(20):
            asking.enter_context(server.wire()).send(bundle)
        whole = server.client.get("/static/vendor/swagger-ui/swagger-ui-bundle.js")
        left = [each.transport.get_write_buffer_size() for each in server.server.server_state.connections]
    assert len(whole.content) > 1_000_000
    assert max(left) <= 64 * 1024
    assert server.works()


@pytest.mark.parametrize("more", [b"", b"Expect: 100-continue\r\n"])
def test_who_says_that_nothing_more_comes_gets_its_answer(server: LiveServer, more: bytes) -> None:
    for request, expected in ((sized(PNG, more=more), 202), (LIVE, 200)):
        with server.wire() as wire:
            wire.send(request).finish()
            answer = wire.answer()
            while answer is not None and answer.status == 100:
                answer = wire.answer()
            assert answer is not None
            assert answer.status == expected
            assert wire.ended()
    assert server.works()


def test_who_leaves_in_the_middle_of_an_upload_is_let_go(server: LiveServer) -> None:
    with server.wire() as wire:
        wire.send(sized(PNG)[:-1]).finish()
        assert wire.ended()
    assert server.works()
