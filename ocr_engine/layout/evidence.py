"""What speaks for reading two neighbours as parts of two columns, and what for reading them as one row.

Rows of a table and columns of prose can look alike in the white space between them; they differ in what is beside it.
Prose comes in blocks of lines that fill their column, and cares nothing for the lines beside it. Cells are short, and
stand level with their neighbours. So every pair of neighbours is judged by how much of a block of prose each belongs
to, and by whether they are level.
"""

import numpy as np
from msgspec import Struct

from ocr_engine.layout.lines import Flags, Floats, Indices, Lines, grade, group_min, pairs_within

# Lengths are multiples of the height of the lines in question.
COLUMN_GAP = (0.4, 1.0)
"""White space between level neighbours by the width of the narrower: may part columns, parts cells for certain."""
SAME_ROW = 0.35
"""Neighbours whose middles differ by less stand in one row."""
LEVEL_HEAD_START = 1.0
"""A level neighbour is taken for this much nearer: in closely set rows the boxes reach into the rows beside theirs."""
MIN_SHARED_HEIGHT = 0.4
"""Neighbours share at least this much of the lower one's height."""
MAX_NEIGHBOUR_OVERLAP = 0.5
"""Most that the boxes of neighbours reach into each other."""

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
    settled: Floats
    """The same where there are columns above or below already: a table may then stand beside the other one's prose."""


def neighbours(lines: Lines, prose: Floats, certain: Flags) -> Pairs:
    """Every line paired with the nearest one on its right and the nearest one on its left.

    `certain` (n,): lines of which it is known that they are no cells, however far apart they stand.
    """
    n = len(prose)
    left, right = pairs_within(lines.y, (lines.height + lines.height.max()) / 2)
    size = np.minimum(lines.height[left], lines.height[right])
    shared = np.minimum(lines.bottom[left], lines.bottom[right]) - np.maximum(lines.top[left], lines.top[right])
    gap = lines.left[right] - lines.right[left]
    beside = (
        (shared >= MIN_SHARED_HEIGHT * size) & (lines.x[right] > lines.x[left]) & (gap > -MAX_NEIGHBOUR_OVERLAP * size)
    )
    left, right, size, gap = left[beside], right[beside], size[beside], gap[beside]
    level = np.abs(lines.y[left] - lines.y[right]) < SAME_ROW * size
    away = gap + np.where(level, 0, LEVEL_HEAD_START * size)
    nearest = (away == group_min(left, away, n)[left]) | (away == group_min(right, away, n)[right])
    left, right, size, gap, level = left[nearest], right[nearest], size[nearest], gap[nearest], level[nearest]
    apart = gap / np.minimum(lines.width[left], lines.width[right])
    close = np.where(level & ~(certain[left] & certain[right]), 1 - grade(apart, COLUMN_GAP), 1.0)
    a, b = prose[left], prose[right]
    both, one, neither = a * b, a + b - 2 * a * b, (1 - a) * (1 - b)
    both, one = both * close, one + both * (1 - close)
    evidence = (
        both * np.where(level, BOTH_PROSE_LEVEL, BOTH_PROSE)
        + one * np.where(level, ONE_PROSE_LEVEL, ONE_PROSE)
        + neither * np.where(level, NO_PROSE_LEVEL, NO_PROSE)
    )
    return Pairs(left, right, evidence, evidence - one * np.where(level, ONE_PROSE_LEVEL, 0))
