"""Before anything is loaded: can the address be had, and will descriptors do?"""

import asyncio
import resource
import socket

import pytest

from app.http.serving import server
from app.http.serving.connection_limit import ConnectionLimit
from app.http.serving.listener import LET_IN_A_TURN, CannotListen, Listener, bound, close
from app.http.serving.server import connections_within_reach


def test_a_port_that_is_taken_is_said_in_one_line() -> None:
    taken = bound("127.0.0.1", 0)
    taken[0].listen()
    port = taken[0].getsockname()[1]
    with pytest.raises(CannotListen, match=rf"port {port} of 127\.0\.0\.1 cannot be had: Address already in use"):
        bound("127.0.0.1", port)
    close(taken)
    close(bound("127.0.0.1", port))


@pytest.mark.parametrize("host", ["no.such.host.invalid", "192.0.2.1"])
def test_an_address_that_is_not_this_machines_is_said_in_one_line(host: str) -> None:
    with pytest.raises(CannotListen, match=r"HOST=|cannot be had: Cannot assign"):
        bound(host, 0)


def test_localhost_is_had_with_all_its_addresses_that_this_machine_has() -> None:
    sockets = bound("localhost", 0)
    assert "127.0.0.1" in {each.getsockname()[0] for each in sockets}
    close(sockets)


def test_connections_leave_descriptors_for_workers_and_store(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, int]] = []
    limits = (256, 1024)
    monkeypatch.setattr(resource, "getrlimit", lambda _: limits)
    monkeypatch.setattr(resource, "setrlimit", lambda _, wanted: asked.append(wanted))
    assert connections_within_reach(workers=10) < 1024 - 10 * 10
    assert asked == [(1024, 1024)]
    limits = (40, 40)
    with pytest.raises(CannotListen, match="limit of open files, 40, is too low"):
        connections_within_reach(workers=1)
    limits = (1024, resource.RLIM_INFINITY)
    assert connections_within_reach(workers=1) == server.MAX_CLIENT_CONNECTIONS


class Noting(asyncio.Protocol):
    """Notes what comes, by the order in which it was let in."""

    def __init__(self, came: "asyncio.Queue[bytes]") -> None:
        self._came = came

    def data_received(self, data: bytes) -> None:
        self._came.put_nowait(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._came.put_nowait(b"gone")


@pytest.mark.anyio
async def test_a_probe_behind_a_burst_of_connections_is_let_in_before_most_of_them() -> None:
    sockets = bound("127.0.0.1", 0)
    sockets[0].listen(500)
    clients = [socket.create_connection(sockets[0].getsockname()) for _ in range(400)]
    for number, client in enumerate(clients):
        client.sendall(b"GET /images HTTP/1.1" if number < 399 else b"GET /health/live HTTP/1.1")
    came: asyncio.Queue[bytes] = asyncio.Queue()
    listener = Listener(sockets, lambda: Noting(came), ConnectionLimit(1000))
    try:
        listener.start()
        requests = [await came.get() for _ in clients]
        assert requests.index(b"GET /health/live HTTP/1.1") <= 2 * LET_IN_A_TURN
        assert requests.count(b"GET /images HTTP/1.1") == 399, "and all others are, too"
    finally:
        listener.close()
        for client in clients:
            client.close()
    assert {await came.get() for _ in clients} == {b"gone"}
