"""Requests that a client may send again without making a second job or batch: a key names the same one, for a day."""

from datetime import timedelta

from msgspec import Struct

REPEAT_TIME = timedelta(hours=24)
"""How long a key is remembered."""


class Repeat(Struct, frozen=True, kw_only=True):
    """What tells a request sent again from another one that uses its key."""

    owner: str
    key: str
    """The client's Idempotency-Key."""
    fingerprint: str
    """Of what was sent with it."""


class AlreadySubmitted(Exception):
    """The key was used before. Nothing was changed."""

    def __init__(self, job_id: str, fingerprint: str) -> None:
        super().__init__(f"the key stands for job {job_id}")
        self.job_id = job_id
        """Or the batch's, where it stands for one."""
        self.fingerprint = fingerprint
