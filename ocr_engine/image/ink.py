"""Ink is what is unlike the paper: how far each pixel is from it, and from where on that is print."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ocr_engine.crops import Pixels

Levels = NDArray[np.uint8]
"""Shape (H, W), 0 to 255."""

MIN_PRINT_CONTRAST = 48
"""Levels of grey between print and paper, at least, where faint ink would mislead."""

MAX_SHORT = 65_535
"""Pixels of ink whose parts can be told by numbers of 16 bits."""
MAX_SHORT_NUMBERED = 200_000
"""The same of a mask's pixels: no more than one part in four of them is there."""


def from_paper(part: Pixels) -> Levels:
    """How far each pixel of a part (H, W, 3) of a page is from the part's median, which is its paper."""
    grey = cv2.cvtColor(part, cv2.COLOR_BGR2GRAY)
    return np.asarray(cv2.absdiff(grey, np.full_like(grey, median(np.asarray(grey)))), np.uint8)


def ink_level(away: Levels) -> int:
    """The difference from the paper, above which it is ink, that parts the two best (Otsu, 1979)."""
    return int(cv2.threshold(away, 0, 1, cv2.THRESH_BINARY | cv2.THRESH_OTSU)[0])


def ink_of(away: Levels, contrast: int = MIN_PRINT_CONTRAST) -> Levels:
    """1 where the difference from the paper is ink's, and above `contrast`."""
    return np.asarray(away > max(ink_level(away), contrast), np.uint8)


def components(ink: Levels) -> tuple[int, NDArray[Any], NDArray[np.int32]]:
    """Of what touches in a mask (H, W), corners included: how many, the ground with them; the number (H, W) of each
    pixel's; left, top, width, height and area (n, 5)."""
    # short numbers take half the time
    is_short = ink.size <= MAX_SHORT_NUMBERED or cv2.countNonZero(ink) < MAX_SHORT
    kind = cv2.CV_16U if is_short else cv2.CV_32S
    count, labels, boxes, _ = cv2.connectedComponentsWithStats(ink, connectivity=8, ltype=kind)
    return count, np.asarray(labels), np.asarray(boxes, np.int32)


def median(grey: Levels) -> int:
    """As NumPy's of the pixels (H, W), rounded down, in a tenth of its time."""
    below = np.cumsum(cv2.calcHist([grey], [0], None, [256], [0, 256]).ravel().astype(np.int64))
    return int(below.searchsorted((grey.size - 1) // 2, "right") + below.searchsorted(grey.size // 2, "right")) // 2
