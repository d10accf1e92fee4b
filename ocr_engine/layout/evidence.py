"""What speaks for reading two neighbours as parts of two columns, and what for reading them as one row.

Rows of a table and columns of prose can look alike in the white space between them; they differ in what is beside it.
Prose comes in blocks of lines that fill their column, and cares nothing for the lines beside it. Cells are short, and
stand level with their neighbours. So every pair of neighbours is judged by how much of a block of prose each belongs
to, and by whether they are level.
"""

import numpy as np
from msgspec import Struct

from ocr_engine.layout.lines import Floats, Indices, Lines, grade, overlap, smaller

# Lengths are multiples of the height of the lines in question.
APART = (0.4, 1.0)
"""White space between level neighbours by the width of the narrower: may part columns, parts cells for certain."""
LEVEL = 0.35
"""Neighbours whose middles differ by less stand in one row."""
BESIDE = 0.4
"""Neighbours share at least this much of the lower one's height."""

# What a pair of neighbours says for a column's edge between them (positive) or for one row (negative): 1 is as much
# as a line of prose on both sides. Level lines of prose are common (one grid for the page), level cells are the rule.
BOTH_PROSE_LEVEL, BOTH_PROSE = 0.7, 1.0
ONE_PROSE_LEVEL, ONE_PROSE = -0.2, 1.0
NO_PROSE_LEVEL, NO_PROSE = -1.0, 0.0


class Pairs(Struct, frozen=True):
    """m pairs of lines that stand next to each other, nothing between them; each array of shape (m,)."""

    left: Indices
    right: Indices
    evidence: Floats
    """For a column's edge between the two (positive) or for one row (negative); at most 1."""


def neighbours(lines: Lines, prose: Floats) -> Pairs:
    """Every line paired with the nearest one on its right and the nearest one on its left."""
    beside = overlap(lines.top, lines.bottom) >= BESIDE * smaller(lines.height)
    gap = np.where(beside & (lines.x[None, :] > lines.x[:, None]), lines.left[None, :] - lines.right[:, None], np.inf)
    gap[gap < -0.5 * smaller(lines.height)] = np.inf
    everyone = np.arange(len(prose))
    rightward, leftward = gap.argmin(axis=1), gap.argmin(axis=0)
    left = np.concatenate([everyone, leftward])
    right = np.concatenate([rightward, everyone])
    pairs = np.unique(np.stack([left, right], axis=1)[np.isfinite(gap[left, right])], axis=0)
    left, right = pairs[:, 0], pairs[:, 1]
    level = np.abs(lines.y[left] - lines.y[right]) < LEVEL * np.minimum(lines.height[left], lines.height[right])
    apart = gap[left, right] / np.minimum(lines.width[left], lines.width[right])
    close = np.where(level, 1 - grade(apart, APART), 1.0)
    a, b = prose[left], prose[right]
    both, one, neither = a * b, a + b - 2 * a * b, (1 - a) * (1 - b)
    both, one = both * close, one + both * (1 - close)
    evidence = (
        both * np.where(level, BOTH_PROSE_LEVEL, BOTH_PROSE)
        + one * np.where(level, ONE_PROSE_LEVEL, ONE_PROSE)
        + neither * np.where(level, NO_PROSE_LEVEL, NO_PROSE)
    )
    return Pairs(left, right, evidence)
