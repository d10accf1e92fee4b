"""Files that clients name by URL, fetched with the same care as webhooks are sent: see addresses.py and sender.py.

Each redirect is judged like the first URL; what comes is handed on piece by piece, and never held.
"""

import asyncio
import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from urllib.parse import unquote, urljoin, urlsplit

import h11

from app.delivery.addresses import Addresses, Refused, Target, Unresolved
from app.delivery.sender import MAX_ANSWER_HEAD_BYTES, USER_AGENT, connected, head_of, next_event

MAX_REDIRECTS = 4
FETCHED_AT_ONCE = 64 * 1024
_REDIRECTS = (301, 302, 303, 307, 308)
_NOT_FETCHED = "this service fetches no files; its operator sets INPUT_URL_HOSTS"


class UrlNotAllowed(Exception):
    """The service must not fetch that URL; the text says why."""


class UrlUnreachable(Exception):
    """Nothing could be fetched from there; the text says why."""


class Fetcher:
    """Fetches from the hosts that the operator allows."""

    def __init__(
        self, addresses: Addresses, *, enabled: bool, any_public: bool, tls: ssl.SSLContext | None = None
    ) -> None:
        """`any_public`: from any public host, not only from those that `addresses` names."""
        self.enabled = enabled
        self._addresses = addresses
        self._any_public = any_public
        self._tls = tls

    async def fetch(self, url: str, add: Callable[[bytes], Awaitable[None]], timeout: float) -> None:
        """Hands the file on to `add`, in so many seconds for all of it. Raises UrlNotAllowed, UrlUnreachable, or as
        `add`.
        """
        try:
            async with asyncio.timeout(timeout), aclosing(self._pieces(url)) as pieces:
                async for piece in pieces:
                    await add(piece)
        except TimeoutError:
            raise UrlUnreachable(f"the file did not come within {timeout:g} s") from None

    async def _pieces(self, url: str) -> AsyncGenerator[bytes, None]:
        if not self.enabled:
            raise UrlNotAllowed(_NOT_FETCHED)
        try:
            for _ in range(MAX_REDIRECTS + 1):
                target = await self._target(url)
                reader, writer = await connected(target, self._tls)
                try:
                    connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=MAX_ANSWER_HEAD_BYTES)
                    writer.write(connection.send(_request(target)) or b"")
                    writer.write(connection.send(h11.EndOfMessage()) or b"")
                    await writer.drain()
                    answer = await head_of(connection, reader)
                    location = _location(answer)
                    if location is None:
                        _require_file(answer)
                        while not isinstance(
                            event := await next_event(connection, reader, FETCHED_AT_ONCE), h11.EndOfMessage
                        ):
                            assert isinstance(event, h11.Data)
                            yield bytes(event.data)
                        return
                finally:
                    writer.transport.abort()
                url = urljoin(url, location)
        except h11.RemoteProtocolError as error:
            raise UrlUnreachable(f"the answer is no HTTP, or breaks off: {error}") from error
        except ssl.SSLError as error:
            raise UrlUnreachable(f"TLS: {error.reason or error}") from error
        except OSError as error:
            raise UrlUnreachable(f"the connection failed: {error.strerror or error}") from error
        raise UrlUnreachable(f"more than {MAX_REDIRECTS} redirects")

    async def _target(self, url: str) -> Target:
        try:
            if not (self._any_public or self._addresses.has_networks or self._addresses.names(url)):
                raise UrlNotAllowed(f"{_host(url)} is none of the hosts that files are fetched from")
            target = await self._addresses.target(url)
            if not (self._any_public or self._addresses.names(url) or self._addresses.in_networks(target)):
                raise UrlNotAllowed(f"{target.host} is none of the hosts that files are fetched from")
        except Unresolved as error:
            raise UrlUnreachable(str(error)) from error
        except Refused as error:
            raise UrlNotAllowed(str(error)) from error
        return target


def name_of(url: str) -> str:
    """What a file of that URL is called: the last step of its path, or its host."""
    try:
        parts = urlsplit(url)
        return unquote(parts.path.rstrip("/").rpartition("/")[2]) or parts.hostname or ""
    except ValueError:
        return ""


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or "the host"
    except ValueError:
        return "the host"


def _request(target: Target) -> h11.Request:
    headers = [
        ("Host", target.authority),
        ("User-Agent", USER_AGENT),
        ("Accept", "application/pdf, image/*, */*;q=0.5"),
        ("Accept-Encoding", "identity"),  # what comes is counted and kept as it comes
        ("Connection", "close"),
    ]
    return h11.Request(method="GET", target=target.path, headers=headers)


def _location(answer: h11.Response) -> str | None:
    location = dict(answer.headers).get(b"location")
    return location.decode("latin-1") if answer.status_code in _REDIRECTS and location is not None else None


def _require_file(answer: h11.Response) -> None:
    """Raises UrlUnreachable where the answer is not the file, as it is."""
    if answer.status_code != 200:
        raise UrlUnreachable(f"it is answered with {answer.status_code}")
    coding = dict(answer.headers).get(b"content-encoding", b"identity").decode("latin-1")
    if coding.lower() != "identity":
        raise UrlUnreachable(f"it comes in another Content-Encoding than was asked for: {coding[:32]}")
