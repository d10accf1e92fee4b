"""How much of the spaces between the words of a reading was seen."""

import re

from ocr_engine.recognition.ctc import Doubt, Reading

VISIBLE_SPACE = 0.001
"""Probability of a space from which it is counted as one."""
_LETTERS = re.compile(r"[^\W\d_]{2}")
_BETWEEN_LETTERS = re.compile(r"(?<=[^\W\d_]) (?=[^\W\d_])")


def is_unsure(doubt: Doubt) -> bool:
    """Whether a space may stand there, of which the model saw something."""
    return doubt.is_gap and dict(doubt.choices)[" "] >= VISIBLE_SPACE


def between_letters(reading: Reading) -> tuple[int, int]:
    """How many spaces between two letters the model is not sure of, and of how many it is."""
    text, unsure, stand = reading.text, 0, 0
    for doubt in reading.doubts:
        if doubt.is_gap and _LETTERS.fullmatch(text[doubt.at - 1 : doubt.at] + text[doubt.at + doubt.length :][:1]):
            unsure += is_unsure(doubt)
            stand += doubt.length
    return unsure, len(_BETWEEN_LETTERS.findall(text)) - stand
