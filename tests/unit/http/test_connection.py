"""When a client that reads slowly, or not at all, is given up; over a transport that a test fills and empties."""

import asyncio
from collections.abc import Callable
from typing import Any, cast

import pytest
import uvicorn
from uvicorn.server import ServerState

from app.http.request_context import extend_context
from app.http.serving.connection import SLOW_READER_MIN_BYTES, Connection, Deadlines
from app.http.serving.connection_limit import ConnectionLimit
from app.http.serving.unread import Unread


class Transport(asyncio.Transport):
    """Pauses and resumes its protocol as asyncio's own does."""

    def __init__(self) -> None:
        super().__init__()
        self.protocol: Connection
        self.high = 65_536
        self.left = 0
        self.aborted = False

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        assert high is not None
        self.high = high

    def get_write_buffer_size(self) -> int:
        return self.left

    def becomes(self, left: int) -> None:
        """So many bytes are left that the client has not taken."""
        was, self.left = self.left, left
        if was <= self.high < left:
            self.protocol.pause_writing()
        elif left <= self.high // 4 < was:
            self.protocol.resume_writing()

    def is_closing(self) -> bool:
        return False

    def abort(self) -> None:
        self.aborted = True


class Loop:
    """The time-outs of a protocol, run when a test says so."""

    def __init__(self) -> None:
        self.waiting: dict[object, tuple[float, Callable[[], object]]] = {}

    def call_later(self, seconds: float, callback: Callable[..., object], *arguments: object) -> Any:
        loop = self

        class Handle:
            def cancel(self) -> None:
                loop.waiting.pop(self, None)

        handle = Handle()
        self.waiting[handle] = (seconds, lambda: callback(*arguments))
        return handle

    def passes(self, seconds: float) -> None:
        """Whatever was to happen after so many seconds does."""
        for handle, (after, callback) in [*self.waiting.items()]:
            if after == seconds:
                del self.waiting[handle]
                callback()


@pytest.fixture
def loop() -> Loop:
    return Loop()


@pytest.fixture
def transport(loop: Loop) -> Transport:
    """Of a client that is connected, and has its answer."""
    transport = Transport()
    config = uvicorn.Config(lambda *_: None, log_config=None)  # no request gets through to it
    config.load()
    transport.protocol = Connection(
        config,
        ServerState(),
        {},
        _loop=cast("asyncio.AbstractEventLoop", loop),  # a stand-in
        connection_limit=ConnectionLimit(10),
        unread=Unread(),
    )
    transport.protocol.connection_made(transport)
    return transport


def test_an_answer_that_nobody_reads_is_given_up(loop: Loop, transport: Transport) -> None:
    transport.becomes(10)
    loop.passes(Deadlines().slow_reader)
    assert transport.aborted


def test_a_slow_reader_gets_the_whole_of_a_long_answer(loop: Loop, transport: Transport) -> None:
    transport.becomes(9 * SLOW_READER_MIN_BYTES)
    for parts in range(8, 0, -1):
        transport.becomes(parts * SLOW_READER_MIN_BYTES)
        loop.passes(Deadlines().slow_reader)
    assert not transport.aborted


def test_a_reader_that_all_but_stops_is_given_up(loop: Loop, transport: Transport) -> None:
    transport.becomes(9 * SLOW_READER_MIN_BYTES)
    transport.becomes(8 * SLOW_READER_MIN_BYTES + 1)
    loop.passes(Deadlines().slow_reader)
    assert transport.aborted


@pytest.mark.parametrize("size", [10, 10**6])
def test_who_has_read_everything_is_left_alone(loop: Loop, transport: Transport, size: int) -> None:
    transport.becomes(size)
    transport.protocol.on_response_complete()
    transport.becomes(0)
    loop.passes(Deadlines().slow_reader)
    assert not transport.aborted


def test_a_clients_share_is_told_by_its_key_and_else_by_its_address(transport: Transport) -> None:
    scope: Any = {"type": "http", "client": ("192.0.2.1", 1), "headers": [], "state": {}}
    transport.protocol.scope = scope
    assert transport.protocol.client_name == "192.0.2.1"
    extend_context(scope, client="archive")
    assert transport.protocol.client_name == "archive"
