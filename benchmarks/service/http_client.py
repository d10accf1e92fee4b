"""As little HTTP as a load generator needs: its CPU time is taken from the service that it measures."""

import asyncio
from collections import deque
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from msgspec import Struct


class Answer(Struct, frozen=True):
    """An HTTP answer."""

    status: int
    body: bytes


class Client:
    """HTTP/1.1 to one server over connections that are kept and used again. Plain http, bodies with Content-Length."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "127.0.0.1", parts.port or 80
        self._idle: deque[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = deque()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        while self._idle:
            self._idle.pop()[1].close()

    async def get(self, path: str) -> Answer:
        """Raises OSError, and EOFError where the server hangs up."""
        return await self._ask("GET", path, b"", "application/octet-stream")

    async def post(self, path: str, body: bytes, content_type: str = "application/octet-stream") -> Answer:
        """Raises OSError, and EOFError where the server hangs up."""
        return await self._ask("POST", path, body, content_type)

    async def _ask(self, method: str, path: str, body: bytes, content_type: str) -> Answer:
        streams = self._idle.pop() if self._idle else await asyncio.open_connection(self._host, self._port)
        reader, writer = streams
        try:
            writer.write(
                f"{method} {path} HTTP/1.1\r\nHost: {self._host}:{self._port}\r\n"
                f"Content-Type: {content_type}\r\nContent-Length: {len(body)}\r\n\r\n".encode()
                + body
            )
            await writer.drain()
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
            answer = Answer(int(head[0].split()[1]), await reader.readexactly(int(fields.get("content-length", "0"))))
        except BaseException:
            writer.close()
            raise
        if fields.get("connection", "").lower() == "close":
            writer.close()
        else:
            self._idle.append(streams)
        return answer


def form(image: bytes, part: str) -> tuple[bytes, str]:
    """The image as a multipart form's one file: body and content type."""
    boundary = "benchmark-of-smart-queue-ocr"
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="{part}"; filename="image"\r\n\r\n'
    return head.encode() + image + f"\r\n--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"
