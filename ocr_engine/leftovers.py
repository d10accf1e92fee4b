"""Text that detection marked and put in no box: lone digits, ends of lines, lines of an uneven ground.

The model shrinks what it marks, so that of a lone `1` a few pixels are left, too few for a box; where the ground is
uneven they smear, and what they smear into is no box either. The mean of a long bent line is low, as half of its box
is white. All of these are read as they are. What the recogniser is sure of stays: noise it is not sure of.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from ocr_engine.boxes import UNCLIP_RATIO, Quads, heights, without_overlap
from ocr_engine.detection.detector import Look
from ocr_engine.image.ink import components
from ocr_engine.recognition.ctc import NOTHING, Reading

MAX_LEFTOVERS = 48
"""Leftovers of a kind that are read, which bounds what a page of noise costs; most pages have none."""
MAX_LEFTOVER_PIXELS = 40_000
"""Pixels: widths of these, together: a page can have as many shadows of long lines."""
MIN_SPOT_AREA = 4
"""Pixels of a spot in the look, from which it may be a character."""
MIN_SPOT_HEIGHT = 3
"""Pixels of a spot's height in the look: what is flatter is part of a rule, or the rim of a box."""
MIN_LINE_BY_SPOT, MAX_LINE_BY_SPOT = 0.7, 2.0
"""Height of the box of a line, by that of a spot level with it, for the two to be of one print."""
SURE_CONFIDENCE = 0.9
"""Confidence from which a leftover is text: 24 on 170 pages, by which word F1 rises in all four sets of these."""
MIN_SHADOW_LETTERS = 3
"""Of a shadow: less may be seen in anything."""


def spots(look: Look, quads: Quads) -> Quads:
    """Boxes (n, 4, 2), in the page's pixels, of what is surely text, is level with one of the lines and in none."""
    mask = look.certain.copy()
    for quad in quads:
        cv2.fillPoly(mask, [np.round(quad / look.pixel).astype(np.int32)], (0,))
    found = components(mask)[2]
    left, top, width, height, area = found[1:].T.astype(np.float32)
    large = (area >= MIN_SPOT_AREA) & (height >= MIN_SPOT_HEIGHT)
    growth = UNCLIP_RATIO * width * height / (width + height) / 2
    low = np.stack((left - growth, top - growth), axis=1)[large]
    high = np.stack((left + width + growth, top + height + growth), axis=1)[large]
    corners = np.stack((low, np.stack((high[:, 0], low[:, 1]), 1), high, np.stack((low[:, 0], high[:, 1]), 1)), axis=1)
    return _level_with(corners * look.pixel, quads)[:MAX_LEFTOVERS]


def shadows(look: Look, quads: Quads) -> Quads:
    """Boxes (n, 4, 2) of what may be text by its shadow, and of which nothing is in a box of a line."""
    chosen = look.blurs[:0]
    for blur in look.blurs:
        if len(chosen) < MAX_LEFTOVERS and not _overlap(blur, quads) and not _overlap(blur, chosen):
            chosen = np.concatenate((chosen, blur[None]))
    return chosen


def sure(readings: Sequence[Reading], letters: int) -> list[Reading]:
    """The readings, nothing in place of those that are unsure or have less than so many letters or digits."""
    return [
        reading
        if reading.confidence >= SURE_CONFIDENCE and sum(character.isalnum() for character in reading.text) >= letters
        else NOTHING
        for reading in readings
    ]


def _level_with(found: Quads, quads: Quads) -> Quads:
    top, bottom, thickness = quads[:, :, 1].min(axis=1), quads[:, :, 1].max(axis=1), heights(quads)
    kept = [
        bool(
            (
                (top < quad[:, 1].mean())
                & (bottom > quad[:, 1].mean())
                & (thickness > MIN_LINE_BY_SPOT * (quad[2, 1] - quad[0, 1]))
                & (thickness < MAX_LINE_BY_SPOT * (quad[2, 1] - quad[0, 1]))
            ).any()
        )
        for quad in found
    ]
    return np.asarray(found[np.array(kept, bool)], np.float32).reshape(-1, 4, 2)


def _overlap(quad: NDArray[np.float32], quads: Quads) -> bool:
    """Whether the middle of one of the boxes is in the other."""
    return not len(without_overlap(quad[None], quads)) or len(without_overlap(quads, quad[None])) < len(quads)
