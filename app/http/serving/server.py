"""The uvicorn server with a graceful stop: at a signal running jobs finish while polls are still answered."""

import asyncio
import gc
import resource
import signal
import socket
import sys
from collections.abc import Awaitable, Callable
from types import FrameType
from typing import Any, cast

import uvicorn
from litestar import Litestar
from loguru import logger

from app.http.serving.connection import Connection, Deadlines
from app.http.serving.connection_limit import ConnectionLimit
from app.http.serving.listener import CannotListen, Listener, bound, close
from app.http.serving.pacing import Pacing
from app.http.serving.unread import Unread
from app.service import Service
from app.startup import is_start_failure

KEEP_ALIVE_SECONDS = 75
LAST_ANSWERS_SECONDS = 5
"""How long answers under way may take when everything else has stopped."""
CANNOT_START = 3
"""Exit code."""
MAX_CLIENT_CONNECTIONS = 60_000
"""Fewer where the limit of open files, which is raised as far as it may be, does not reach so far."""
MIN_CLIENT_CONNECTIONS = 16
FILES_OF_ITS_OWN = 64
"""Descriptors that are left for the store, the log, the loop and the libraries; counted: 25 in use."""
FILES_A_WORKER = 16
"""Pipes and sentinels of a worker, and of its successor beside it."""


class Server(uvicorn.Server):
    """A uvicorn server whose first signal drains the service and whose second one cuts the drain short.

    A signal during the start, which may take minutes where models are made ready, ends it there and then.
    """

    def __init__(
        self,
        app: Litestar,
        sockets: list[socket.socket],
        max_connections: int = MAX_CLIENT_CONNECTIONS,
        deadlines: Deadlines = Deadlines(),
    ) -> None:
        """`sockets`: as `bound` gives them; closed at the end."""
        self._connection_limit, self._unread, self._deadlines = ConnectionLimit(max_connections), Unread(), deadlines
        config = uvicorn.Config(
            Pacing(without_known_tracebacks(app)),
            loop="asyncio",  # uvicorn would take uvloop as soon as some dependency brings it: one loop, the tested one
            http=Connection,
            ws="none",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=LAST_ANSWERS_SECONDS,
        )
        super().__init__(config)
        self._app = app
        self._sockets = sockets
        self._loop: asyncio.AbstractEventLoop | None = None
        self._serving: asyncio.Task[None] | None = None
        self.stopped_early = False
        """True once a signal has ended the start."""
        self._told_to_stop = False
        self._stopping: asyncio.Task[None] | None = None
        self.on_started: Callable[[], None] = lambda: None

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        """Serves until a signal, and a drain after it."""
        self._loop = asyncio.get_running_loop()
        self._serving = asyncio.current_task()
        try:
            await super().serve(sockets or self._sockets)
        except asyncio.CancelledError:
            if not self.stopped_early:
                raise

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Starts the service, then listens, and says where. Raises SystemExit where either cannot be done."""
        await self.lifespan.startup()
        if self.lifespan.should_exit:
            raise SystemExit(CANNOT_START)
        listener = Listener(sockets or [], self._connection, self._connection_limit)
        try:
            listener.start()
        except CannotListen as error:
            cannot_start(error)
            await self.lifespan.shutdown()
            raise SystemExit(CANNOT_START) from None
        self.servers = [cast("asyncio.Server", listener)]  # uvicorn closes it, and waits for that: it has both
        self.on_started()
        self.started = True
        for listening in listener.sockets:
            host, port = listening.getsockname()[:2]
            url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
            logger.bind(event="service.listening", url=url).info(f"listening on {url}")

    def _connection(self) -> asyncio.Protocol:
        return Connection(
            self.config,
            self.server_state,
            self.lifespan.state,
            connection_limit=self._connection_limit,
            unread=self._unread,
            deadlines=self._deadlines,
        )

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """First signal: drain, then stop. Second signal: drain no longer. Before the service runs: stop now."""
        service: Service | None = getattr(self._app.state, "service", None)
        if self._loop is None or self._serving is None:
            super().handle_exit(sig, frame)
        elif service is None:
            self.stopped_early = True
            self._loop.call_soon_threadsafe(self._serving.cancel)
        elif self.should_exit:
            super().handle_exit(sig, frame)
        elif self._told_to_stop:
            # not uvicorn's own stop: that would close the port, and then wait for the drain all the same
            self._loop.call_soon_threadsafe(service.hurry)
        else:
            self._told_to_stop = True
            self._loop.call_soon_threadsafe(self._drain, service, sig, frame)

    def _drain(self, service: Service, sig: int, frame: FrameType | None) -> None:
        async def drain_then_stop() -> None:
            await service.drain()
            super(Server, self).handle_exit(sig, frame)

        self._stopping = asyncio.create_task(drain_then_stop(), name="stop")


def without_known_tracebacks(app: Litestar) -> Callable[[Any, Any, Any], Awaitable[None]]:
    """The application; of a start that failed for a reason that was logged, no traceback is added to the log."""

    async def called(scope: Any, receive: Any, send: Any) -> None:
        async def shortened(message: Any) -> None:
            # Litestar sends this from the handler of the exception, formatted
            if message["type"] == "lifespan.startup.failed" and is_start_failure(sys.exc_info()[1]):
                message["message"] = ""
            await send(message)

        await app(scope, receive, shortened if scope["type"] == "lifespan" else send)

    return called


def cannot_start(reason: CannotListen) -> None:
    """Says so, in one line."""
    logger.bind(event="service.start_failed").critical(f"the service cannot start: {reason}")


def serve(app: Litestar, host: str, port: int, workers: int) -> None:
    """Runs the application until a signal; returns after a clean stop. Raises SystemExit(3) when it cannot start."""
    # uvicorn raises the signal again at its end, to die of it: with these handlers the process returns instead,
    # exits 0 and runs its exit handlers
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    try:
        connections = connections_within_reach(workers)
        sockets = bound(host, port)  # before the models are loaded, which may take minutes
    except CannotListen as error:
        cannot_start(error)
        raise SystemExit(CANNOT_START) from None
    server = Server(app, sockets, connections)
    server.on_started = settle
    try:
        server.run()
    finally:
        close(sockets)
    if server.stopped_early:
        logger.bind(event="service.start_stopped").info("told to stop before it was ready")
    elif not server.started:
        raise SystemExit(CANNOT_START)


def settle() -> None:
    """What the start has made is there to stay: the collector looks at it no more.

    A look takes 100 to 300 ms, in which nobody is answered, and long answers, made of many small objects, bring it
    about again and again: 575 MB of words 10.6 s of CPU time, 7.6 without.
    """
    gc.collect()
    gc.freeze()


def connections_within_reach(workers: int) -> int:
    """How many connections the system's limit of open files leaves, once as much as needed is asked for.

    Raises CannotListen where it leaves hardly any.
    """
    soft, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    reserved = FILES_OF_ITS_OWN + FILES_A_WORKER * workers
    wanted = MAX_CLIENT_CONNECTIONS + reserved
    files = wanted if most == resource.RLIM_INFINITY else max(soft, min(wanted, most))
    if files > soft:
        resource.setrlimit(resource.RLIMIT_NOFILE, (files, most))
    if files < reserved + MIN_CLIENT_CONNECTIONS:
        raise CannotListen(
            f"the limit of open files, {files}, is too low: {workers} workers, the store and "
            f"{MIN_CLIENT_CONNECTIONS} clients need {reserved + MIN_CLIENT_CONNECTIONS} (`ulimit -n`)"
        )
    return min(MAX_CLIENT_CONNECTIONS, files - reserved)
