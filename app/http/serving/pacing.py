"""Pacing of bursts: requests begin a few at a time, so that others, and probes above all, are served in between."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

REQUESTS_A_TURN = 4
"""Of a burst, so many begin before the event loop looks at everything else again: some 3 ms."""
NEVER_WAITING = "/health/live"
"""Who asks this restarts the service where the answer is late."""

AsgiApp = Callable[[Any, Any, Any], Awaitable[None]]


class Pacing:
    """Around an ASGI application. In order of arrival."""

    def __init__(self, app: AsgiApp) -> None:
        self._app = app
        self._begun = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Passes the request on when its turn has come."""
        if scope["type"] == "http" and scope["path"] != NEVER_WAITING:
            await self._turn()
        await self._app(scope, receive, send)

    async def _turn(self) -> None:
        loop = asyncio.get_running_loop()
        if not self._begun:
            loop.call_soon(self._next, loop)
        if self._begun < REQUESTS_A_TURN and not self._waiting:
            self._begun += 1
            return
        turn = loop.create_future()
        self._waiting.append(turn)
        await turn

    def _next(self, loop: asyncio.AbstractEventLoop) -> None:
        self._begun = 0
        while self._waiting and self._begun < REQUESTS_A_TURN:
            turn = self._waiting.popleft()
            if not turn.done():  # a stop cancels those who wait
                turn.set_result(None)
                self._begun += 1
        if self._begun:
            loop.call_soon(self._next, loop)
