"""The sockets on which clients arrive: taken before the start; clients are let in a few at a time, as there is room."""

import asyncio
import contextlib
import errno
import socket
from collections import deque
from collections.abc import Callable

from loguru import logger

from app.http.serving.connection_limit import ConnectionLimit
from app.http.serving.log_throttle import LogThrottle
from app.http.serving.pacing import NEVER_WAITING

BACKLOG = 2048
"""Connections that the kernel holds until they are accepted."""
ACCEPTS_A_TURN = 512
"""Of a burst, so many are taken from the kernel, some 10 ms, before all else is looked at again: it gives them in the
order in which they came, and a probe may stand behind thousands."""
LET_IN_A_TURN = 32
"""So many of them are let in, with what they send at once some 10 ms. More than requests are begun (pacing.py)."""
PROBE = f"GET {NEVER_WAITING}".encode()
"""How those begin that are let in before all others."""
MAX_UNSENT_BYTES = 128 * 1024
"""What the kernel takes of an answer before the network does; without a bound, megabytes for each client that does not
read. What is on its way is not bounded by it."""
PAUSE_SECONDS = 0.5
"""Where there is no room, or the system gives no connection, until it is tried again."""


class CannotListen(Exception):
    """The address cannot be had: taken, forbidden, or unknown on this machine."""


def bound(host: str, port: int) -> list[socket.socket]:
    """Sockets that have every address of `host`, though nobody can connect before `listen`. Raises CannotListen."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as error:
        raise CannotListen(f"HOST={host!r} is no address of this machine: {error.strerror}") from error
    sockets: list[socket.socket] = []
    fault: OSError | None = None
    for family, kind, protocol, _, address in dict.fromkeys(found):
        try:
            sockets.append(_bound(family, kind, protocol, address))
        except OSError as error:
            # a machine without IPv6 knows its `localhost` under ::1 nevertheless
            if error.errno not in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
                close(sockets)
                raise CannotListen(f"port {port} of {host} cannot be had: {error.strerror}") from error
            fault = error
    if not sockets:
        raise CannotListen(f"port {port} of {host} cannot be had: {fault.strerror if fault else 'no address'}")
    return sockets


def _bound(family: int, kind: int, protocol: int, address: tuple[object, ...]) -> socket.socket:
    made = socket.socket(family, kind, protocol)
    try:
        made.setblocking(False)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        made.bind(address)
    except OSError:
        made.close()
        raise
    return made


def close(sockets: list[socket.socket]) -> None:
    """Gives the addresses back. Twice is harmless."""
    for each in sockets:
        each.close()


class Listener:
    """Hands every new connection to a protocol, unless the limit leaves no room: then it waits in the kernel."""

    def __init__(
        self, sockets: list[socket.socket], protocol: Callable[[], asyncio.Protocol], connection_limit: ConnectionLimit
    ) -> None:
        self.sockets = sockets
        self._protocol = protocol
        self._connection_limit = connection_limit
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[socket.socket] = deque()
        """Accepted, and not let in yet."""
        self._arrivals: set[asyncio.Task[object]] = set()
        self._resuming: asyncio.TimerHandle | None = None
        self._accepting = False
        self._exhausted = LogThrottle()

    def start(self) -> None:
        """Clients may connect from now on. Raises CannotListen."""
        for each in self.sockets:
            try:
                each.listen(BACKLOG)
            except OSError as error:
                host, port = each.getsockname()[:2]
                raise CannotListen(f"port {port} of {host} cannot be had: {error.strerror}") from error
        self._connection_limit.on_room = self._resume
        self._resume()

    def close(self) -> None:
        """Nobody can connect any more. Twice is harmless."""
        self._pause()
        self._connection_limit.on_room = lambda: None
        if self._resuming is not None:
            self._resuming.cancel()
        close(self.sockets)
        while self._waiting:
            self._let_in(self._waiting.popleft())

    async def wait_closed(self) -> None:
        """Returns when those who were let in are with their protocols."""
        await asyncio.gather(*self._arrivals, return_exceptions=True)

    def _resume(self) -> None:
        if not self._accepting:
            self._accepting = True
            for each in self.sockets:
                self._loop.add_reader(each.fileno(), self._accept, each)

    def _pause(self) -> None:
        if self._accepting:
            self._accepting = False
            for each in self.sockets:
                self._loop.remove_reader(each.fileno())

    def _accept(self, listening: socket.socket) -> None:
        probes = 0
        for _ in range(ACCEPTS_A_TURN):
            if not self._connection_limit.makes_room(len(self._arrivals) + len(self._waiting)):
                self._wait_a_little()
                return
            try:
                connection, _address = listening.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                # out of descriptors most likely; the kernel would offer the same connection again at once
                self._wait_a_little()
                if self._exhausted.due():
                    logger.bind(event="connections.exhausted").error(f"no connection can be accepted: {error.strerror}")
                return
            connection.setblocking(False)
            if probes < LET_IN_A_TURN and _probes(connection):
                probes += 1
                self._let_in(connection)
                continue
            if not self._waiting:
                self._loop.call_soon(self._let_some_in)
            self._waiting.append(connection)

    def _let_some_in(self) -> None:
        for _ in range(min(LET_IN_A_TURN, len(self._waiting))):
            self._let_in(self._waiting.popleft())
        if self._waiting:
            self._loop.call_soon(self._let_some_in)

    def _let_in(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError):  # of TCP only
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, MAX_UNSENT_BYTES)
        arrival = self._loop.create_task(self._loop.connect_accepted_socket(self._protocol, connection))
        self._arrivals.add(arrival)
        arrival.add_done_callback(self._arrivals.discard)

    def _wait_a_little(self) -> None:
        """Accepts nothing for PAUSE_SECONDS, or until somebody leaves."""
        self._pause()
        if self._resuming is not None:
            self._resuming.cancel()
        self._resuming = self._loop.call_later(PAUSE_SECONDS, self._resume)


def _probes(connection: socket.socket) -> bool:
    """Whether what it has sent by now, if anything, asks for no more than whether the service lives."""
    try:
        return connection.recv(len(PROBE), socket.MSG_PEEK) == PROBE
    except OSError:
        return False
