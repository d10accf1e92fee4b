"""The boxes of a page's lines as the rest of the layout wants them: level, upright, in arrays."""

from collections.abc import Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from ocr_engine.result import Polygon

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

TALL = 1.5
"""A box this many times as high as wide holds vertical text (PaddleOCR turns crops from the same ratio on)."""
STEADY = 3.0
"""Only boxes this many times as long as thick tell the page's skew: the corners of short ones are too rough."""


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


def level(polygons: Sequence[Polygon]) -> Lines:
    """The boxes turned back by the page's skew. Vertical text (columns from right to left) comes out lying down:
    its columns are rows from top to bottom, so that everything that orders rows orders them, too."""
    corners = np.array(polygons, dtype=np.float64).reshape(-1, 4, 2)
    across = _length(corners[:, 1] - corners[:, 0] + corners[:, 2] - corners[:, 3])
    down = _length(corners[:, 3] - corners[:, 0] + corners[:, 2] - corners[:, 1])
    tall = down >= TALL * across
    if down[tall].sum() > across[~tall].sum():
        corners = np.stack([corners[..., 1], -corners[..., 0]], axis=-1)[:, [1, 2, 3, 0]]
        across, down = down, across
    skew = _skew(corners, across, down)
    turn = np.array([[np.cos(skew), -np.sin(skew)], [np.sin(skew), np.cos(skew)]])
    corners = corners @ turn
    # the middle of each side rather than its outermost corner: a box that leans a little grows neither taller nor wider
    xs = np.sort((corners + corners[:, [3, 2, 1, 0]])[:, :2, 0] / 2, axis=1)
    ys = np.sort((corners + corners[:, [1, 0, 3, 2]])[:, [0, 2], 1] / 2, axis=1)
    return Lines(xs[:, 0], ys[:, 0], xs[:, 1], np.maximum(ys[:, 1], ys[:, 0] + 1))


def _length(vectors: Floats) -> Floats:
    """Half the length of sums of two parallel sides: their mean, in pixels."""
    return np.hypot(vectors[:, 0], vectors[:, 1]) / 2


def _skew(corners: Floats, across: Floats, down: Floats) -> float:
    """Median angle of the long boxes in radians, each counted by its length."""
    long = across >= STEADY * down
    if not long.any():
        return 0.0
    along = (corners[:, 1] - corners[:, 0] + corners[:, 2] - corners[:, 3])[long]
    angles = np.arctan2(along[:, 1], along[:, 0])
    order = np.argsort(angles)
    weight = np.cumsum(across[long][order])
    return float(angles[order][np.searchsorted(weight, weight[-1] / 2)])
