"""What a request carries on its way from the outermost middleware through the gate to its handler and its answer."""

import re
import uuid
from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Any

import msgspec
from litestar.types import Scope
from msgspec import Struct

from persistence.job import ANYBODY

_KEY = "request_context"
_SANE_ID = re.compile(rb"[A-Za-z0-9._:/+=-]{1,128}")


class RequestContext(Struct, frozen=True, kw_only=True):
    """Known of a request so far; the gate adds whose it is."""

    request_id: str
    """The client's X-Request-ID where that is sane, one of ours otherwise."""
    owner: str = ANYBODY
    """Name of the key that it was made with."""
    may_read: bool = True
    """False for a key that may only upload: what becomes of its jobs is not its business."""
    sees_all: bool = False
    """True for an admin's key."""
    headless: bool = False
    """True for HEAD: only the head of the answer is sent."""
    client: str = ""
    """Whose share of the service it takes from: the key's name, or the address where none are set."""
    answer_headers: Mapping[str, str] = MappingProxyType({})
    """To be sent with the answer, whatever that is."""

    once_sent: Callable[[], Awaitable[None]] | None = None
    """To be done when the answer was sent whole, and was a good one."""

    @property
    def viewer(self) -> str | None:
        """The owner whose jobs the request may see; None: everybody's, for admins and where no keys are set."""
        return None if self.owner == ANYBODY or self.sees_all else self.owner


def context_of(scope: Scope) -> RequestContext:
    """The context of the request with this ASGI scope."""
    state = scope.setdefault("state", {})
    if _KEY not in state:
        given = dict(scope["headers"]).get(b"x-request-id", b"")
        identity = given.decode() if _SANE_ID.fullmatch(given) else uuid.uuid4().hex
        state[_KEY] = RequestContext(request_id=identity, headless=scope.get("method") == "HEAD")
    context: RequestContext = state[_KEY]
    return context


def extend_context(scope: Scope, **known: Any) -> None:
    """What is known of the request from here on, beside what was."""
    scope["state"][_KEY] = msgspec.structs.replace(context_of(scope), **known)
