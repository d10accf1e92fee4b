"""Prices: what a receipt's or an invoice's other lines say about one of them.

Worn print loses the point of a price and leaves a gap; a price at the paper's edge ends in half of a nought. Where the
page has prices enough, the form that they share decides.
"""

import re
from collections import Counter
from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from ocr_engine.boxes import Quads
from ocr_engine.recognition.ctc import Reading

MIN_PRICES = 3
"""Prices of a page from which they tell what another one is, and of a column from which a number belongs to it."""
MIN_GAPS = 5
"""Numbers with a gap where a point would be, of a column that holds prices where all but a few have lost it."""
LEVEL_END = 0.6
"""By its height, how far the right end of a number may be from a price's, for both to stand in one column."""
SURE_DEGREES = 0.97
"""Certainty from which a `C` behind a number is a letter, as that of degrees."""
_PRICE = re.compile(r"(?<![\w.,])\d{1,6}([.,])\d\d(?![\w.,%])")
_ENDS_IN_PRICE = re.compile(r"(?<![\w.,])\d{1,6}[.,]\d\d(?: [A-Z]{1,2})?$")
_WITH_GAP = re.compile(r"-?\d{1,6}( )\d\d")
_AFTER_SIGN = re.compile(r"(?:(?:RM|[$€£]) ?|\d+ ?[xX×] ?)\d{1,6}( )\d\d")
_HALF_NOUGHT = re.compile(r"\d{1,6}[.,]\d(C)")


def put_right(quads: Quads, readings: Sequence[Reading]) -> list[Reading]:
    """The readings of the boxes (n, 4, 2) of a page, of the same lengths, prices in the form that the others have."""
    points = Counter(point for reading in readings for point in _PRICE.findall(reading.text))
    point, count = max(points.items(), key=lambda item: item[1], default=("", 0))
    gaps = [i for i, reading in enumerate(readings) if _WITH_GAP.fullmatch(reading.text)]
    if not count or (count < MIN_PRICES and len(gaps) < MIN_GAPS):
        return [*readings]
    in_columns = [i for i, reading in enumerate(readings) if _ENDS_IN_PRICE.search(reading.text)]
    if count < MIN_PRICES:
        # the few that have kept their point say what the others of their column are
        theirs = _of_their_columns(quads, in_columns, gaps)
        if not theirs:
            return [*readings]
        in_columns += theirs
    ends = np.array([_right_end(quads[i]) for i in in_columns], np.float32)
    return [_put_right(reading, point, quad, ends) for reading, quad in zip(readings, quads, strict=True)]


def _put_right(reading: Reading, point: str, quad: NDArray[np.float32], ends: NDArray[np.float32]) -> Reading:
    text = reading.text
    if (found := _AFTER_SIGN.fullmatch(text)) or ((found := _WITH_GAP.fullmatch(text)) and _is_level(quad, ends)):
        return _with_sign(reading, found.start(1), point)
    if (found := _HALF_NOUGHT.fullmatch(text)) and reading.certainty[found.start(1) :][:1] < (SURE_DEGREES,):
        return _with_sign(reading, found.start(1), "0")
    return reading


def _of_their_columns(quads: Quads, prices: Sequence[int], gaps: Sequence[int]) -> list[int]:
    """The numbers with a gap that end where a price and enough of such numbers do."""
    ends = {i: _right_end(quads[i]) for i in (*prices, *gaps)}
    found = []
    for i in gaps:
        reach = LEVEL_END * float(np.linalg.norm(quads[i, 3] - quads[i, 0]))
        beside = {j for j, end in ends.items() if abs(end - ends[i]) <= reach}
        if len(beside.intersection(gaps)) >= MIN_GAPS and beside.intersection(prices):
            found.append(i)
    return found


def _is_level(quad: NDArray[np.float32], ends: NDArray[np.float32]) -> bool:
    """Whether a number ends below or above the ends (n, 2) of prices."""
    height = float(np.linalg.norm(quad[3] - quad[0]))
    return bool((np.abs(ends - _right_end(quad)) <= LEVEL_END * height).sum() >= MIN_PRICES)


def _right_end(quad: NDArray[np.float32]) -> float:
    return float(quad[1:3, 0].mean())


def _with_sign(reading: Reading, at: int, sign: str) -> Reading:
    return msgspec.structs.replace(reading, text=reading.text[:at] + sign + reading.text[at + 1 :])
