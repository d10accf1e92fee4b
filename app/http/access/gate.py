"""Authentication and rate limiting of a request, before its body is read."""

from typing import Any

from litestar.connection import ASGIConnection
from litestar.handlers.base import BaseRouteHandler
from msgspec import Struct

from app.http.access.keys import Keys
from app.http.access.rate_limit import WINDOW_SECONDS, Allowance, RateLimit
from app.http.problems import ApiError
from app.http.request_context import extend_context
from persistence.job import ANYBODY

Connection = ASGIConnection[Any, Any, Any, Any]

RATE_LIMIT_HEADERS = ("RateLimit-Policy", "RateLimit")
"""draft-ietf-httpapi-ratelimit-headers-10: what may be asked for in a window, and what is left of it."""


class Gate(Struct, frozen=True, kw_only=True):
    """What is asked of a request; None: nothing."""

    keys: Keys | None
    uploads: RateLimit | None
    reads: RateLimit | None

    def admit(self, connection: Connection) -> None:
        """Adds owner and client to the request's context. Raises ApiError: unauthorized or rate_limited."""
        owner = self.identify(connection)
        client = owner or (connection.client.host if connection.client else "")
        extend_context(connection.scope, client=client)
        policy, limit = ("uploads", self.uploads) if connection.scope.get("method") == "POST" else ("reads", self.reads)
        if limit is not None:
            allowance = limit.take(client)
            extend_context(connection.scope, answer_headers=rate_limit_headers(policy, allowance))
            if not allowance.granted:
                raise ApiError(
                    "rate_limited",
                    f"at most {allowance.limit} such requests a minute",
                    retry_after=allowance.reset_seconds,
                )

    def identify(self, connection: Connection) -> str:
        """Name of the key that the request carries, added to its context; ANYBODY while no keys are set.

        Raises ApiError: unauthorized.
        """
        if self.keys is None:
            return ANYBODY
        presented = presented_key(connection)
        owner = self.keys.owner(presented) if presented else None
        if owner is None:
            raise ApiError(
                "unauthorized",
                "send a valid key as X-API-Key, or as Authorization: Bearer",
                headers={"WWW-Authenticate": 'Bearer realm="smart-queue-ocr"'},
            )
        extend_context(connection.scope, owner=owner)
        return owner


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


def admitted(connection: Connection, _: BaseRouteHandler) -> None:
    """Litestar's guard for the API's routes."""
    gate: Gate = connection.app.state.gate
    gate.admit(connection)


def identified(connection: Connection, _: BaseRouteHandler) -> None:
    """Litestar's guard for routes that are never counted."""
    gate: Gate = connection.app.state.gate
    gate.identify(connection)
