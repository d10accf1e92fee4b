"""Signatures of webhooks as Standard Webhooks has them (standardwebhooks.com, version 1.0.0)."""

import base64
import binascii
import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime

PREFIX = "whsec_"
MIN_SECRET_BYTES, MAX_SECRET_BYTES = 24, 64
"""What Standard Webhooks asks of a secret."""
_SECRET = re.compile(rf"{PREFIX}([A-Za-z0-9+/]+=*)")


class BadSecret(ValueError):
    """The text is no secret of Standard Webhooks; it is not repeated in the message."""


def new_secret() -> str:
    """A fresh secret of 32 random bytes."""
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def secret_bytes(secret: str) -> bytes:
    """The key in `whsec_…`. Raises BadSecret."""
    matched = _SECRET.fullmatch(secret)
    try:
        key = base64.b64decode(matched[1], validate=True) if matched else b""
    except binascii.Error:
        key = b""
    if not MIN_SECRET_BYTES <= len(key) <= MAX_SECRET_BYTES:
        raise BadSecret(f"a webhook secret is {PREFIX} and {MIN_SECRET_BYTES} to {MAX_SECRET_BYTES} bytes in base64")
    return key


def signed(message_id: str, moment: datetime, body: bytes, secrets_: Sequence[str]) -> Mapping[str, str]:
    """The headers of one try: `webhook-id`, `webhook-timestamp` and, where there are secrets, `webhook-signature`.

    Each try is signed afresh, since receivers refuse timestamps that are older than some minutes. With several secrets
    (a rotation) the signature by any of them verifies.
    """
    timestamp = str(int(moment.timestamp()))
    headers = {"webhook-id": message_id, "webhook-timestamp": timestamp}
    content = f"{message_id}.{timestamp}.".encode() + body
    marks = [
        "v1," + base64.b64encode(hmac.new(secret_bytes(secret), content, hashlib.sha256).digest()).decode()
        for secret in secrets_
    ]
    return headers | {"webhook-signature": " ".join(marks)} if marks else headers
