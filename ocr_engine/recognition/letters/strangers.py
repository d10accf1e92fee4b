"""Accents that no word of a page has, where nobody knows its language: tight print makes a `ğ` of a `g`.

On a page of numbers and names there is too little text to tell its language by. The accents of the languages that are
most often met stay; a rarer one gives way where the model leaves the plain letter open, unless the page has one of
which it is sure.
"""

from collections.abc import Sequence

import msgspec

from ocr_engine.recognition.accents import base
from ocr_engine.recognition.ctc import Doubt, Reading
from ocr_engine.recognition.letters.languages import ALPHABETS

COMMON = frozenset("".join(ALPHABETS[language] for language in ("de", "es", "fr", "it", "nl", "pt", "sv", "da")))
STRANGE = frozenset("".join(ALPHABETS.values())) - COMMON
STRANGE |= frozenset(letter for letter in "ġ" + "".join(STRANGE).upper() if not letter.isascii())
"""Letters whose accent is rare, large and small."""
SURE_OF_ACCENT = 0.95
"""Certainty of one from which the page is in a language that writes it."""
PLAIN_LETTER = 0.1
"""Probability from which the plain letter may be the right one."""


def without(readings: Sequence[Reading]) -> list[Reading]:
    """The readings of a page of no language with plain letters in the place of accents that hardly belong there."""
    some = [
        certainty
        for reading in readings
        for letter, certainty in zip(reading.text, reading.certainty, strict=False)
        if letter in STRANGE
    ]
    return [*map(_plain, readings)] if some and max(some) < SURE_OF_ACCENT else [*readings]


def _plain(reading: Reading) -> Reading:
    plain = {doubt.at: letter for doubt in reading.doubts if (letter := _base(reading.text, doubt))}
    if not plain:
        return reading
    text = "".join(plain.get(at, sign) for at, sign in enumerate(reading.text))
    # settled: the likeliest letter would come back otherwise
    doubts = tuple(doubt for doubt in reading.doubts if doubt.at not in plain or not doubt.length)
    return msgspec.structs.replace(reading, text=text, doubts=doubts)


def _base(text: str, doubt: Doubt) -> str:
    """The plain letter for the one at a doubt; empty where that stays."""
    if doubt.length != 1 or text[doubt.at] not in STRANGE:
        return ""
    plain = base(text[doubt.at])
    return plain if dict(doubt.choices).get(plain, 0.0) >= PLAIN_LETTER else ""
