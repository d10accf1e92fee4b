"""`Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header): a request that was sent again makes no second job."""

import contextlib
import re
from collections.abc import Iterator, Sequence

from app.http.problems import ApiError

_KEY = re.compile(r'"([\x21\x23-\x7e]{1,255})"|([\x21\x23-\x7e]{1,255})')
"""A string as structured fields have it; without its quotes, as most clients send it, too."""


def idempotency_key(headers: Sequence[str]) -> str:
    """The key; empty without the header. Raises ApiError."""
    if not headers:
        return ""
    found = _KEY.fullmatch(headers[0].strip()) if len(headers) == 1 else None
    if found is None:
        raise ApiError("malformed_request", "Idempotency-Key is one key of 1 to 255 visible ASCII characters")
    return found[1] or found[2]


class InFlight:
    """Keys of requests that this node is at; between nodes the database decides."""

    def __init__(self) -> None:
        self._keys: set[tuple[str, str]] = set()

    @contextlib.contextmanager
    def only(self, owner: str, key: str) -> Iterator[None]:
        """Within, no other request has the key. Raises ApiError (request_in_flight). An empty key: harmless."""
        if not key:
            yield
            return
        if (owner, key) in self._keys:
            raise ApiError("request_in_flight", "the first request with this key is not answered yet", retry_after=1)
        self._keys.add((owner, key))
        try:
            yield
        finally:
            self._keys.discard((owner, key))
