"""Signs that no box holds between two of a row: `__`, `-=`, a colon between a word and a number.

Detection overlooks what is small and stands apart. Where there is ink between boxes that follow each other on a row,
all from the one to the other is read as one line; it stays where that has the same letters and digits, and signs more.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from ocr_engine.boxes import Quads
from ocr_engine.crops import Pixels, cut
from ocr_engine.image.ink import components, from_paper
from ocr_engine.recognition.ctc import Read, Reading
from ocr_engine.rejoining.rows import with_rows

MAX_GAP_BOXES, MAX_JOINED = 600, 24
"""Boxes of a page from which its gaps are not looked at; rows that are read again. Both bound what a page costs."""
WIDEST, OVERLAPPED = 1.8, 0.5
"""By the height of the lower box, of a gap, and how far boxes may overlap; rims of boxes are white."""
OFF_ROW, UNLIKE = 0.3, 1.7
"""By the same height, how far the middles of boxes on a row differ; of the higher one, at most."""
LEANING = 0.15
"""By the same height, how far a box may fall to its right, to be read with another."""
RIM_OF_BOX = 0.25
"""By the same height, of boxes beside a gap, which may hold what stands in it."""
MIN_GAP_CONTRAST = 60
"""Levels of grey between a sign and paper."""
SIGN_SIZES = 0.07, 0.6
"""By the same height, of a sign: what is higher is a letter or a rule, smaller dirt."""
MIN_SIGN_AREA = 3
"""Pixels of its ink."""
SURE_JOINED = 0.9
"""Confidence from which what was read of a joined row stands."""


def put_right(page: Pixels, quads: Quads, readings: Sequence[Reading], read: Read) -> tuple[Quads, list[Reading]]:
    """The boxes (n, 4, 2) of a page and their readings, one where a row says more at once; `read` reads crops."""
    rows = joined(page, quads)
    told = read([cut(page, row) for row, _ in rows])
    better = [
        (row, reading, members)
        for (row, members), reading in zip(rows, told, strict=True)
        if is_better(reading, [readings[i] for i in members])
    ]
    kept = np.ones(len(quads), bool)
    for _, _, members in better:
        kept[members] = False
    return with_rows(quads, readings, kept, [(row, reading) for row, reading, _ in better])


def joined(page: Pixels, quads: Quads) -> list[tuple[NDArray[np.float32], list[int]]]:
    """Boxes (4, 2) of what stands from box to box (n, 4, 2) of a page where signs are between, and which these are."""
    low, high = quads.min(axis=1), quads.max(axis=1)
    if not 1 < len(quads) <= MAX_GAP_BOXES:
        return []
    group = [*range(len(quads))]
    found = False
    for left, right in _neighbours(quads, low, high):
        if _has_signs(page, low[[left, right]], high[[left, right]]):
            old, new = group[right], group[left]
            group = [new if each == old else each for each in group]
            found = True
    if not found:
        return []
    rows: list[tuple[NDArray[np.float32], list[int]]] = []
    for first in sorted({each for each in group if group.count(each) > 1}):
        some = [i for i, each in enumerate(group) if each == first]
        (x0, y0), (x1, y1) = low[some].min(axis=0), high[some].max(axis=0)
        middle = quads.mean(axis=1)
        inside = (middle[:, 0] > x0) & (middle[:, 0] < x1) & (middle[:, 1] > y0) & (middle[:, 1] < y1)
        members = sorted(np.flatnonzero(inside).tolist(), key=lambda i: float(low[i, 0]))
        rows.append((np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], np.float32), members))
    return rows[:MAX_JOINED]


def is_better(row: Reading, parts: Sequence[Reading]) -> bool:
    """Whether a row that was read at once has all letters and digits of its parts, from the left, and signs more."""
    before = "".join(part.text for part in parts)
    more = len(row.text.replace(" ", "")) > len(before.replace(" ", ""))
    level = not any(part.corner for part in (row, *parts))
    return level and more and row.confidence >= SURE_JOINED and _letters(row.text) == _letters(before)


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text))


def _neighbours(quads: Quads, low: NDArray[np.float32], high: NDArray[np.float32]) -> Iterator[tuple[int, int]]:
    """Each box and the next one to its right on its row, that is about as high and near."""
    tall, middle = high[:, 1] - low[:, 1], (low[:, 1] + high[:, 1]) / 2
    size = np.minimum(tall[:, None], tall)
    level = np.abs(middle[:, None] - middle) < OFF_ROW * size
    level &= np.maximum(tall[:, None], tall) < UNLIKE * size
    gap = low[:, 0] - high[:, 0][:, None]
    near = level & (gap > -OVERLAPPED * size) & (gap < WIDEST * size) & (low[:, 0] > low[:, 0][:, None])
    near &= high[:, 0] > high[:, 0][:, None]
    leans = np.abs(quads[:, 1, 1] - quads[:, 0, 1]) > LEANING * tall
    near &= ~(leans | leans[:, None])
    starts = np.where(near, low[:, 0], np.inf)
    for left in np.flatnonzero(near.any(axis=1)).tolist():
        yield left, int(starts[left].argmin())


def _has_signs(page: Pixels, low: NDArray[np.float32], high: NDArray[np.float32]) -> bool:
    """Whether small signs stand apart between two boxes, of which these are the upper left and lower right corners."""
    size = float((high - low)[:, 1].min())
    left, right = float(high[0, 0]) - RIM_OF_BOX * size, float(low[1, 0]) + RIM_OF_BOX * size
    top, bottom = max(0, int(low[:, 1].min())), int(high[:, 1].max())
    part = page[top:bottom, max(0, int(left)) : max(0, int(right))]
    if part.shape[0] < 3 or part.shape[1] < 3:
        return False
    ink = np.asarray(from_paper(part) > MIN_GAP_CONTRAST, np.uint8)
    if not ink.any():
        return False
    shapes = components(ink)[2][1:].astype(np.int64)
    x, y, wide, tall, area = shapes.T
    apart = (x > 0) & (y > 0) & (x + wide < ink.shape[1]) & (y + tall < ink.shape[0])
    fits = (tall <= SIGN_SIZES[1] * size) & (np.maximum(wide, tall) >= SIGN_SIZES[0] * size) & (area >= MIN_SIGN_AREA)
    return bool((apart & fits).any())
