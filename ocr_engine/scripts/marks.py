"""Vowels and tone marks that detection took for lines of their own, put back to the lines that they belong to."""

import numpy as np
from numpy.typing import NDArray

from ocr_engine.boxes import Quads, sides

MAX_MARK_HEIGHT = 0.5
"""Height by that of the line, up to which a box may hold marks of it: boxes of a page's lines are .6 at least."""
MIN_SHARED = 0.8
"""Share of the box's length that lies over or under the line."""
MAX_GAP = 0.25
"""Distance from the line by the line's height; most boxes of marks lie on it, or in it by a part."""


def with_marks(quads: Quads) -> tuple[Quads, list[int]]:
    """The boxes (n, 4, 2), those of lines grown over those of their marks; and the indices of boxes that are lines."""
    _, down = sides(quads)
    grown = quads.copy()
    lines: list[int] = []
    # the highest first, so that a line is there before its marks
    for i in np.argsort(-down, kind="stable").tolist():
        owner = _owner(quads[i], float(down[i]), quads, down, lines)
        if owner is None:
            lines.append(i)
        else:
            grown[owner] = _over(grown[owner], quads[i])
    return grown, sorted(lines)


def _owner(
    quad: NDArray[np.float32], height: float, quads: Quads, down: NDArray[np.float32], lines: list[int]
) -> int | None:
    """The line that a box holds marks of: the nearest one, over which or under which it lies."""
    best, nearest = None, MAX_GAP
    for i in lines:
        if height > MAX_MARK_HEIGHT * down[i]:
            continue
        along, up = _within(quads[i], quad)
        shared = min(along.max(), 1.0) - max(along.min(), 0.0)
        gap = max(up.min() - 1.0, -up.max())
        if shared >= MIN_SHARED * (along.max() - along.min()) and gap < nearest:
            best, nearest = i, float(gap)
    return best


def _within(quad: NDArray[np.float32], other: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The corners of another box (4, 2) in shares of a box: along its top, and down its left."""
    across, down = quad[1] - quad[0], quad[3] - quad[0]
    away = other - quad[0]
    return away @ across / max(1.0, float(across @ across)), away @ down / max(1.0, float(down @ down))


def _over(quad: NDArray[np.float32], other: NDArray[np.float32]) -> NDArray[np.float32]:
    """The box (4, 2), grown up or down over another one."""
    _, up = _within(quad, other)
    top, bottom = min(0.0, float(up.min())), max(1.0, float(up.max()))
    down = quad[3] - quad[0]
    corners = (quad[0] + top * down, quad[1] + top * down, quad[1] + bottom * down, quad[0] + bottom * down)
    return np.array(corners, np.float32)
