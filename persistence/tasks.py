"""Helpers for asyncio tasks."""

import asyncio
from typing import Any

CANCEL_AGAIN_SECONDS = 1.0


async def end(task: "asyncio.Task[Any]") -> None:
    """Cancels until it has ended: asyncpg may turn a cancellation into an error of the connection."""
    while not task.done():
        task.cancel()
        await asyncio.wait({task}, timeout=CANCEL_AGAIN_SECONDS)
