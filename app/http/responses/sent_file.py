"""A file of this machine, sent in pieces; whatever holds it is let go once it was sent, or the client has left."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from pathlib import Path
from typing import IO, TypeVar

from litestar.response import Stream

Held = TypeVar("Held")

PIECE_BYTES = 256 * 1024
"""Read and sent at a time; the next one when the client has taken it."""


async def file_answer(
    held: AbstractAsyncContextManager[Held],
    path_of: Callable[[Held], Path],
    media_type: str,
    headers: Mapping[str, str],
) -> Stream:
    """The file that is there while `held` is entered. Raises what entering raises, before anything is sent.

    The open file is all that is kept: its name may go at once.
    """
    async with held as holder:
        file = await asyncio.to_thread(path_of(holder).open, "rb")
    length = await asyncio.to_thread(file.seek, 0, 2)
    await asyncio.to_thread(file.seek, 0)
    return Stream(_pieces(file), media_type=media_type, headers={**headers, "Content-Length": str(length)})


async def _pieces(file: IO[bytes]) -> AsyncIterator[bytes]:
    async with AsyncExitStack() as stack:
        stack.callback(file.close)
        while piece := await asyncio.to_thread(file.read, PIECE_BYTES):
            yield piece
