"""`2 x 4.50`: most print, and all of tills, has the letter there, and the model sees a multiplication sign in it.

Where none of a page's signs is sure, each gives way to the letter between other numbers of the page, or else to the one
that the model leaves open.
"""

import re
from collections import Counter
from collections.abc import Sequence

import msgspec

from ocr_engine.recognition.ctc import Doubt, Reading

SIGN, LETTERS = "×", "xX"
SURE_SIGN = 0.97
"""Certainty of one from which the page has the sign: of 219 drawn ones 169 had it, of 29 letters taken for one 4."""
HINTED_LETTER = 0.1
"""Probability of the letter from which it is one: of those 29 letters 20 had it, of 219 signs 17."""
_BETWEEN_NUMBERS = re.compile(r"(?:[1-9]|\d\d) ?([xX]) ?\d")
"""Not in a number to the base of 16, which begins with `0x`."""


def put_right(readings: Sequence[Reading]) -> list[Reading]:
    """The readings of a page with an `x` or `X` in the place of signs that are likely none."""
    sure = max((_certainty(reading) for reading in readings if SIGN in reading.text), default=1.0)
    if sure >= SURE_SIGN:
        return [*readings]
    others = Counter(letter for reading in readings for letter in _BETWEEN_NUMBERS.findall(reading.text))
    usual = max(others, key=others.__getitem__, default="")
    return [_with_letters(reading, usual) if SIGN in reading.text else reading for reading in readings]


def _certainty(reading: Reading) -> float:
    """The greatest of its signs."""
    return max((each for sign, each in zip(reading.text, reading.certainty, strict=False) if sign == SIGN), default=0.0)


def _with_letters(reading: Reading, usual: str) -> Reading:
    open_ = {doubt.at: _letter(doubt) for doubt in reading.doubts if doubt.length}
    letters = {at: usual or open_.get(at, "") for at, sign in enumerate(reading.text) if sign == SIGN}
    text = "".join(letters.get(at) or sign for at, sign in enumerate(reading.text))
    doubts = tuple(doubt for doubt in reading.doubts if doubt.at not in letters or not doubt.length)
    return msgspec.structs.replace(reading, text=text, doubts=doubts)


def _letter(doubt: Doubt) -> str:
    """The likelier letter; empty where neither is likely."""
    likely = {choice: probability for choice, probability in doubt.choices if choice in LETTERS}
    return max(likely, key=likely.__getitem__) if sum(likely.values()) >= HINTED_LETTER else ""
