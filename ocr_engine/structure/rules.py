"""Rules that are drawn around cells: long straight strokes, by morphology, and the grids that they make."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from statistics import median

import cv2
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from ocr_engine.crops import Pixels, resize
from ocr_engine.image.ink import components
from ocr_engine.structure.frame import Frame, Item

Mask = NDArray[np.uint8]

# Lengths are multiples of the median height of the page's lines.
MIN_RULE_ACROSS = 2.5
"""A stroke so long is no letter and no dash."""
MIN_RULE_DOWN = 1.3
"""A stroke so high is no letter: boxes of lines are higher than their letters."""
MAX_RULE_THICKNESS = 0.35
"""What is thicker is a bar or a shade, not a rule."""
SAME_RULE = 0.4
"""Strokes that differ by less lie on one line."""
MAX_BREAK = 0.5
"""Gaps in a rule that are closed."""
MIN_TABLE = (5.0, 1.5)
"""Width and height of the smallest table."""
CONTRAST = 10
"""Levels that a rule is darker than its surroundings, at least."""
DARK_PAPER = 100
"""Level of grey of most of a page under which its rules are light."""
MIN_EDGE_COVERED = 0.6
"""Share of a cell's edge that a rule covers, where there is one."""
MAX_SIDE = 2500
"""Pixels of the picture's longer side in which rules are looked for: hair lines are still seen."""
MAX_LINES = 200
"""Rules of one grid in each direction: more are shading, and would only cost time."""


class Grid(Struct, frozen=True):
    """A ruled table: `across` (r + 1,) and `down` (c + 1,) are its lines' places on the level page, in its pixels."""

    across: tuple[float, ...]
    down: tuple[float, ...]
    open_below: NDArray[np.bool_]
    """Shape (r, c): whether no rule parts a cell from the one below it."""
    open_right: NDArray[np.bool_]
    """Shape (r, c): the same for the one on its right."""


def find_grids(picture: Pixels, frame: Frame, items: Sequence[Item]) -> list[Grid]:
    """The ruled tables of a page, given as a picture of it turned upright, at any size."""
    share = min(1.0, MAX_SIDE / max(picture.shape[:2]))
    if share < 1:
        picture = resize(picture, round(picture.shape[1] * share), round(picture.shape[0] * share))
    scale = picture.shape[1] / frame.width
    unit = max(6.0, scale * median(item.box.height for item in items))
    strokes = _strokes(frame.level(picture), unit)
    return [_scaled(grid, 1 / scale) for grid in _grids(*strokes, unit)] if strokes is not None else []


def _strokes(grey: Pixels, unit: float) -> tuple[Mask, Mask] | None:
    """Where (H, W) rules run across and down the page: 1 there; None where either do not, as on most pages."""
    window = 2 * round(0.6 * unit) + 3
    # on dark paper rules are light
    is_dark = 2 * cv2.countNonZero(cv2.inRange(grey, 0, DARK_PAPER - 1)) > grey.size
    grey = np.asarray(255 - grey, np.uint8) if is_dark else grey
    ink = cv2.adaptiveThreshold(grey, 1, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY_INV, window, CONTRAST)
    found = []
    for length, upright in ((MIN_RULE_DOWN, True), (MIN_RULE_ACROSS, False)):
        stroke = cv2.morphologyEx(ink, cv2.MORPH_OPEN, _bar(length * unit, upright))
        if not cv2.countNonZero(stroke):
            return None
        thick = cv2.morphologyEx(stroke, cv2.MORPH_OPEN, _bar(MAX_RULE_THICKNESS * unit + 1, not upright))
        thin = cv2.subtract(stroke, thick)
        if not cv2.countNonZero(thin):
            return None
        found.append(np.asarray(cv2.morphologyEx(thin, cv2.MORPH_CLOSE, _bar(MAX_BREAK * unit, upright)), np.uint8))
    down, across = found
    return across, down


def _bar(length: float, upright: bool) -> Mask:
    pixels = max(3, round(length))
    return np.ones((pixels, 1) if upright else (1, pixels), np.uint8)


def _grids(across: Mask, down: Mask, unit: float) -> Iterator[Grid]:
    """Those of strokes that touch each other."""
    near = np.ones((3, 3), np.uint8)
    network = cv2.dilate(across | down, near)
    _, labels, boxes = components(np.asarray(network, np.uint8))
    _, _, wide, high, _ = boxes.T
    # most of hundreds are too small
    large = np.flatnonzero((wide >= MIN_TABLE[0] * unit) & (high >= MIN_TABLE[1] * unit))
    for label in large[large > 0].tolist():
        left, top, width, height, _ = boxes[label].tolist()
        window = np.s_[top : top + height, left : left + width]
        mine = labels[window] == label
        grid = _grid(across[window] * mine, down[window] * mine, unit)
        if grid is not None:
            ys, xs = (tuple(at + origin for at in places) for places, origin in ((grid.across, top), (grid.down, left)))
            yield Grid(ys, xs, grid.open_below, grid.open_right)


def _grid(across: Mask, down: Mask, unit: float) -> Grid | None:
    """The grid of one network of strokes; None where they make no rows and columns."""
    ys = _lines(across, 1, MIN_RULE_ACROSS * unit, unit)
    xs = _lines(down, 0, MIN_RULE_DOWN * unit, unit)
    # tables without rules at their sides end where their other rules end
    if ys and xs:
        ys, xs = _with_ends(ys, down.shape[0], unit), _with_ends(xs, across.shape[1], unit)
    if len(ys) < 2 or len(xs) < 3 or max(len(ys), len(xs)) > MAX_LINES:
        return None
    below = np.array([[not _ruled(across, y, x, x2, unit) for x, x2 in _spans(xs)] for y in ys[1:]])
    right = np.array([[not _ruled(down.T, x, y, y2, unit) for x in xs[1:]] for y, y2 in _spans(ys)])
    below[-1], right[:, -1] = False, False
    return Grid(tuple(ys), tuple(xs), below, right)


def _lines(mask: Mask, axis: int, least: float, unit: float) -> list[float]:
    """Places of the lines that the strokes lie on, where together they are `least` long."""
    lengths = mask.sum(axis=axis, dtype=np.int64)
    places = np.flatnonzero(lengths >= least)
    runs = np.split(places, np.flatnonzero(np.diff(places) > SAME_RULE * unit) + 1)
    return [float(np.average(run, weights=lengths[run])) for run in runs if len(run)]


def _with_ends(places: list[float], size: int, unit: float) -> list[float]:
    first = [0.0] if places[0] > 2 * SAME_RULE * unit + unit else []
    last = [size - 1.0] if size - 1 - places[-1] > 2 * SAME_RULE * unit + unit else []
    return [*first, *places, *last]


def _ruled(mask: Mask, at: float, begins: float, ends: float, unit: float) -> bool:
    """Whether a stroke along the row `at` covers what lies between two columns."""
    near = max(2, round(SAME_RULE * unit))
    rows, first = mask[max(0, round(at) - near) : round(at) + near + 1], round(begins) + 1
    return bool(rows[:, first : max(first + 1, round(ends))].any(axis=0).mean() >= MIN_EDGE_COVERED)


def _spans(places: Sequence[float]) -> list[tuple[float, float]]:
    return list(pairwise(places))


def _scaled(grid: Grid, share: float) -> Grid:
    ys, xs = (tuple(place * share for place in places) for places in (grid.across, grid.down))
    return Grid(ys, xs, grid.open_below, grid.open_right)
