"""`Content-Digest` (RFC 9530): what the client says of the body's bytes, compared while they come."""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import AsyncIterator, Sequence

from app.http.problems import ApiError

_ALGORITHMS = {"sha-256": hashlib.sha256, "sha-512": hashlib.sha512}
"""Those that RFC 9530 calls secure; others are passed over, as it wants."""
_FIELD = re.compile(r"\s*([a-z0-9*._-]+)\s*=\s*:([A-Za-z0-9+/=]*):\s*(?:;.*)?")


class ContentDigest:
    """The digests of one request."""

    def __init__(self, headers: Sequence[str]) -> None:
        """Raises ApiError for what is no such header."""
        self._expected = []
        for field in ",".join(headers).split(",") if headers else ():
            found = _FIELD.fullmatch(field)
            try:
                value = base64.b64decode(found[2], validate=True) if found else None
            except binascii.Error:
                value = None
            if found is None or value is None:
                raise ApiError("malformed_request", "Content-Digest is not as RFC 9530 has it: sha-256=:…base64…:")
            if make := _ALGORITHMS.get(found[1]):
                self._expected.append((found[1], make(), value))

    async def through(self, body: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """The body as it comes. Raises ApiError at its end where it is not what was announced."""
        async for chunk in body:
            for _, digest, _ in self._expected:
                digest.update(chunk)
            yield chunk
        for name, digest, value in self._expected:
            if not hmac.compare_digest(digest.digest(), value):
                raise ApiError("digest_mismatch", f"the body's {name} is not the one in Content-Digest; send it again")
