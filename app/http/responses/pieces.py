"""Answers that are made while they are sent: in pieces, each in a thread, so that neither memory nor the event loop
holds more than one of them.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

from litestar import Response
from litestar.response import Stream

from app.results.stored_pages import PagesLost
from persistence.store import StoreError

PIECE_BYTES = 64 * 1024
"""Sent at a time, a page at least: pages are made while the client reads those before."""


class AnswerTorn(Exception):
    """An answer that has begun cannot be ended; its client sees that by the missing end."""


async def answer_in_pieces(
    parts: Iterator[bytes],
    media_type: str,
    *,
    headers: Mapping[str, str],
    headless: bool,
    status_code: int = 200,
) -> Response[Any]:
    """The parts together; as a stream where they are more than a piece. Raises what making the first piece raises.

    `headless`: nothing of the stream is made, since only its head is sent.
    """
    first, ended = await asyncio.to_thread(_piece, parts, PIECE_BYTES)
    if ended:
        return Response(first, status_code=status_code, media_type=media_type, headers=headers)
    pieces = _nothing() if headless else _after(first, sent(parts))
    return Stream(pieces, status_code=status_code, media_type=media_type, headers=headers)


async def sent(parts: Iterator[bytes], size: int = PIECE_BYTES) -> AsyncIterator[bytes]:
    """The parts in pieces of that size at least. Raises AnswerTorn."""
    ended = False
    while not ended:
        try:
            piece, ended = await asyncio.to_thread(_piece, parts, size)
        except (StoreError, PagesLost) as error:
            raise AnswerTorn(str(error)) from error
        if piece:
            yield piece


async def _after(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for piece in rest:
        yield piece


async def _nothing() -> AsyncIterator[bytes]:
    yield b""


def _piece(parts: Iterator[bytes], size: int) -> tuple[bytes, bool]:
    """So much of the parts, and whether that was the last of them."""
    gathered = bytearray()
    for part in parts:
        gathered += part
        if len(gathered) >= size:
            return bytes(gathered), False
    return bytes(gathered), True
