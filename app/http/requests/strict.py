"""What is unknown is refused rather than swallowed: a client that misspells an option learns of it at once."""

import json
from collections.abc import Collection, Sequence
from typing import Any
from urllib.parse import unquote_to_bytes

from litestar import Request
from litestar.handlers.base import BaseRouteHandler

from app.http.problems import ApiError

MORE_QUERY = "more_query"
"""Of a handler's `opt`: names of parameters that it takes beside those of its function."""


def require_known_query(request: Request[Any, Any, Any]) -> None:
    """Raises ApiError for query parameters that the route does not take (unknown_parameter), or that say two things or
    are no UTF-8 (malformed_request).
    """
    if not request.scope["query_string"]:
        return  # as most: nothing is made for them
    try:
        unquote_to_bytes(request.scope["query_string"]).decode()
    except UnicodeDecodeError:
        raise ApiError("malformed_request", "the query is not UTF-8") from None
    handler: BaseRouteHandler = request.route_handler
    ours = {"request", *handler.resolve_dependencies(), *request.path_params}
    known = (handler.parsed_fn_signature.parameters.keys() - ours) | {*handler.opt.get(MORE_QUERY, ())}
    refuse_unknown("query parameter", request.query_params.keys(), known)
    for name, values in request.query_params.dict().items():
        if len(set(values)) > 1:
            raise ApiError("malformed_request", f"`{name}` is said twice and not alike; say it once")


def refuse_unknown(kind: str, names: Collection[str], known: Collection[str]) -> None:
    """Raises ApiError (unknown_parameter) that names those of `names` that are not `known`."""
    unknown = sorted(set(names) - set(known))
    if unknown:
        named = ", ".join(repr(name[:64]) for name in unknown[:8])
        taken = ", ".join(repr(name) for name in sorted(known)) or "none"
        raise ApiError("unknown_parameter", f"unknown {kind} {named}; taken here: {taken}")


def said_twice(text: str | bytes | bytearray) -> str | None:
    """The name of a member that an object in a valid JSON text has twice and not alike, if any."""
    twice: list[str] = []

    def looked_at(members: Sequence[tuple[str, object]]) -> dict[str, object]:
        told = dict(members)
        twice.extend(name for name, value in members if value != told[name])
        return told

    json.loads(text, object_pairs_hook=looked_at, parse_int=str, parse_float=str)
    return twice[0] if twice else None
