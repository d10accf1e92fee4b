"""Lines that are longer than the model takes, read in overlapping pieces.

The model's attention grows with the square of a line's width, so that its input has an end; a panorama's line of 1100
letters squeezed into it comes out as 300. Pieces overlap by more than a word, and are joined at a space that is read
in both.
"""

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

from ocr_engine.crops import Pixels
from ocr_engine.recognition.recogniser import NOTHING, Reading

MAX_PIECE_RATIO = 100.0
"""Length by height of a piece, 4800 pixels at 48 of height: some 250 letters. No line of a usual page is as long."""
OVERLAP_RATIO = 12.0
"""The same of what two pieces share: three words."""
SAME_SPACE_RATIO = 0.25
"""Distance by height up to which two pieces tell of one space."""


def read_in_pieces(crops: Sequence[Pixels], read: Callable[[list[Pixels]], list[Reading]]) -> list[Reading]:
    """The text of each crop (H, W, 3), by a function that reads crops of any length but the longest well."""
    spans = [_spans(crop) for crop in crops]
    pieces = [crop[:, begin:end] for crop, own in zip(crops, spans, strict=True) for begin, end in own]
    readings = iter(read(pieces))
    return [_joined([next(readings) for _ in own], own, crop.shape[1]) for crop, own in zip(crops, spans, strict=True)]


def _spans(crop: Pixels) -> list[tuple[int, int]]:
    """First column and the one after the last of each piece: one of all, or several of one length that overlap."""
    height, width = crop.shape[:2]
    most, shared = MAX_PIECE_RATIO * height, OVERLAP_RATIO * height
    if width <= most:
        return [(0, width)]
    count = math.ceil((width - shared) / (most - shared))
    step = (width - shared) / count
    return [(round(i * step), min(width, round(i * step + step + shared))) for i in range(count)]


def _joined(readings: Sequence[Reading], spans: Sequence[tuple[int, int]], width: int) -> Reading:
    if len(readings) == 1:
        return readings[0]
    # a piece that was read on its head does not tell where its letters stand
    if not all(reading.places or not reading.text for reading in readings):
        return max(readings, key=lambda reading: len(reading.text))
    where = [
        [begin + place * (end - begin) for place in reading.places]
        for reading, (begin, end) in zip(readings, spans, strict=True)
    ]
    seams = [
        _seam(where[i], readings[i].text, where[i + 1], readings[i + 1].text, (right_begin, left_end))
        for i, ((_, left_end), (right_begin, _)) in enumerate(pairwise(spans))
    ]
    edges = [0.0, *seams, math.inf]
    kept = [
        (letter, x / width, sure)
        for reading, places, (begin, end) in zip(readings, where, pairwise(edges), strict=True)
        for letter, x, sure in zip(reading.text, places, reading.certainty, strict=True)
        if begin <= x < end
    ]
    if not kept:
        return NOTHING
    letters, places, certainty = zip(*kept, strict=True)
    sure = [each for letter, each in zip(letters, certainty, strict=True) if letter != " "]
    confidence = sum(sure) / len(sure) if sure else 0.0
    return Reading("".join(letters), confidence, places, certainty)


def _seam(
    left: Sequence[float], left_text: str, right: Sequence[float], right_text: str, shared: tuple[float, float]
) -> float:
    """Where to go over from a piece to the next, given where their letters stand: before the space that both of them
    read nearest to the middle of what they share. Not on it: they have it a step of the model's output apart."""
    begin, end = shared
    middle, near = (begin + end) / 2, SAME_SPACE_RATIO * (end - begin) / OVERLAP_RATIO
    others = [x for x, letter in zip(right, right_text, strict=True) if letter == " "]
    before = [
        (before + x) / 2
        for (before, x), letter in zip(pairwise(left), left_text[1:], strict=True)
        if letter == " " and begin < x < end and any(abs(x - other) < near for other in others)
    ]
    return min(before, key=lambda x: abs(x - middle), default=middle)
