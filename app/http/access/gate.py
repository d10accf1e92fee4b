"""Authentication and rate limiting of a request, before its body is read."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from litestar.connection import ASGIConnection
from litestar.handlers.base import BaseRouteHandler
from msgspec import Struct

from app import clock
from app.http.access.key_file import ApiKey, Scope
from app.http.access.keys import Keys
from app.http.access.rate_limit import WINDOW_SECONDS, Allowance, RateLimit
from app.http.problems import ApiError
from app.http.request_context import context_of, extend_context

Connection = ASGIConnection[Any, Any, Any, Any]

RATE_LIMIT_HEADERS = ("RateLimit-Policy", "RateLimit")
"""draft-ietf-httpapi-ratelimit-headers-10: what may be asked for in a window, and what is left of it."""


class Gate(Struct, frozen=True, kw_only=True):
    """What is asked of a request; None: no key."""

    keys: Keys | None
    uploads: RateLimit
    reads: RateLimit
    uploads_per_minute: int
    """Of a client whose key does not say otherwise; 0: no limit."""
    reads_per_minute: int
    now: Callable[[], datetime] = clock.now

    def admit(self, connection: Connection) -> None:
        """Adds owner and client to the request's context. Raises ApiError: unauthorized, forbidden or rate_limited."""
        key = self.identify(connection)
        method = str(connection.scope.get("method"))
        if key is not None and not may(key.scope, method, str(connection.scope.get("path_template"))):
            raise ApiError("forbidden", f"this key may {MAY[key.scope]}")
        client = key.name if key else (connection.client.host if connection.client else "")
        extend_context(connection.scope, client=client)
        if method == "POST":
            policy, limit, per_minute = "uploads", self.uploads, key and key.uploads_per_minute
            common = self.uploads_per_minute
        else:
            policy, limit, per_minute = "reads", self.reads, key and key.reads_per_minute
            common = self.reads_per_minute
        allowed = common if per_minute is None else per_minute
        if allowed:
            allowance = limit.take(client, allowed)
            extend_context(connection.scope, answer_headers=rate_limit_headers(policy, allowance))
            if not allowance.granted:
                raise ApiError(
                    "rate_limited",
                    f"at most {allowance.limit} such requests a minute",
                    retry_after=allowance.reset_seconds,
                )

    def admit_more(self, connection: Connection, count: int) -> tuple[int, ApiError | None]:
        """How many of `count` files the client may upload by a request that was admitted, and what keeps it from more.

        The request itself was counted as the first of them.
        """
        key = self.identify(connection)
        per_minute = key.uploads_per_minute if key else None
        allowed = self.uploads_per_minute if per_minute is None else per_minute
        client = context_of(connection.scope).client
        for number in range(1, count) if allowed else ():
            allowance = self.uploads.take(client, allowed)
            extend_context(connection.scope, answer_headers=rate_limit_headers("uploads", allowance))
            if not allowance.granted:
                told = f"at most {allowance.limit} uploads a minute, each file of a batch for one"
                return number, ApiError("rate_limited", told, retry_after=allowance.reset_seconds)
        return count, None

    def identify(self, connection: Connection) -> ApiKey | None:
        """The key that the request carries, its owner added to its context; None while no keys are set.

        Raises ApiError: unauthorized.
        """
        if self.keys is None:
            return None
        presented = presented_key(connection)
        key = self.keys.find(presented) if presented else None
        if key is None or key.expired(self.now()):
            fault = "this key has expired" if key else "send a valid key as X-API-Key, or as Authorization: Bearer"
            raise ApiError("unauthorized", fault, headers={"WWW-Authenticate": 'Bearer realm="smart-queue-ocr"'})
        extend_context(
            connection.scope, owner=key.owner, sees_all=key.scope is Scope.ADMIN, may_read=key.scope is not Scope.UPLOAD
        )
        return key


MAY = {Scope.READ: "look at its jobs and change nothing", Scope.UPLOAD: "upload and see nothing of what becomes of it"}
UPLOADS = frozenset({("POST", "/images"), ("POST", "/batches"), ("GET", "/capabilities"), ("HEAD", "/capabilities")})
"""What a key is for that may only upload."""


def may(scope: Scope, method: str, route: str) -> bool:
    """Is the route with this template for keys of that scope?"""
    match scope:
        case Scope.READ:
            return method in ("GET", "HEAD", "OPTIONS")
        case Scope.UPLOAD:
            return (method, route) in UPLOADS
        case _:
            return True


def presented_key(connection: Connection) -> str:
    """The key in X-API-Key or Authorization: Bearer; empty where there is none."""
    scheme, _, token = connection.headers.get("authorization", "").partition(" ")
    bearer = token.strip() if scheme.lower() == "bearer" else ""
    return connection.headers.get("x-api-key", "") or bearer


def rate_limit_headers(policy: str, allowance: Allowance) -> dict[str, str]:
    """The RATE_LIMIT_HEADERS: quota and window in seconds; what remains, and the seconds until it is reset."""
    return {
        "RateLimit-Policy": f'"{policy}";q={allowance.limit};w={WINDOW_SECONDS}',
        "RateLimit": f'"{policy}";r={allowance.remaining};t={allowance.reset_seconds}',
    }


# async, though nothing is awaited: Litestar would call any other guard in a thread, which costs more than the guard
async def identified(connection: Connection, _: BaseRouteHandler) -> None:
    """Litestar's guard for routes that are never counted."""
    gate: Gate = connection.app.state.gate
    gate.identify(connection)
