"""Helpers for asyncio tasks: periodic work, work that a cancelled caller does not stop, and ending a task."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Never, TypeVar

from persistence.store import StoreError

T = TypeVar("T")

CANCEL_AGAIN_SECONDS = 1.0


async def every(seconds: float, work: Callable[[], Awaitable[object]], *, wait_first: bool = False) -> Never:
    """Does the work again and again, so many seconds from the end of one to the beginning of the next.

    A StoreError is passed over: it is an outage, and the work is done again anyhow. Raises whatever else it raises.
    """
    if wait_first:
        await asyncio.sleep(seconds)
    while True:
        with contextlib.suppress(StoreError):
            await work()
        await asyncio.sleep(seconds)


class Writes:
    """Work that is carried out once it was begun: cancelling its caller gives up the answer only."""

    def __init__(self) -> None:
        self._under_way: set[asyncio.Future[Any]] = set()

    async def carry_out(self, write: Coroutine[Any, Any, T] | asyncio.Future[T]) -> T:
        """What the write gives, or raises."""
        task = asyncio.ensure_future(write)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        # a failure after the caller was cancelled is nobody's: asyncio would put it into the log as never retrieved
        task.add_done_callback(lambda done: done.cancelled() or done.exception())
        return await asyncio.shield(task)

    async def ended(self) -> None:
        """Returns when nothing is under way."""
        while self._under_way:
            await asyncio.wait(self._under_way)


async def end(task: "asyncio.Task[Any]") -> None:
    """Cancels until it has ended: asyncpg may turn a cancellation into an error of the connection."""
    while not task.done():
        task.cancel()
        await asyncio.wait({task}, timeout=CANCEL_AGAIN_SECONDS)
