"""Words that detection has cut: boxes of one row that overlap, where large or dotted print falls into pieces.

What stands where two boxes overlap is read twice, or half of it. All of both is read at once, and stays so where it is
sure, says about the same, and shows no blank there, or less than both: else they are two cells that stand closely.
"""

from collections.abc import Sequence
from difflib import SequenceMatcher
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ocr_engine.boxes import Quads
from ocr_engine.crops import Pixels, cut
from ocr_engine.models.characters import FIRST_EAST_ASIAN
from ocr_engine.recognition.ctc import Read, Reading
from ocr_engine.rejoining.rows import Row, with_rows

MAX_OVERLAP_BOXES, MAX_CUT_WORDS = 600, 12
"""Boxes of a page up to which they are compared; rows that are read again. Both bound what a page costs."""
MIN_BOX_OVERLAP = 0.2
"""By the height of the lower box, of the overlap: boxes have grown by the rim of white around their print."""
OFF_LEVEL, UNLIKE_HEIGHTS = 0.3, 2.2
"""By the same height, how far the middles of the two differ; of the higher one, at most."""
SURE_AT_ONCE, SAME_TEXT = 0.9, 0.75
"""Confidence from which what was read at once stands, and how much of it was read in the two."""


def put_right(page: Pixels, quads: Quads, readings: Sequence[Reading], read: Read) -> tuple[Quads, list[Reading]]:
    """The boxes (n, 4, 2) of a page and their readings, one for those that a word lies across; `read` reads crops."""
    readings = [*readings]
    rows = cut_words(quads, readings)
    boxes = [_around(quads[row]) for row in rows]
    told = read([cut(page, box) for box in boxes])
    kept = np.ones(len(quads), bool)
    whole: list[Row] = []
    for row, box, reading in zip(rows, boxes, told, strict=True):
        joints = [(quads[i, :, 0].max() + quads[j, :, 0].min()) / 2 for i, j in pairwise(row)]
        shares = [float((joint - box[0, 0]) / (box[1, 0] - box[0, 0])) for joint in joints]
        if says_more(reading, "".join(readings[i].text for i in row), shares):
            kept[row] = False
            whole.append((box, reading))
    return with_rows(quads, readings, kept, whole)


def cut_words(quads: Quads, readings: Sequence[Reading]) -> list[list[int]]:
    """Boxes of a row that overlap each other in turn, from the left, none of Chinese or Japanese."""
    if not 1 < len(quads) <= MAX_OVERLAP_BOXES:
        return []
    low, high = quads.min(axis=1), quads.max(axis=1)
    tall, middle = high[:, 1] - low[:, 1], (low[:, 1] + high[:, 1]) / 2
    size = np.minimum(tall[:, None], tall)
    overlap = high[:, 0][:, None] - low[:, 0]
    follows = (low[:, 0] > low[:, 0][:, None]) & (high[:, 0] > high[:, 0][:, None])
    level = np.abs(middle[:, None] - middle) < OFF_LEVEL * size
    level &= np.maximum(tall[:, None], tall) < UNLIKE_HEIGHTS * size
    upright = np.array([not reading.corner and _is_latin(reading.text) for reading in readings])
    pairs = np.argwhere(follows & level & (overlap > MIN_BOX_OVERLAP * size) & upright & upright[:, None])
    group = [*range(len(quads))]
    for left, right in pairs.tolist():
        old, new = group[right], group[left]
        group = [new if each == old else each for each in group]
    rows = [
        [i for i, each in enumerate(group) if each == first]
        for first in sorted({group[left] for left, _ in pairs.tolist()})
    ]
    return [sorted(row, key=lambda i: float(low[i, 0])) for row in rows][:MAX_CUT_WORDS]


def says_more(reading: Reading, parts: str, joints: Sequence[float]) -> bool:
    """Whether a reading says what its `parts` do, with less twice, or no blank at one of the `joints`, by its width."""
    text, signs, before = reading.text, reading.text.replace(" ", ""), parts.replace(" ", "")
    if reading.confidence < SURE_AT_ONCE or reading.corner or len(reading.places) != len(text):
        return False
    afters = [sum(place < joint for place in reading.places) for joint in joints]
    in_word = any(0 < after < len(text) and " " not in text[after - 1 : after + 1] for after in afters)
    if not in_word and len(signs) >= len(before):
        return False
    return SequenceMatcher(None, signs, before, autojunk=False).ratio() >= SAME_TEXT


def _is_latin(text: str) -> bool:
    return bool(text.strip()) and max(text) < FIRST_EAST_ASIAN


def _around(quads: Quads) -> NDArray[np.float32]:
    (left, top), (right, bottom) = quads.min(axis=(0, 1)), quads.max(axis=(0, 1))
    return np.array([(left, top), (right, top), (right, bottom), (left, bottom)], np.float32)
