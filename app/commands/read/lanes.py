"""Several pieces of work at once, and one failure for all."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any


async def in_lanes(count: int, lane: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Runs so many of them beside each other. The first error ends all, and is raised when they have ended."""
    lanes = [asyncio.create_task(lane()) for _ in range(count)]
    try:
        await asyncio.gather(*lanes)
    finally:
        for each in lanes:
            each.cancel()
        await asyncio.gather(*lanes, return_exceptions=True)
