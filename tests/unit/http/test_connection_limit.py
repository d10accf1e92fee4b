"""Many connections: how many there may be, what they may leave unread, and who is served in a burst."""

import asyncio
from typing import Any

import pytest
from anyio.lowlevel import checkpoint

from app.http.serving.connection_limit import GRACE_SECONDS, ConnectionLimit
from app.http.serving.pacing import NEVER_WAITING, REQUESTS_A_TURN, Pacing
from app.http.serving.unread import Unread


class Clock:
    """Says what a test says."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


class Client:
    """A connection of the client that is called so."""

    def __init__(self, client_name: str = "", unread: int = 0) -> None:
        self.client_name = client_name
        self.unread = unread
        self.ended = False

    def leave(self) -> None:
        self.ended = True

    def give_up(self) -> None:
        self.ended = True


def test_a_newcomer_takes_the_place_of_the_one_that_is_idle_for_the_longest() -> None:
    clock = Clock()
    connection_limit = ConnectionLimit(3, clock)
    first, second, third = Client(), Client(), Client()
    for each in (first, second, third):
        assert connection_limit.makes_room()
        connection_limit.came(each)
    connection_limit.busy(first)
    assert not connection_limit.makes_room()  # their requests may be there, and not have been looked at
    clock.now = GRACE_SECONDS
    assert connection_limit.makes_room()
    assert [each.ended for each in (first, second, third)] == [False, True, False]
    connection_limit.came(Client())
    connection_limit.idle(first)  # now for the shortest time
    assert connection_limit.makes_room()
    assert [each.ended for each in (first, third)] == [False, True]


def test_where_all_are_at_work_a_newcomer_waits_until_one_leaves() -> None:
    connection_limit = ConnectionLimit(1)
    told = []
    connection_limit.on_room = lambda: told.append(True)
    client = Client()
    connection_limit.came(client)
    connection_limit.busy(client)
    assert not connection_limit.makes_room()
    assert not client.ended
    connection_limit.left(client)
    assert told
    assert connection_limit.makes_room()
    assert not connection_limit.makes_room(arriving=1)


def test_one_client_may_leave_half_of_it_unread_and_its_oldest_go_first() -> None:
    unread = Unread(100)
    clients = [Client("a", 10) for _ in range(6)]
    other = Client("b", 10)
    for each in (other, *clients):
        unread.has_more(each)
    assert [each.ended for each in clients] == [True, True, False, False, False, False]
    assert not other.ended


def test_all_clients_together_are_bounded_at_the_cost_of_the_greediest() -> None:
    unread = Unread(100)
    greedy = [Client("a", 10) for _ in range(5)]
    modest = [Client(f"modest {number}", 10) for number in range(6)]
    for each in (*greedy, *modest):
        unread.has_more(each)
    assert any(each.ended for each in greedy)
    assert not any(each.ended for each in modest)


def test_who_reads_is_never_given_up() -> None:
    unread = Unread(100)
    reader = Client("a", 40)
    unread.has_more(reader)
    reader.unread = 1  # all but read
    for _ in range(4):
        unread.has_more(Client("a", 10))
    assert not reader.ended
    unread.has_read(reader)
    for number in range(20):
        unread.has_more(Client(f"{number}", 10))
    assert not reader.ended


def test_a_long_answer_alone_is_allowed() -> None:
    unread, long = Unread(100), Client("a", 1000)
    unread.has_more(long)
    assert not long.ended


@pytest.mark.anyio
async def test_a_burst_begins_bit_by_bit_and_a_probe_passes_by() -> None:
    begun: list[str] = []

    async def app(scope: Any, _receive: Any, _send: Any) -> None:
        begun.append(scope["path"])

    pacing = Pacing(app)

    def request(path: str) -> asyncio.Task[None]:
        return asyncio.create_task(pacing({"type": "http", "path": path}, None, None))

    burst = [request(f"{number}") for number in range(10 * REQUESTS_A_TURN)]
    cancelled = burst.pop()
    await checkpoint()
    assert 0 < len(begun) <= REQUESTS_A_TURN
    cancelled.cancel()
    await request(NEVER_WAITING)
    assert NEVER_WAITING in begun[: 4 * REQUESTS_A_TURN]
    await asyncio.gather(*burst)
    begun.remove(NEVER_WAITING)
    assert begun == [f"{number}" for number in range(len(burst))]
