"""One POST to a receiver that may hang, lie or never end: bounded in time and memory, redirects not followed.

h11 by hand over a connection to the pinned address: clients with pools resolve names themselves, and their time limits
are for single operations, so that a receiver which sends a byte now and then holds them for ever.
"""

import asyncio
import contextlib
import ssl
from collections.abc import Mapping
from functools import cache
from typing import Literal

import h11
from msgspec import Struct

from app import VERSION
from app.delivery.addresses import Addresses, Refused, Target

MAX_ANSWER_HEAD_BYTES = 16_384
"""Longest head of an answer that is read; of its body nothing is."""
READ_BYTES = 4096
USER_AGENT = f"smart-queue-ocr/{VERSION}"
"""As receivers, and those that files are fetched from, are told."""


Reason = Literal["", "timeout", "refused", "protocol", "tls", "connection"]


class Answer(Struct, frozen=True, kw_only=True):
    """What came of one try."""

    status: int = 0
    """HTTP status; 0 where there was no answer."""
    error: str = ""
    """Why there was none."""
    reason: Reason = ""
    """The same in a word of ours."""
    retry_after: str = ""
    """The answer's header of this name, as it came."""

    @property
    def accepted(self) -> bool:
        """The receiver has it."""
        return 200 <= self.status < 300


class Sender:
    """Sends requests to targets that Addresses allows."""

    def __init__(self, addresses: Addresses, *, timeout: float, tls: ssl.SSLContext | None = None) -> None:
        """`timeout`: seconds for all of a try, the look-up of the name included. `tls` replaces the system's trust."""
        self._addresses = addresses
        self._timeout = timeout
        self._tls = tls

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """One try; it never raises but when cancelled."""
        try:
            async with asyncio.timeout(self._timeout):
                return await self._post(await self._addresses.target(url), headers, body)
        except TimeoutError:
            return Answer(error=f"no answer within {self._timeout:g} s", reason="timeout")
        except Refused as error:
            return Answer(error=str(error), reason="refused")
        except h11.RemoteProtocolError as error:
            return Answer(error=f"the answer is no HTTP: {error}", reason="protocol")
        except ssl.SSLError as error:
            return Answer(error=f"TLS: {error.reason or error}", reason="tls")
        except OSError as error:
            return Answer(error=f"the connection failed: {error.strerror or error}", reason="connection")

    async def _post(self, target: Target, headers: Mapping[str, str], body: bytes) -> Answer:
        reader, writer = await connected(target, self._tls)
        try:
            connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=MAX_ANSWER_HEAD_BYTES)
            request = h11.Request(
                method="POST",
                target=target.path,
                headers=[
                    ("Host", target.authority),
                    ("Content-Length", str(len(body))),
                    ("Connection", "close"),
                    *headers.items(),
                ],
            )
            for event in (request, h11.Data(data=body), h11.EndOfMessage()):
                writer.write(connection.send(event) or b"")
            # a receiver may answer before it has read everything, and then close
            with contextlib.suppress(ConnectionError):
                await writer.drain()
            head = await head_of(connection, reader)
            retry_after = dict(head.headers).get(b"retry-after", b"").decode("latin-1")
            return Answer(status=head.status_code, retry_after=retry_after)
        finally:
            writer.transport.abort()


@cache
def system_trust() -> ssl.SSLContext:
    """The system's certificates. Read when they are first needed: that takes 18 ms, and most services call nobody."""
    return ssl.create_default_context()


async def connected(
    target: Target, context: ssl.SSLContext | None
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection to the first address that takes one. `context`: None for the system's trust.

    Raises the last one's OSError.
    """
    tls, name = (context or system_trust(), target.host) if target.scheme == "https" else (None, None)
    *others, last = target.addresses
    for address in others:
        with contextlib.suppress(OSError):
            return await asyncio.open_connection(address, target.port, ssl=tls, server_hostname=name)
    return await asyncio.open_connection(last, target.port, ssl=tls, server_hostname=name)


async def next_event(connection: h11.Connection, reader: asyncio.StreamReader, size: int = READ_BYTES) -> object:
    """What of an answer comes next; `size`: bytes read at a time. Raises h11.RemoteProtocolError, OSError."""
    while (event := connection.next_event()) is h11.NEED_DATA:
        data = await reader.read(size)
        if not data and connection.their_state is h11.SEND_RESPONSE:
            raise ConnectionResetError("closed without an answer")
        # empty: the end, of which h11 makes the error where it comes too early
        connection.receive_data(data)
    return event


async def head_of(connection: h11.Connection, reader: asyncio.StreamReader) -> h11.Response:
    """The head of the final answer. Raises as `next_event`."""
    while not isinstance(event := await next_event(connection, reader), h11.Response):
        pass  # an interim one, as 103 Early Hints
    return event
