"""Lone ideographs on pages of Latin print: pictograms look like them, and so do dashes.

The recogniser knows thousands of ideographs and no pictogram: a person who walks is `大`, and it is sure of that. Where
no line of a page has two of them, the page is in no script that has any.
"""

from collections.abc import Sequence

import msgspec

from ocr_engine.recognition.ctc import Reading

FIRST_IDEOGRAPH, LAST_IDEOGRAPH = "\u2e80", "\u9fff"
"""From radicals over kana to unified ideographs; wide forms of Latin letters are none."""
MIN_LATIN_LETTERS = 6
"""Letters of a page for each that looks like an ideograph, from which that is none."""
MAX_IDEOGRAPH_BELIEF = 0.3
"""Confidence that is left to one: below what is reported as text."""
DASHES = {"一": "—", "ー": "—"}
"""What a dash is read as where it stands alone."""


def put_right(readings: Sequence[Reading]) -> list[Reading]:
    """The readings of a page, lone ideographs among Latin lines as dashes, or hardly believed."""
    counts = [
        sum(FIRST_IDEOGRAPH <= sign <= LAST_IDEOGRAPH for sign in reading.text)
        # most lines have none
        if max(reading.text, default="") >= FIRST_IDEOGRAPH
        else 0
        for reading in readings
    ]
    if max(counts, default=0) != 1:
        return [*readings]
    letters = sum(sign.isalpha() and sign < FIRST_IDEOGRAPH for reading in readings for sign in reading.text)
    if letters < MIN_LATIN_LETTERS * sum(counts):
        return [*readings]
    return [
        _doubted(reading) if count and len(reading.text.strip()) == 1 else reading
        for reading, count in zip(readings, counts, strict=True)
    ]


def _doubted(reading: Reading) -> Reading:
    sign = reading.text.strip()
    if sign in DASHES:
        text = reading.text.replace(sign, DASHES[sign])
        return msgspec.structs.replace(reading, text=text, doubts=())
    certainty = tuple(min(MAX_IDEOGRAPH_BELIEF, each) for each in reading.certainty)
    return msgspec.structs.replace(
        reading, confidence=min(MAX_IDEOGRAPH_BELIEF, reading.confidence), certainty=certainty
    )
