"""The real server on a real socket, in a thread of the test; only the OCR processes are scripted."""

import asyncio
import contextlib
import json
import logging
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import msgspec
from loguru import logger

from app.http.serving.connection import Deadlines
from app.http.serving.listener import bound
from app.http.serving.server import Server
from app.main import create_app
from app.service import Service
from config.settings import Settings
from tests.scripted_pool import ScriptedPool

PATIENCE = 30.0
"""Seconds after which an answer or event that did not come fails the test."""


class Answer(msgspec.Struct, frozen=True):
    """An HTTP answer as it came over the socket."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def problem(self) -> dict[str, Any]:
        """The body, which has to be a problem with the id of its request."""
        assert self.headers["content-type"] == "application/problem+json", self
        problem = json.loads(self.body)
        assert problem["status"] == self.status
        assert problem["request_id"] == self.headers["x-request-id"]
        return dict(problem)


class Wire(contextlib.AbstractContextManager["Wire"]):
    """A connection on which a test writes what it likes."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.socket = socket.create_connection(address, timeout=PATIENCE)
        self._answers = self.socket.makefile("rb")

    def send(self, data: bytes) -> "Wire":
        """Sends as much as the other side takes: it may have refused and closed before the end."""
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.socket.sendall(data)
        return self

    def finish(self) -> "Wire":
        """Says that nothing more comes."""
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_WR)
        return self

    def answer(self) -> Answer | None:
        """The next answer; None where the server closes without one."""
        try:
            line = self._answers.readline()
            if not line:
                return None
            headers = {}
            while (field := self._answers.readline().strip()) != b"":
                name, _, value = field.partition(b":")
                headers[name.decode().lower()] = value.strip().decode()
            body = self._answers.read(int(headers.get("content-length", 0)))
        except ConnectionResetError:
            return None
        return Answer(int(line.split()[1]), headers, body)

    def ended(self) -> bool:
        """True once the server has closed."""
        try:
            return self._answers.read(1) == b""
        except ConnectionResetError:
            return True

    def __exit__(self, *_: object) -> None:
        self._answers.close()
        self.socket.close()


def url_of(address: tuple[str, int]) -> str:
    """Of a server's root, without a slash."""
    return f"http://{address[0]}:{address[1]}"


class LiveServer:
    """What a test may do with the running server."""

    def __init__(
        self,
        address: tuple[str, int],
        server: Server,
        service: Service,
        log: list[dict[str, Any]],
        loop: asyncio.AbstractEventLoop,
        client: httpx.Client,
    ) -> None:
        self.address = address
        self.loop = loop
        self.url = url_of(address)
        self.client = client
        """Its addresses begin at the server's root; as patient as a busy machine needs."""
        self.server = server
        self.service = service
        self.log = log

    def wire(self) -> Wire:
        """A new connection."""
        return Wire(self.address)

    def say(self, data: bytes) -> Answer | None:
        """What is answered to these bytes on a connection of their own."""
        with self.wire() as wire:
            return wire.send(data).answer()

    def call(self, what: Callable[[], object]) -> None:
        """Has it called by the server's own thread, soon."""
        self.loop.call_soon_threadsafe(what)

    def stop(self) -> None:
        """Tells it to stop, as SIGTERM does; returns at once."""
        self.server.handle_exit(signal.SIGTERM, None)

    def works(self) -> bool:
        """Is it ready, be it after a while on a busy machine, and was nothing of this test an error in its own eyes?"""
        faults = [entry for entry in self.log if entry["level"] in ("ERROR", "CRITICAL") or entry["exception"]]
        assert not faults, faults
        until = time.monotonic() + PATIENCE
        while self.client.get("/health/ready").status_code != 200:
            if time.monotonic() > until:
                return False
        return True


@contextlib.contextmanager
def live_server(
    settings: Settings,
    pool: ScriptedPool,
    max_connections: int = 5000,
    deadlines: Deadlines = Deadlines(),
    port: int = 0,
) -> Iterator[LiveServer]:
    """Runs the service as `python -m app` does, but for signals and OCR; stopped and drained at the end."""
    log: list[dict[str, Any]] = []

    def remember(message: Any) -> None:
        record = message.record
        exception = str(message) if record["exception"] else ""
        log.append(
            {"level": record["level"].name, "text": record["message"], "exception": exception, **record["extra"]}
        )

    class Remember(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            exception = self.format(record) if record.exc_info else ""
            log.append({"level": record.levelname, "text": record.getMessage(), "exception": exception})

    failures: list[str] = []
    app = create_app(settings, make_pool=lambda _: pool, on_failure=failures.append)
    server = Server(app, bound("127.0.0.1", port), max_connections, deadlines)
    sink = logger.add(remember, format="{message}")
    records = Remember()
    logging.root.addHandler(records)
    loops: list[asyncio.AbstractEventLoop] = []

    async def serve() -> None:
        loops.append(asyncio.get_running_loop())
        await server.serve()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), name="server")
    thread.start()
    try:
        deadline = time.monotonic() + PATIENCE
        while not server.started and thread.is_alive() and time.monotonic() < deadline:
            thread.join(0.01)
        assert server.started, log
        address = server.servers[0].sockets[0].getsockname()[:2]
        with httpx.Client(base_url=url_of(address), timeout=PATIENCE) as client:
            yield LiveServer(address, server, app.state.service, log, loops[0], client)
    finally:
        server.should_exit = True
        thread.join(PATIENCE)
        logger.remove(sink)
        logging.root.removeHandler(records)
    assert not failures
