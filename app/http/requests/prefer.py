"""The request header `Prefer: wait=N` (RFC 7240, 4.3), and waiting no longer than the client is there."""

import asyncio
import re
from collections.abc import Coroutine, Sequence
from typing import Annotated, Any, TypeVar

from litestar import Request
from litestar.params import QueryParameter

from app.http.request_context import context_of

T = TypeVar("T")

WaitSeconds = Annotated[
    int,
    QueryParameter(ge=0, description="Seconds to wait for the end, MAX_WAIT_SECONDS at most; as `Prefer: wait`."),
]

_WAIT = re.compile(r'wait\s*=\s*"?([0-9]{1,9})"?\s*(?:;.*)?', re.IGNORECASE)


def wanted_wait(headers: Sequence[str]) -> int:
    """Seconds that these Prefer headers ask to wait; 0 where they do not. Of several preferences the first counts."""
    for preference in ",".join(headers).split(","):
        if found := _WAIT.fullmatch(preference.strip()):
            return int(found[1])
    return 0


def seconds_to_wait(request: Request[Any, Any, Any], wait: int) -> int:
    """How long the client wants to wait: `wait`, as its query has it, or else Prefer. 0 where it may read nothing."""
    seconds = wait or wanted_wait(request.headers.getall("prefer", []))
    return seconds if context_of(request.scope).may_read else 0


def preference_applied(waited: bool, wait: int) -> dict[str, str]:
    """Preference-Applied where the Prefer header was followed; `wait` as query parameter goes before it."""
    return {"Preference-Applied": "wait"} if waited and not wait else {}


async def while_connected(request: Request[Any, Any, Any], work: Coroutine[Any, Any, T]) -> T | None:
    """What `work` gives; None where the client left before, and `work` was cancelled for it."""
    working = asyncio.create_task(work)
    leaving = asyncio.create_task(_left(request))
    try:
        await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
        return working.result() if working.done() else None
    finally:
        working.cancel()
        leaving.cancel()
        await asyncio.wait({working, leaving})


async def _left(request: Request[Any, Any, Any]) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
