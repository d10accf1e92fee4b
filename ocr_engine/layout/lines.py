"""The boxes of a page's lines as the rest of the layout wants them: level, upright, in arrays."""

from collections.abc import Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from ocr_engine.boxes import run_down
from ocr_engine.result import Polygon

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]
Flags = NDArray[np.bool_]

STEADY_LENGTH = 3.0
"""Only boxes this many times as long as thick tell the page's skew: the corners of short ones are too rough."""
MAX_BEND = 0.15
"""Slope that differs more from the page's tells nothing of how the paper bends: the box lies askew."""
MIN_BENT_BOXES = 8
"""Long boxes from which a bend can be told."""
FLATNESS_PULL = 0.01
"""Pull towards a flat page, by the weight of all boxes (ridge regression)."""


class Lines(Struct, frozen=True):
    """n level boxes in pixels, each array of shape (n,). Text runs along x, the next line has a larger y."""

    left: Floats
    top: Floats
    right: Floats
    bottom: Floats

    @property
    def width(self) -> Floats:
        return self.right - self.left

    @property
    def height(self) -> Floats:
        return self.bottom - self.top

    @property
    def x(self) -> Floats:
        """Horizontal centres."""
        return (self.left + self.right) / 2

    @property
    def y(self) -> Floats:
        """Vertical centres."""
        return (self.top + self.bottom) / 2


def level(polygons: Sequence[Polygon], texts: Sequence[str] | None = None) -> Lines:
    """The boxes turned back by the page's skew. Vertical text (columns from right to left) comes out lying down:
    its columns are rows from top to bottom, so that everything that orders rows orders them, too.

    `texts`: what was read in them, where that is known.
    """
    corners = np.array(polygons, dtype=np.float64).reshape(-1, 4, 2)
    across, down = _extents(corners)
    if is_vertical(polygons, texts):
        corners = np.stack([corners[..., 1], -corners[..., 0]], axis=-1)[:, [1, 2, 3, 0]]
        across, down = down, across
    steady = across > STEADY_LENGTH * down
    corners = _turned(corners, _skew(corners[steady], across[steady]))
    # the middle of each side rather than its outermost corner: a box that leans a little grows neither taller nor wider
    xs = np.sort((corners + corners[:, [3, 2, 1, 0]])[:, :2, 0] / 2, axis=1)
    ys = np.sort((corners + corners[:, [1, 0, 3, 2]])[:, [0, 2], 1] / 2, axis=1)
    ys -= _sag(corners, across, steady)[:, None]
    return Lines(xs[:, 0], ys[:, 0], np.maximum(xs[:, 1], xs[:, 0] + 1), np.maximum(ys[:, 1], ys[:, 0] + 1))


def is_vertical(polygons: Sequence[Polygon], texts: Sequence[str] | None = None) -> bool:
    """Whether most of the text runs down the page; lone signs say nothing, however narrow a 1 is."""
    across, down = _extents(np.array(polygons, dtype=np.float64).reshape(-1, 4, 2))
    if texts is not None:
        several = np.array([len(text.strip()) > 1 for text in texts], dtype=bool)
        across, down = across[several], down[several]
    return run_down(across, down)


def _extents(corners: Floats) -> tuple[Floats, Floats]:
    """Lengths (n,) of the boxes (n, 4, 2) along their top and bottom, and along their sides, pixels."""
    across = _length(corners[:, 1] - corners[:, 0] + corners[:, 2] - corners[:, 3])
    down = _length(corners[:, 3] - corners[:, 0] + corners[:, 2] - corners[:, 1])
    return across, down


def _turned(corners: Floats, angle: float) -> Floats:
    """The corners (n, 4, 2) turned back by the angle, in radians."""
    cos, sin = np.cos(angle), np.sin(angle)
    return np.asarray(corners @ np.array([[cos, -sin], [sin, cos]]))


def _length(vectors: Floats) -> Floats:
    """Half the length of sums of two parallel sides: their mean, in pixels."""
    return np.hypot(vectors[:, 0], vectors[:, 1]) / 2


def _slopes(corners: Floats) -> Floats:
    """Angles (n,) of the boxes' text in radians."""
    along = corners[:, 1] - corners[:, 0] + corners[:, 2] - corners[:, 3]
    return np.arctan2(along[:, 1], along[:, 0])


def _skew(corners: Floats, across: Floats) -> float:
    """Median angle of the boxes in radians, each counted by its length."""
    if not len(corners):
        return 0.0
    angles = _slopes(corners)
    order = np.argsort(angles)
    weight = np.cumsum(across[order])
    return float(angles[order][np.searchsorted(weight, weight[-1] / 2)])


def _sag(corners: Floats, across: Floats, steady: Flags) -> Floats:
    """How far each box hangs below where it would on a flat page, pixels: photographed paper bends and recedes.

    The slope of the text is taken to change in proportion to the place, fitted to the slopes of the long boxes by
    least squares (counted by length, outliers left out); the sag is that slope summed up along x.
    """
    middle = corners.mean(axis=1)
    centre, spread = np.median(middle, axis=0), np.ptp(middle, axis=0) / 2 + 1
    x, y = ((middle - centre) / spread).T
    slope = np.tan(_slopes(corners))
    trusted = steady & (np.abs(slope) < MAX_BEND)
    if trusted.sum() < MIN_BENT_BOXES:
        return np.zeros(len(x))
    terms = np.stack([np.ones(len(x)), x, y], axis=1)
    weight = across * trusted
    shrink = np.diag([0.0, 1.0, 1.0]) * FLATNESS_PULL * weight.sum()
    level, bend, fan = np.linalg.solve(terms.T @ (terms * weight[:, None]) + shrink, terms.T @ (weight * slope))
    return np.asarray(spread[0] * (level * x + bend * x**2 / 2 + fan * x * y))


def pairs_within(values: Floats, reach: Floats) -> tuple[Indices, Indices]:
    """All i, j, also i = j, with values[j] no further from values[i] than reach[i]; far fewer than all pairs."""
    order = np.argsort(values, kind="stable")
    start = np.searchsorted(values[order], values - reach)
    count = np.searchsorted(values[order], values + reach, side="right") - start
    left = np.repeat(np.arange(len(values)), count)
    place = np.arange(len(left)) + np.repeat(start - (np.cumsum(count) - count), count)
    return left, order[place]


def group_min(groups: Indices, values: Floats, n: int) -> Floats:
    """The smallest value of each of n groups; infinite for a group without any."""
    result = np.full(n, np.inf)
    np.minimum.at(result, groups, values)
    return result


def grade(values: Floats | Indices, bounds: tuple[float, float]) -> Floats:
    """0 up to the lower bound, 1 from the upper one on, in proportion between."""
    low, high = bounds
    return np.clip((values - low) / (high - low), 0.0, 1.0)
