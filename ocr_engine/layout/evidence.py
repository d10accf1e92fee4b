"""What speaks for reading two neighbours as parts of two columns, and what for reading them as one row.

Rows of a table and columns of prose can look alike in the white space between them; they differ in what is beside it.
Prose comes in blocks of lines that fill their column, and cares nothing for the lines beside it. Cells are short, and
stand level with their neighbours. So every pair of neighbours is judged by how much of a block of prose each belongs
to, and by whether they are level.
"""

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from ocr_engine.layout.lines import Floats, Indices, Lines

Flags = NDArray[np.bool_]

# All lengths in this room are multiples of the height of the lines in question: print has no other scale.
LEADING = 1.3
"""Most white space between two lines of one block."""
SAME_SIZE = 0.65
"""Least ratio of the heights of two lines of one block."""
INDENT = 3.0
"""Most that lines of one block differ on the left."""
WINDOW = 3
"""A line is judged with so many above and below it: a block may run from one kind of text into another."""
EDGE = 0.5
"""Edges of lines that are alike differ by less."""
ALIKE = (2, 6)
"""Others that begin and end as a line does: may be chance, must be a column."""
APART = (0.4, 1.0)
"""White space between level neighbours by the width of the narrower: may part columns, parts cells for certain."""
LEVEL = 0.35
"""Neighbours whose middles differ by less stand in one row."""
BESIDE = 0.4
"""Neighbours share at least this much of the lower one's height."""
COLUMN = (4.0, 9.0)
"""Width of a block: certainly too narrow for prose, certainly wide enough (a newspaper's columns have about 12)."""
FULL = (0.7, 0.92)
"""Width of a line by that of its block: certainly short, certainly full."""
FILLED = (0.25, 0.7)
"""Share of full lines in a block: as in lists and cells, as in prose (the last lines of paragraphs are short)."""
ENOUGH = (0.0, 0.25, 0.5, 0.75, 1.0)
"""How much a block of 1, 2, 3, 4 lines can say, or of more."""

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


def prose(lines: Lines) -> Floats:
    """How much each line looks like part of a block of running text, 0 to 1, shape (n,)."""
    verdict = np.zeros(len(lines.left))
    for block in _blocks(lines):
        width, height = lines.width[block].tolist(), float(np.median(lines.height[block]))
        around = [slice(max(0, i - WINDOW), i + WINDOW + 1) for i in range(len(block))]
        widest = [max(width[near]) for near in around]
        full = [_grade(w / most, FULL) for w, most in zip(width, widest, strict=True)]
        for i, near in enumerate(around):
            share = sum(full[near]) / len(full[near])
            enough = ENOUGH[min(len(full[near]), len(ENOUGH)) - 1]
            verdict[block[i]] = _grade(share, FILLED) * _grade(widest[i] / height, COLUMN) * enough
    return np.maximum(verdict, _in_step(lines))


def _in_step(lines: Lines) -> Floats:
    """How much each line looks like one of many that begin and end alike, as in justified columns, 0 to 1."""
    near = EDGE * _smaller(lines.height)
    alike = (np.abs(lines.left[:, None] - lines.left[None, :]) < near) & (
        np.abs(lines.right[:, None] - lines.right[None, :]) < near
    )
    others = (alike.sum(axis=1) - 1).tolist()
    wide = (lines.width / lines.height).tolist()
    return np.array([_grade(n, ALIKE) * _grade(w, COLUMN) for n, w in zip(others, wide, strict=True)])


def neighbours(lines: Lines, prose: Floats) -> Pairs:
    """Every line paired with the nearest one on its right and the nearest one on its left."""
    beside = _overlap(lines.top, lines.bottom) >= BESIDE * _smaller(lines.height)
    gap = np.where(beside & (lines.x[None, :] > lines.x[:, None]), lines.left[None, :] - lines.right[:, None], np.inf)
    gap[gap < -0.5 * _smaller(lines.height)] = np.inf
    everyone = np.arange(len(prose))
    rightward, leftward = gap.argmin(axis=1), gap.argmin(axis=0)
    left = np.concatenate([everyone, leftward])
    right = np.concatenate([rightward, everyone])
    pairs = np.unique(np.stack([left, right], axis=1)[np.isfinite(gap[left, right])], axis=0)
    left, right = pairs[:, 0], pairs[:, 1]
    level = np.abs(lines.y[left] - lines.y[right]) < LEVEL * np.minimum(lines.height[left], lines.height[right])
    apart = gap[left, right] / np.minimum(lines.width[left], lines.width[right])
    close = np.array(
        [1 - _grade(share, APART) if same else 1.0 for share, same in zip(apart.tolist(), level.tolist(), strict=True)]
    )
    a, b = prose[left], prose[right]
    both, one, neither = a * b, a + b - 2 * a * b, (1 - a) * (1 - b)
    both, one = both * close, one + both * (1 - close)
    evidence = (
        both * np.where(level, BOTH_PROSE_LEVEL, BOTH_PROSE)
        + one * np.where(level, ONE_PROSE_LEVEL, ONE_PROSE)
        + neither * np.where(level, NO_PROSE_LEVEL, NO_PROSE)
    )
    return Pairs(left, right, evidence)


def _blocks(lines: Lines) -> list[list[int]]:
    """Runs of lines of one size straight below each other, closely set, flush on the left but for indents.

    Nearest neighbours that choose each other, as in O'Gorman's docstrum (IEEE PAMI 15, 1993), on whole lines.
    """
    height = _smaller(lines.height)
    over = _overlap(lines.left, lines.right) > 0.3 * _smaller(lines.width)
    white = lines.top[None, :] - lines.bottom[:, None]
    below = over & (lines.y[None, :] > lines.y[:, None] + 0.4 * height) & (white < LEADING * height)
    drop = np.where(below, lines.y[None, :] - lines.y[:, None], np.inf)
    next_, previous = drop.argmin(axis=1), drop.argmin(axis=0)
    # a line with two beside each other under it spans columns: it belongs to neither
    alone = (drop < drop.min(axis=1, keepdims=True) + 0.5 * height).sum(axis=1) == 1
    alone_above = (drop < drop.min(axis=0, keepdims=True) + 0.5 * height).sum(axis=0) == 1
    everyone = np.arange(len(next_))
    linked = below[everyone, next_] & (previous[next_] == everyone) & alone & alone_above[next_]
    linked &= height[everyone, next_] >= SAME_SIZE * np.maximum(lines.height, lines.height[next_])
    linked &= np.abs(lines.left - lines.left[next_]) <= INDENT * height[everyone, next_]
    blocks: list[list[int]] = []
    block_of: dict[int, list[int]] = {}
    for i in np.argsort(lines.y, kind="stable").tolist():
        block = block_of.get(i)
        if block is None:
            blocks.append(block := [])
        block.append(i)
        if linked[i]:
            block_of[int(next_[i])] = block
    return blocks


def _grade(value: float, bounds: tuple[float, float]) -> float:
    """0 up to the lower bound, 1 from the upper one on, in proportion between."""
    low, high = bounds
    return min(1.0, max(0.0, (value - low) / (high - low)))


def _overlap(start: Floats, end: Floats) -> Floats:
    """How much each two of n intervals share, shape (n, n); negative is the space between them."""
    return np.minimum(end[:, None], end[None, :]) - np.maximum(start[:, None], start[None, :])


def _smaller(lengths: Floats) -> Floats:
    """The smaller of each two of n lengths, shape (n, n)."""
    return np.minimum(lengths[:, None], lengths[None, :])
