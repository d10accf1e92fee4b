"""An HTTP/1.1 connection: uvicorn's, with deadlines for slow clients, and problems in answer to what is no HTTP."""

import asyncio
import re
import uuid
from typing import Any, cast

import h11
import msgspec
import uvicorn
from loguru import logger
from msgspec import Struct
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from app.http.frame import TAKEN_WHOLE
from app.http.problems import PROBLEM_JSON, problem
from app.http.request_context import context_of
from app.http.serving.connection_limit import ConnectionLimit
from app.http.serving.unread import Unread

SLOW_READER_MIN_BYTES = 1_000_000
MAX_HEAD_BYTES = 65_536
"""Bytes of a request's head."""
_ABSOLUTE = re.compile(rb"https?://[^/?]*", re.IGNORECASE)


class Deadlines(Struct, frozen=True, kw_only=True):
    """In seconds, of what a client owes."""

    head: float = 15.0
    """From the connection, or from the first byte of a later request on it, to the end of that request's headers."""
    linger: float = 5.0
    """How long the rest of a body is read and thrown away once its request was answered: a connection closed at once
    would be reset by the kernel, and the client might never see the answer (RFC 9112, 9.6)."""
    slow_reader: float = 30.0
    """In so many a client reads SLOW_READER_MIN_BYTES of what the kernel does not hold for it, or all that is left."""


class OneLength(h11.Connection):
    """HTTP where a body has one length: with two of them requests are smuggled past a gateway (RFC 9112, 6.1).

    And where a target may be a whole URL, as clients send it that take us for their proxy (RFC 9112, 3.2.2). A head
    that is too large is refused even if it came in one piece, which h11 lets pass.
    """

    def next_event(self) -> h11.Event | type[h11.NEED_DATA] | type[h11.PAUSED]:
        """As in h11. Raises h11.RemoteProtocolError for such a request too."""
        event = super().next_event()
        if isinstance(event, h11.Request):
            if len(event.target) + sum(len(name) + len(value) + 4 for name, value in event.headers) > MAX_HEAD_BYTES:
                raise h11.RemoteProtocolError("the head is too large", error_status_hint=431)
            names = {name for name, _ in event.headers}
            if b"transfer-encoding" in names and (b"content-length" in names or event.http_version < b"1.1"):
                raise h11.RemoteProtocolError("Transfer-Encoding beside Content-Length, or in HTTP/1.0")
            if origin := _ABSOLUTE.match(event.target):
                path = event.target[origin.end() :]
                event = h11.Request(
                    method=event.method,
                    headers=event.headers,
                    target=path if path.startswith(b"/") else b"/" + path,
                    http_version=event.http_version,
                )
        return event


class Connection(H11Protocol):
    """Nothing that a client owes is waited for without end; the body of an upload has its own limit in the route."""

    _owed: asyncio.TimerHandle | None = None
    _unread: asyncio.TimerHandle | None = None

    def __init__(
        self,
        config: uvicorn.Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        connection_limit: ConnectionLimit,
        unread: Unread,
        deadlines: Deadlines = Deadlines(),
    ) -> None:
        """`connection_limit` and `unread` are those of all connections of the server."""
        super().__init__(config, server_state, app_state, _loop)
        self._connection_limit = connection_limit
        self._unread_of_all = unread
        self._deadlines = deadlines
        self.app = self._telling(self.app)
        self._left_early = False
        """True once the client sends nothing more, or is given up, or lost: what it was sent it may never read."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Starts the wait for the first request."""
        stream = cast("asyncio.Transport", transport)  # as of every connection of a server
        super().connection_made(stream)
        self.conn = OneLength(h11.SERVER, MAX_HEAD_BYTES)
        # to hear of every byte that the kernel does not take, and when it has taken the last
        stream.set_write_buffer_limits(high=0)
        self._connection_limit.came(self)
        self._await_client()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forgets the deadlines."""
        self._left_early = self._left_early or exc is not None or bool(self.flow.write_paused)
        super().connection_lost(exc)
        self._connection_limit.left(self)
        self._unread_of_all.has_read(self)
        for deadline in (self._owed, self._unread):
            if deadline is not None:
                deadline.cancel()

    def data_received(self, data: bytes) -> None:
        """Takes what came, and waits for what is missing."""
        super().data_received(data)
        self._await_client()

    def on_response_complete(self) -> None:
        """Ready for the next request, or for the rest of this one's body."""
        super().on_response_complete()
        self._await_client()

    def pause_writing(self) -> None:
        """The kernel takes no more: the client has to read."""
        super().pause_writing()
        self._await_reader()
        self._unread_of_all.has_more(self)

    def resume_writing(self) -> None:
        """The kernel has taken everything."""
        super().resume_writing()
        self._unread_of_all.has_read(self)
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None

    def eof_received(self) -> bool:  # type: ignore[override]  # uvicorn gives None: closed at once
        """The client sends nothing more. True where it may still read: its request came whole and is to be answered."""
        whole = self.cycle is not None and self.cycle.response_complete and not self.flow.write_paused
        # the application may still be on its way back from the last piece that it sent
        self._left_early = self._left_early or not whole
        if self.cycle is None or self.cycle.response_complete or self.cycle.more_body:
            return False
        if _waits(self.scope):
            return False  # nearly always a client that is gone, and a job's end is not waited for on its behalf
        self.cycle.keep_alive = False
        return True

    def _telling(self, app: Any) -> Any:
        """The application, told by each request's scope how to hear that its answer was taken."""

        async def told(scope: Any, receive: Any, send: Any) -> None:
            if scope["type"] == "http":
                scope["state"][TAKEN_WHOLE] = self._taken_whole
            await app(scope, receive, send)

        return told

    async def _taken_whole(self) -> bool:
        """Whether the kernel has taken all that was written, from a client that was there until then."""
        await self.flow.drain()
        return not self._left_early

    @property
    def client_name(self) -> str:
        """See Reader."""
        scope: Any = self.scope
        host, _ = (scope["client"] if scope else self.client) or ("", 0)
        return (context_of(scope).client if scope else "") or host

    @property
    def unread(self) -> int:
        """See Reader."""
        return self.transport.get_write_buffer_size()

    def give_up(self) -> None:
        """See Reader."""
        self._left_early = True
        self.transport.abort()

    def leave(self) -> None:
        """See Member."""
        self.transport.abort()

    def send_400_response(self, msg: str) -> None:
        """Answers what h11 does not understand. uvicorn's own answer is plain text, and breaks in a started answer."""
        self._refuse("malformed_request", "this is not HTTP as RFC 9112 has it, or its headers are too large")

    def _await_client(self) -> None:
        """Sets the deadline for what the client owes; one that is already running is not put off by a few bytes."""
        answered = self.cycle is not None and self.cycle.response_complete
        if self.cycle is None or (answered and self.conn.their_state is not h11.SEND_BODY):
            self._connection_limit.idle(self)
        else:
            self._connection_limit.busy(self)
        started = self.cycle is None or bool(self.conn.trailing_data[0])
        if self.conn.their_state is h11.IDLE and started:
            seconds, too_late = self._deadlines.head, self._head_too_late
        elif self.conn.their_state is h11.SEND_BODY and answered:
            seconds, too_late = self._deadlines.linger, self.transport.abort
        else:
            if self._owed is not None:
                self._owed.cancel()
                self._owed = None
            return
        if self._owed is None:
            self._owed = self.loop.call_later(seconds, too_late)

    def _head_too_late(self) -> None:
        if self.conn.trailing_data[0]:
            self._refuse("upload_timeout", f"the head of the request did not arrive within {self._deadlines.head:g} s")
        else:
            self.transport.close()

    def _await_reader(self) -> None:
        left = self.transport.get_write_buffer_size()
        self._unread = self.loop.call_later(self._deadlines.slow_reader, self._give_reader_up, left)

    def _give_reader_up(self, before: int) -> None:
        if before - self.transport.get_write_buffer_size() < SLOW_READER_MIN_BYTES:
            self.give_up()  # close() would wait for the reader as well
        else:
            self._await_reader()

    def _refuse(self, code: str, detail: str) -> None:
        """Answers with a problem where no answer has begun, and closes."""
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            identity = uuid.uuid4().hex
            body = problem(code, detail, identity)
            content = msgspec.json.encode(body)
            headers = {
                "Content-Type": PROBLEM_JSON,
                "Content-Length": str(len(content)),
                "Connection": "close",
                "X-Request-ID": identity,
            }
            head = h11.Response(status_code=body.status, headers=list(headers.items()), reason=body.title)
            for event in (head, h11.Data(data=content), h11.EndOfMessage()):
                self.transport.write(self.conn.send(event) or b"")
            logger.bind(event="request.refused", request_id=identity, status=body.status, code=code).info(detail)
        if self.cycle is not None:
            # a handler at work must not answer a second time
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        self.transport.close()


def _waits(scope: Any) -> bool:
    """Is it a request whose answer may take long because the client asked for that?"""
    return (
        scope["path"].endswith("/events")
        or b"wait=" in scope["query_string"]
        or any(name == b"prefer" for name, _ in scope["headers"])
    )
