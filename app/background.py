"""Periodic and other background loops: each has a name, and none dies unseen."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from loguru import logger

from persistence.tasks import end, every


class Background:
    """Loops that are meant to run until they are ended."""

    def __init__(self) -> None:
        self._loops: list[asyncio.Task[Any]] = []
        self._ending = False

    def start(self, name: str, loop: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Runs the loop."""
        task = asyncio.create_task(loop, name=name)
        task.add_done_callback(self._ended)
        self._loops.append(task)
        return task

    def every(
        self, name: str, seconds: float, work: Callable[[], Awaitable[object]], *, wait_first: bool = False
    ) -> asyncio.Task[None]:
        """Does the work again and again; see `persistence.tasks.every`."""
        return self.start(name, every(seconds, work, wait_first=wait_first))

    def dead(self) -> list[str]:
        """The names of those that ended although nobody asked for it."""
        return [] if self._ending else [task.get_name() for task in self._loops if task.done()]

    async def end(self) -> None:
        """Returns when all have ended. Twice is harmless."""
        self._ending = True
        await asyncio.gather(*(end(task) for task in self._loops))

    def _ended(self, task: asyncio.Task[Any]) -> None:
        if self._ending or task.cancelled():
            return
        logger.bind(event="service.loop_died").opt(exception=task.exception()).critical(
            f"the loop {task.get_name()!r} died; the service is not ready any more: restart it"
        )
