"""`traceparent` (W3C Trace Context, level 1): whose larger piece of work a request is part of."""

import re
from collections.abc import Sequence

_TRACEPARENT = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")


def traceparent_of(headers: Sequence[str]) -> str:
    """The header where it is one that can be passed on; empty otherwise, since a wrong one is to be ignored."""
    return headers[0] if len(headers) == 1 and _TRACEPARENT.fullmatch(headers[0]) else ""
