"""Requests to a service that can be given up at any moment: h11 over a connection of asyncio, one for each.

Clients that block would hold an interruption until their time limit; what they add, redirects and proxies, is not used.
"""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterable, Awaitable, Mapping
from typing import BinaryIO, TypeVar
from urllib.parse import urlsplit

import h11
from msgspec import Struct

T = TypeVar("T")

IDLE_SECONDS = 90.0
"""Without a byte in either direction, after which a connection is given up; longer than services let clients wait."""
CONTINUE_SECONDS = 1.0
"""That a service is given to say whether it wants a body; those that never say so get it then."""
READ_BYTES = 64 * 1024


class Unreachable(Exception):
    """No whole answer came."""


class Answer(Struct, frozen=True, kw_only=True):
    """What the service said."""

    status: int
    headers: Mapping[str, str]
    """By their names in small letters."""
    body: bytes
    """Empty where it went into a file."""


class Body(Struct, frozen=True, kw_only=True):
    """What is sent with a request."""

    parts: AsyncIterable[bytes]
    size: int
    media_type: str


class Client:
    """Of one service."""

    def __init__(self, url: str, key: str, *, tls: ssl.SSLContext | None = None, idle: float = IDLE_SECONDS) -> None:
        """`url`: http or https, and what comes before the service's own paths. `tls` replaces the system's trust."""
        parts = urlsplit(url)
        self._host, self._base = parts.hostname or "", parts.path.rstrip("/")
        self._tls = (tls or ssl.create_default_context()) if parts.scheme == "https" else None
        self._port = parts.port or (443 if self._tls else 80)
        self._authority = parts.netloc.rpartition("@")[2]
        self._key = key
        self._idle = idle

    async def ask(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: Body | None = None,
        into: BinaryIO | None = None,
    ) -> Answer:
        """The answer; the body of a 200 goes `into` a file where one is given. Raises Unreachable, or OSError of it."""
        try:
            reader, writer = await self._in_time(
                asyncio.open_connection(self._host, self._port, ssl=self._tls, limit=4 * READ_BYTES)
            )
        except ssl.SSLError as error:
            raise Unreachable(f"TLS: {error.reason or error}") from error
        except OSError as error:  # a TimeoutError is one
            raise Unreachable(f"no connection: {error.strerror or error or 'it takes too long'}") from error
        try:
            connection = h11.Connection(h11.CLIENT)
            # what comes is read while the body goes: a service may answer before it has everything, and close
            wanted = asyncio.Event()
            request = self._request(method, path, headers or {}, body)
            sending = asyncio.create_task(self._send(connection, writer, request, body, wanted))
            answering = asyncio.create_task(self._answer(connection, reader, into, wanted))
            try:
                await asyncio.wait({sending, answering}, return_when=asyncio.FIRST_COMPLETED)
                if sending.done() and not answering.done():
                    sending.result()  # raises what went wrong
                return await answering
            finally:
                for task in (sending, answering):
                    task.cancel()
                await asyncio.gather(sending, answering, return_exceptions=True)
        except h11.RemoteProtocolError as error:
            raise Unreachable(f"the answer is no HTTP: {error}") from error
        except TimeoutError as error:
            raise Unreachable("the connection was silent for too long") from error
        finally:
            writer.transport.abort()

    def _request(self, method: str, path: str, headers: Mapping[str, str], body: Body | None) -> h11.Request:
        fields = [
            ("Host", self._authority),
            ("Connection", "close"),
            ("User-Agent", "smart-queue-ocr"),
            *headers.items(),
        ]
        if self._key:
            fields.append(("X-API-Key", self._key))
        if body is not None:
            # a body that is refused unseen is not sent: what came meanwhile is lost where a connection breaks
            fields += [
                ("Content-Length", str(body.size)),
                ("Content-Type", body.media_type),
                ("Expect", "100-continue"),
            ]
        return h11.Request(method=method, target=self._base + path, headers=fields)

    async def _send(
        self,
        connection: h11.Connection,
        writer: asyncio.StreamWriter,
        request: h11.Request,
        body: Body | None,
        wanted: asyncio.Event,
    ) -> None:
        with contextlib.suppress(ConnectionError):  # the answer tells why, if there is one
            writer.write(connection.send(request) or b"")
            if body is not None:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(wanted.wait(), CONTINUE_SECONDS)
                async for part in body.parts:
                    writer.write(connection.send(h11.Data(data=part)) or b"")
                    await self._in_time(writer.drain())
            writer.write(connection.send(h11.EndOfMessage()) or b"")
            await self._in_time(writer.drain())

    async def _answer(
        self,
        connection: h11.Connection,
        reader: asyncio.StreamReader,
        into: BinaryIO | None,
        wanted: asyncio.Event,
    ) -> Answer:
        head, gathered = None, bytearray()
        while True:
            event = connection.next_event()
            if event is h11.NEED_DATA:
                connection.receive_data(await self._received(reader))
            elif isinstance(event, h11.InformationalResponse):
                wanted.set()
            elif isinstance(event, h11.Response):
                head = event
            elif isinstance(event, h11.Data):
                if into is not None and head is not None and head.status_code == 200:
                    into.write(event.data)
                else:
                    gathered += event.data
            elif isinstance(event, h11.EndOfMessage) and head is not None:
                fields = {name.decode("latin-1"): value.decode("latin-1") for name, value in head.headers}
                return Answer(status=head.status_code, headers=fields, body=bytes(gathered))
            elif isinstance(event, h11.ConnectionClosed):
                raise Unreachable("the connection was closed without an answer")

    async def _received(self, reader: asyncio.StreamReader) -> bytes:
        try:
            return await self._in_time(reader.read(READ_BYTES))
        except ConnectionError as error:
            raise Unreachable(f"the connection was lost: {error.strerror or error}") from error

    async def _in_time(self, work: Awaitable[T]) -> T:
        async with asyncio.timeout(self._idle):
            return await work
