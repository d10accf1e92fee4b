"""Lone dashes in columns of numbers, as tables of accounts have where there is nothing to tell: found in the picture.

The detection model does not see them, however closely it looks, so that their cells came out empty. A stroke is one
where it stands alone, level with a line, and over or under numbers: no rule, no hyphen and no minus is.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from ocr_engine.boxes import Quads
from ocr_engine.crops import Pixels, resize
from ocr_engine.image.ink import components, median
from ocr_engine.recognition.ctc import Reading

DASH, HYPHEN = "—", "-"
MIN_NUMBERS = 6
"""Lines that are numbers, on a page where dashes are looked for."""
MAX_NUMBER_LENGTH = 16
MIN_COLUMN = 3
"""Numbers and dashes that stand over each other, the dash counted."""
MAX_DASHES = 400
"""Strokes of a page that may be dashes; where there are more there is a pattern, or noise."""
# Lengths are multiples of the height of the numbers' boxes, of which their digits are about a half.
WIDTHS = (0.2, 1.2)
"""Of a dash, at least and at most."""
MIN_DASH_WIDTH = 0.4
"""Of a dash that is no hyphen."""
MAX_THICKNESS, MAX_THICKNESS_BY_WIDTH = 0.2, 0.4
MIN_FILLING = 0.5
"""Share of the rectangle around it that a stroke's ink fills."""
MARGINS = (0.5, 0.3)
"""White space around it, across and down."""
MAX_SPECKS = 0.25
"""Ink in that space, by the stroke's own: grains that compression leaves."""
MAX_OFFSET = 0.25
"""How far it stands from the middle of a line beside it, by that line's height."""
HEIGHTS = (0.6, 1.6)
"""Of such a line."""
COLUMN_REACH = 0.3
"""How far the middles of two dashes of a column lie apart."""
RIM = (0.35, 0.5)
"""Around the middle of a dash, in its box, beyond its width and up and down."""
MIN_STROKE_CONTRAST = 20
"""Levels that ink is darker than the paper around."""
MAX_LINE_HEIGHT = 36.0
"""Pixels of the numbers' boxes from which the page is shrunken to them: more show no more of a stroke."""


class _Stroke(Struct, frozen=True):
    """What may be a dash, in pixels of the page."""

    x: float
    y: float
    width: float
    confidence: float


def found(page: Pixels, quads: Quads, readings: Sequence[Reading]) -> tuple[Quads, list[Reading]]:
    """Boxes (n, 4, 2) of the lone dashes of an upright page (H, W, 3), given those of its lines, and what they are."""
    low, high = quads.min(axis=1), quads.max(axis=1)
    tall = high[:, 1] - low[:, 1]
    are_numbers = np.array([_is_number(reading.text) for reading in readings], bool) & (high[:, 0] - low[:, 0] > tall)
    if np.count_nonzero(are_numbers) < MIN_NUMBERS:
        return quads[:0], []
    unit = float(np.median(tall[are_numbers]))
    strokes = _strokes(page, low[are_numbers].min(axis=0) - unit, high[are_numbers].max(axis=0) + unit, unit)
    alike = (tall > HEIGHTS[0] * unit) & (tall < HEIGHTS[1] * unit)
    middle = (low[:, 1] + high[:, 1]) / 2
    strokes = [
        each
        for each in strokes
        if (alike & (np.abs(middle - each.y) < MAX_OFFSET * tall)).any()
        and not ((low < (each.x, each.y)) & (high > (each.x, each.y))).all(axis=1).any()
    ]
    left, right = low[are_numbers, 0], high[are_numbers, 0]
    dashes = [
        each
        for each in strokes
        if np.count_nonzero((left < each.x) & (right > each.x))
        + sum(abs(other.x - each.x) < COLUMN_REACH * unit for other in strokes)
        >= MIN_COLUMN
    ]
    return _boxes(dashes, unit), [
        Reading(DASH if each.width >= MIN_DASH_WIDTH * unit else HYPHEN, each.confidence, (0.5,), (each.confidence,))
        for each in dashes
    ]


def _is_number(text: str) -> bool:
    signs = text.replace(" ", "")
    digits = sum(sign.isdigit() for sign in signs)
    return digits > 0 and len(signs) <= MAX_NUMBER_LENGTH and 2 * digits >= len(signs) - 1


def _strokes(page: Pixels, low: NDArray[np.float32], high: NDArray[np.float32], unit: float) -> list[_Stroke]:
    """Level strokes with white space around them, between two corners (x, y); none where there are too many."""
    left, top = np.maximum(np.floor(low), 0).astype(int).tolist()
    right, bottom = np.ceil(high).astype(int).tolist()
    part = page[top:bottom, left:right]
    scale = min(1.0, MAX_LINE_HEIGHT / unit)
    if scale < 1:
        part = resize(part, max(1, round(part.shape[1] * scale)), max(1, round(part.shape[0] * scale)))
    ink = _ink(part, unit * scale)
    unit *= scale
    shapes = components(ink)[2][1:]
    x, y, width, thick, area = shapes.T.astype(np.float64)
    flat = (width >= WIDTHS[0] * unit) & (width <= WIDTHS[1] * unit) & (thick <= MAX_THICKNESS * unit)
    flat &= (thick <= MAX_THICKNESS_BY_WIDTH * width) & (area >= MIN_FILLING * width * thick)
    chosen = np.flatnonzero(flat)
    if len(chosen) > MAX_DASHES:
        return []
    across, down = (round(margin * unit) for margin in MARGINS)
    strokes = []
    for i in chosen:
        x0, y0, x1, y1 = int(x[i]), int(y[i]), int(x[i] + width[i]), int(y[i] + thick[i])
        around = ink[max(0, y0 - down) : y1 + down, max(0, x0 - across) : x1 + across]
        specks = (cv2.countNonZero(around) - area[i]) / area[i]
        if specks <= MAX_SPECKS:
            place = left + (x[i] + width[i] / 2) / scale, top + (y[i] + thick[i] / 2) / scale
            strokes.append(_Stroke(*place, float(width[i] / scale), float(1 - specks)))
    return strokes


def _ink(part: Pixels, unit: float) -> NDArray[np.uint8]:
    """1 where a part of the page is darker than around, or brighter where its paper is dark."""
    grey = cv2.cvtColor(part, cv2.COLOR_BGR2GRAY)
    if median(np.asarray(grey, np.uint8)) < 128:
        grey = cv2.bitwise_not(grey)
    window = 2 * round(unit) + 1
    return np.asarray(
        cv2.adaptiveThreshold(grey, 1, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY_INV, window, MIN_STROKE_CONTRAST),
        np.uint8,
    )


def _boxes(dashes: Sequence[_Stroke], unit: float) -> Quads:
    """As large around them as the detector's are around other print."""
    x, y, width = (np.array([getattr(each, name) for each in dashes]) for name in ("x", "y", "width"))
    left, right = x - width / 2 - RIM[0] * unit, x + width / 2 + RIM[0] * unit
    top, bottom = y - RIM[1] * unit, y + RIM[1] * unit
    return np.stack([left, top, right, top, right, bottom, left, bottom], axis=1).reshape(-1, 4, 2).astype(np.float32)
