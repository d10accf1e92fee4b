"""Before anything is loaded: can the address be had, and will descriptors do?"""

import resource

import pytest

from app.http.serving import server
from app.http.serving.listener import CannotListen, bound, close
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
