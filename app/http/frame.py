"""The outermost ASGI middleware: request ids, the access log, security headers, HEAD."""

import time
from collections.abc import Awaitable, Callable, Iterable
from typing import cast

from litestar.enums import ScopeType
from litestar.routes import HTTPRoute
from litestar.types import ASGIApp, Message, Receive, Scope, Send
from loguru import logger

from app.http.request_context import context_of
from app.http.responses.pieces import AnswerTorn
from app.telemetry.log import PROBE_PATHS

TAKEN_WHOLE = "taken_whole"
"""In a scope's state: how a server that can tell does."""
OnAnswer = Callable[[str, str, int, float], None]

_SECURITY_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
    # an answer to a key in X-API-Key looks public to a cache: it knows of Authorization only (RFC 9111, 3.5)
    (b"cache-control", b"no-store"),
)
_NO_PAGE = b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"
"""Content policy of answers that are no page; pages bring their own."""


def allowed(scope: Scope, named: str) -> str:
    """The value of an Allow header that Litestar filled with `named`: every method of the resource, as RFC 9110 wants.

    Litestar answers OPTIONS with the methods of the handler that was registered first, and nowhere knows of HEAD.
    """
    methods = {method.strip() for method in named.split(",")}
    for route in scope["litestar_app"].routes:
        if isinstance(route, HTTPRoute) and route.path_format == scope.get("path_template"):
            methods |= route.methods
    if "GET" in methods:
        methods.add("HEAD")
    return ", ".join(sorted(methods))


async def taken(scope: Scope) -> bool:
    """Whether the client's side of the network has taken the whole answer; waits for that."""
    taken_whole: Callable[[], Awaitable[bool]] | None = scope.get("state", {}).get(TAKEN_WHOLE)
    return taken_whole is None or await taken_whole()


def _framed(headers: Iterable[tuple[bytes, bytes]], scope: Scope, identity: str) -> list[tuple[bytes, bytes]]:
    """An answer's headers, their names in small letters, with what all answers have; the last of one name counts."""
    own = {"x-request-id": identity, **context_of(scope).answer_headers}
    ours = {name.lower().encode(): value.encode("latin-1") for name, value in own.items()}
    framed = [(name, value) for each, value in headers if (name := each.lower()) not in ours]
    held = dict(framed)
    if b"allow" in held:
        ours[b"allow"] = allowed(scope, held[b"allow"].decode("latin-1")).encode("latin-1")
        framed = [each for each in framed if each[0] != b"allow"]
    framed += ours.items()
    framed += [each for each in _SECURITY_HEADERS if each[0] not in held]
    if _NO_PAGE[0] not in held and not held.get(b"content-type", b"").startswith(b"text/html"):
        framed.append(_NO_PAGE)
    return framed


class RequestFrame:
    """Pure ASGI, around the whole of Litestar: its own middleware is not run for unknown routes (litestar#175)."""

    def __init__(self, app: ASGIApp, on_answer: OnAnswer) -> None:
        """`on_answer` is told method, route, status (0: the client left) and seconds of every request."""
        self._app = app
        self._on_answer = on_answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes the request on with its id in the log's context; logs it when it is answered.

        HEAD is answered as GET without the body (RFC 9110, section 9.3.2), on every route that knows GET.
        """
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        begun, status, whole = time.perf_counter(), 0, False
        identity = context_of(scope).request_id
        headless = scope["method"] == "HEAD"
        # a copy: the server goes by its own scope when it leaves the body away
        inner = cast("Scope", {**scope, "method": "GET"}) if headless else scope

        async def framed(message: Message) -> None:
            nonlocal status, whole
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = _framed(message["headers"], inner, identity)
            elif headless and message["type"] == "http.response.body":
                message["body"] = b""
            await send(message)
            whole = message["type"] == "http.response.body" and not message.get("more_body", False)

        with logger.contextualize(request_id=identity):
            try:
                await self._app(inner, receive, framed)
                once_sent = context_of(scope).once_sent
                if once_sent and whole and status == 200 and not headless and await taken(scope):
                    await once_sent()
            except* AnswerTorn as torn:
                logger.bind(event="answer.torn").warning(f"an answer stays incomplete: {torn.exceptions[0]}")
            finally:
                seconds = time.perf_counter() - begun
                # absent where no route matched; paths themselves would be labels without end
                self._on_answer(scope["method"], str(inner.get("path_template") or "unmatched"), status, seconds)
                level = "DEBUG" if scope["path"].startswith(PROBE_PATHS) and status < 500 else "INFO"
                logger.bind(
                    event="request",
                    method=scope["method"],
                    path=scope["path"],
                    status=status,
                    seconds=round(seconds, 4),
                ).log(level, "request answered" if status else "client left before the answer")
