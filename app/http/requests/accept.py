"""Content negotiation by the request header `Accept` (RFC 9110, 12.5.1)."""

import re
from collections.abc import Sequence

from msgspec import Struct

MAX_MEDIA_RANGES = 100
"""Media ranges of a header that are looked at; browsers send eight."""
_RANGE = re.compile(r"\s*([^\s;/]+)/([^\s;/]+)\s*(?:;(.*))?", re.DOTALL)
_WEIGHT = re.compile(r"\s*q\s*=\s*(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)\s*", re.IGNORECASE)


class _MediaRange(Struct, frozen=True):
    main: str
    sub: str
    weight: float
    exact: int
    """How exactly it names a type: the exacter one decides."""

    def holds(self, media_type: str) -> bool:
        main, _, sub = media_type.partition("/")
        return self.main in ("*", main) and self.sub in ("*", sub)


def best_of(header: str, offered: Sequence[str]) -> str | None:
    """The media type among `offered` that the header likes best, of equals the first; None where it takes none.

    Without a header the first. A range that cannot be understood counts as not there.
    """
    if not header.strip():
        return offered[0]
    ranges = [found for each in header.split(",")[:MAX_MEDIA_RANGES] if (found := _range(each)) is not None]
    weights = [(_weight(media_type, ranges), media_type) for media_type in offered]
    weight, best = max(weights, key=lambda each: each[0])
    return best if weight > 0 else None


def _weight(media_type: str, ranges: Sequence[_MediaRange]) -> float:
    matching = [each for each in ranges if each.holds(media_type)]
    return max(matching, key=lambda each: (each.exact, each.weight)).weight if matching else 0.0


def _range(text: str) -> _MediaRange | None:
    found = _RANGE.fullmatch(text)
    if found is None:
        return None
    main, sub, parameters = found[1].lower(), found[2].lower(), found[3] or ""
    weights = [weight[1] for each in parameters.split(";") if (weight := _WEIGHT.fullmatch(each))]
    return _MediaRange(main, sub, float(weights[0]) if weights else 1.0, (main != "*") + (sub != "*"))
