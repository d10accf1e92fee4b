"""What a page's lines hold that has a law of its own, put right."""

from collections.abc import Sequence

import msgspec
import numpy as np

from ocr_engine.boxes import Quads
from ocr_engine.recognition.ctc import Reading
from ocr_engine.recognition.fields import fractions, iban, mrz, numbers, prices


def put_right(quads: Quads, readings: Sequence[Reading]) -> list[Reading]:
    """The readings of the boxes (n, 4, 2) of a page, fields as their laws want them."""
    texts = [numbers.put_right(iban.put_right(_with_words(reading))) for reading in readings]
    # a zone's lines stand one below the other
    order = np.argsort(quads[:, :, 1].mean(axis=1), kind="stable").tolist()
    for i, line in mrz.put_right([texts[i] for i in order]).items():
        texts[order[i]] = line
    read = [fractions.put_right(_with_text(reading, text)) for reading, text in zip(readings, texts, strict=True)]
    return prices.put_right(quads, read)


def _with_words(reading: Reading) -> str:
    if len(reading.certainty) != len(reading.text):
        return reading.text
    return numbers.with_words(reading.text, reading.certainty)


def _with_text(reading: Reading, text: str) -> Reading:
    if text == reading.text:
        return reading
    if len(text) == len(reading.text):
        return msgspec.structs.replace(reading, text=text)
    # a zone's print is monospaced: each of its signs is as wide as the next
    places = np.linspace(reading.places[0], reading.places[-1], len(text)).tolist() if reading.places else ()
    certainty = (reading.confidence,) * len(text) if reading.certainty else ()
    return msgspec.structs.replace(reading, text=text, places=tuple(places), certainty=certainty, doubts=())
