"""A wire between a node and PostgreSQL that a test may hold, cut silently, or let go again."""

import asyncio
import contextlib
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self
from urllib.parse import parse_qs, urlsplit

CHUNK = 65_536


class _Link:
    """One connection and what its packets meet."""

    def __init__(self) -> None:
        self.deaf = False
        self.held = False
        """No answer passes any more, nor an end."""


class Proxy:
    """TCP on 127.0.0.1 in front of a server's Unix socket, in a thread of its own; `url` leads through it."""

    def __init__(self, server_url: str) -> None:
        """`server_url` is one that names a socket's folder: `postgresql://user:@/database?host=/folder`."""
        parts = urlsplit(server_url)
        self._socket = f"{parse_qs(parts.query)['host'][0]}/.s.PGSQL.5432"
        self._links: set[_Link] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._words, self._answered = b"", threading.Event()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._thread.start()
        port = asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result()
        self.url = f"postgresql://{parts.username}@127.0.0.1:{port}{parts.path}"

    def forget(self) -> None:
        """Half-open: whatever is connected now hears nothing any more, not even an end; new connections pass."""

        def deafen() -> None:
            for link in self._links:
                link.deaf = True

        self._call(deafen)

    def hold_answers_to(self, words: bytes) -> threading.Event:
        """Set once a client has sent these words and the first byte of their answer came, which is held back."""
        self._words, self._answered = words, threading.Event()
        return self._answered

    def cut(self) -> None:
        """Resets what is connected now, and holds nothing back any more; new connections pass."""
        self._words = b""
        asyncio.run_coroutine_threadsafe(self._reset(), self._loop).result()

    def part(self) -> None:
        """A partition: packets of old and new connections are held back."""
        self._call(self._open.clear)

    def heal(self) -> None:
        """The end of a partition: what was held back arrives."""
        self._call(self._open.set)

    def close(self) -> None:
        """Ends the connections that are left."""
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _call(self, act: Callable[[], None]) -> None:
        async def run() -> None:
            act()

        asyncio.run_coroutine_threadsafe(run(), self._loop).result()

    async def _listen(self) -> int:
        self._open = asyncio.Event()
        self._open.set()
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        return int(self._server.sockets[0].getsockname()[1])

    async def _end(self) -> None:
        self._server.close()
        await self._reset()

    async def _reset(self) -> None:
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._connect(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        link = _Link()
        self._links.add(link)
        writers = [writer]
        try:
            await self._open.wait()
            with contextlib.suppress(OSError):  # the server is not there: the client's connection is closed
                answers, server = await asyncio.open_unix_connection(self._socket)
                writers.append(server)
                await asyncio.gather(
                    self._pump(link, reader, server, asks=True), self._pump(link, answers, writer, asks=False)
                )
        finally:
            self._links.discard(link)
            for end in writers:
                end.transport.abort()

    async def _pump(
        self, link: _Link, source: asyncio.StreamReader, target: asyncio.StreamWriter, *, asks: bool
    ) -> None:
        with contextlib.suppress(OSError):
            while data := await source.read(CHUNK):
                await self._open.wait()
                if asks and self._words and self._words in data:
                    link.held = True
                elif link.held and not asks:
                    self._answered.set()
                    await asyncio.Event().wait()
                if not link.deaf:
                    target.write(data)
                    await target.drain()
        await self._open.wait()
        if link.deaf:
            await asyncio.Event().wait()  # the other side is never told
        target.transport.abort() if target.transport.is_closing() else target.close()
