"""Rows that detection took apart: each is read at once, and stands in place of its pieces where that says more."""

from collections.abc import Sequence

from ocr_engine.boxes import Quads
from ocr_engine.crops import Pixels
from ocr_engine.recognition.ctc import Read, Reading
from ocr_engine.rejoining import between, combs, overlapping, spaced

__all__ = ["rejoined"]


def rejoined(page: Pixels, quads: Quads, readings: Sequence[Reading], read: Read) -> tuple[Quads, list[Reading]]:
    """The boxes (n, 4, 2) of a page and their readings, one for each row that was in pieces; `read` reads crops."""
    quads, readings = combs.put_right(page, quads, readings, read)
    quads, readings = spaced.put_right(page, quads, readings, read)
    quads, readings = overlapping.put_right(page, quads, readings, read)
    return between.put_right(page, quads, readings, read)
