"""Lines that are longer than the model takes, read in overlapping pieces.

The model's attention grows with the square of a line's width, so that its input has an end; a panorama's line of 1100
letters squeezed into it comes out as 300. Pieces overlap by more than a word, and are joined at a space that is read
in both.
"""

import math
from collections.abc import Callable, Sequence
from itertools import accumulate, pairwise

import msgspec

from ocr_engine.crops import Pixels
from ocr_engine.recognition.ctc import NOTHING, Reading

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
        _part(reading, [begin <= x < end for x in places], [x / width for x in places])
        for reading, places, (begin, end) in zip(readings, where, pairwise(edges), strict=True)
    ]
    text = "".join(part.text for part in kept)
    if not text:
        return NOTHING
    certainty = [each for part in kept for each in part.certainty]
    sure = [each for letter, each in zip(text, certainty, strict=True) if letter != " "]
    before = [0, *accumulate(len(part.text) for part in kept)]
    return Reading(
        text,
        sum(sure) / len(sure) if sure else 0.0,
        tuple(place for part in kept for place in part.places),
        tuple(certainty),
        doubts=tuple(
            msgspec.structs.replace(doubt, at=doubt.at + shift)
            for part, shift in zip(kept, before, strict=False)
            for doubt in part.doubts
        ),
    )


def _part(reading: Reading, kept: Sequence[bool], places: Sequence[float]) -> Reading:
    """The kept characters of a reading, a row of them, at their places on the whole line, and what is open in it."""
    first = kept.index(True) if any(kept) else 0
    last = first + sum(kept)
    doubts = tuple(
        msgspec.structs.replace(doubt, at=doubt.at - first)
        for doubt in reading.doubts
        if first <= doubt.at < last and first < doubt.at + doubt.length <= last
    )
    return Reading(
        reading.text[first:last], 0.0, tuple(places[first:last]), reading.certainty[first:last], doubts=doubts
    )


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
