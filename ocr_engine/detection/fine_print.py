"""Where print is too small for the look at a whole page, told by the shapes of its letters.

Letters of two or three pixels leave no box and no shadow in the detection model's map, or boxes around what is no
line: a newspaper's page at 300 dpi came out empty. So samples of a large page are looked at in full size: where they
show many shapes of about the same height, as letters have and leaves, hair and halftones do not, there is print, and
it is known how high.
"""

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from ocr_engine.crops import Pixels, resize

SAMPLE_SIDE = 256
"""Pixels: side of a sample."""
MAX_SAMPLES = 32
"""Samples of a page at most: 2 million pixels, some 20 ms."""
RELIEF_SHRINKAGE = 4
"""The page is shrunken so many times to find where anything stands on it."""
MIN_RELIEF = 1.5
"""Grey levels by which the shrunken page differs from its surroundings, on average, where there may be print."""
MIN_SAMPLE_LETTERS = 12
"""Shapes that make print of a sample: two short words."""
MIN_SHAPE_PIXELS = 4
"""Pixels of a shape under which it does not count."""
MIN_LETTER_SHARE = 0.4
"""Share of the others that are letters, at least: noise breaks into shapes of every size."""
MIN_LETTER_HEIGHT, MAX_LETTER_HEIGHT = 5, 64
"""Heights in pixels between which shapes may be letters; less are dots and noise."""
MAX_HEIGHT_SPREAD = 1.8
"""Most of the third quartile of their heights by the first: letters with and without stems are 1.4 apart."""
MAX_FILLING = 0.8
"""Share of their boxes that letters fill at most, in the median: dots of a halftone fill more."""
FULL_BY_BODY_HEIGHT = 1.8
"""Height of letters from the lowest to the highest, by that of most of them, which have no stem."""


def letter_heights(page: Pixels) -> Iterator[tuple[NDArray[np.float32], float]]:
    """Samples (corners (4, 2)) of a page (H, W, 3) where it is not empty, and how high the letters there are in pixels;
    0 where there are none."""
    for left, top in _places(page):
        height = _letters(page[top : top + SAMPLE_SIDE, left : left + SAMPLE_SIDE])
        right, bottom = left + SAMPLE_SIDE, top + SAMPLE_SIDE
        yield np.array(((left, top), (right, top), (right, bottom), (left, bottom)), np.float32), height


def _places(page: Pixels) -> list[tuple[int, int]]:
    """Top left corners of samples from all over what is no empty paper."""
    height, width = page.shape[:2]
    grey = cv2.cvtColor(
        resize(page, max(1, width // RELIEF_SHRINKAGE), max(1, height // RELIEF_SHRINKAGE)), cv2.COLOR_BGR2GRAY
    )
    relief = cv2.absdiff(grey, cv2.blur(grey, (9, 9)))
    columns, rows = width // SAMPLE_SIDE, height // SAMPLE_SIDE
    if not columns or not rows:
        return []
    cells = cv2.resize(relief.astype(np.float32), (columns, rows), interpolation=cv2.INTER_AREA)
    found = np.argwhere(cells >= MIN_RELIEF)
    chosen = found[np.linspace(0, len(found) - 1, min(MAX_SAMPLES, len(found))).astype(int)]
    return [(int(column * width / columns), int(row * height / rows)) for row, column in chosen]


def _letters(tile: Pixels) -> float:
    """Height of the letters in a sample; 0 where it holds no print."""
    grey = cv2.cvtColor(tile, cv2.COLOR_BGR2GRAY)
    _, ink = cv2.threshold(grey, 0, 1, cv2.THRESH_BINARY_INV | cv2.THRESH_OTSU)
    if 2 * cv2.countNonZero(ink) > ink.size:
        ink = 1 - ink  # light print on dark paper
    shapes = cv2.connectedComponentsWithStats(ink)[2][1:]
    width, height, area = (shapes[:, column].astype(np.float64) for column in (2, 3, 4))
    letters = (height >= MIN_LETTER_HEIGHT) & (height <= MAX_LETTER_HEIGHT) & (width <= 4 * height)
    if np.count_nonzero(letters) < max(
        MIN_SAMPLE_LETTERS, MIN_LETTER_SHARE * np.count_nonzero(area >= MIN_SHAPE_PIXELS)
    ):
        return 0.0
    low, middle, high = np.percentile(height[letters], (25, 50, 75))
    solid = float(np.median(area[letters] / (width * height)[letters]))
    return FULL_BY_BODY_HEIGHT * float(middle) if high <= MAX_HEIGHT_SPREAD * low and solid <= MAX_FILLING else 0.0
