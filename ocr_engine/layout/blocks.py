"""Blocks of running text: which lines follow each other, and how much like prose they look."""

from collections.abc import Sequence

import numpy as np

from ocr_engine.layout.lines import RELUCTANCE, Floats, Indices, Lines, grade, overlap, smaller

# All lengths are multiples of the height of the lines in question: print has no other scale.
LEADING = 1.3
"""Most white space between two lines of one block."""
SAME_SIZE = 0.65
"""Least ratio of the heights of two lines of one block."""
INDENT = 3.0
"""Most that lines of one block differ on the left."""
WINDOW = 3
"""A line is judged with so many above and below it: a block may run from one kind of text into another."""
COLUMN = (4.0, 9.0)
"""Width of a block: certainly too narrow for prose, certainly wide enough (a newspaper's columns have about 12)."""
FULL = (0.7, 0.92)
"""Width of a line by that of its block: certainly short, certainly full."""
FILLED = (0.25, 0.7)
"""Share of full lines in a block: as in lists and cells, as in prose (the last lines of paragraphs are short)."""
ENOUGH = (0.0, 0.25, 0.5, 0.75, 1.0)
"""How much a block of 1, 2, 3, 4 lines can say, or of more."""
LONG = 4
"""Half the lines of a block whose left edge tells how the page leans."""
EDGE = 0.5
"""Edges of lines that are alike differ by less."""
ALIKE = (2, 6)
"""Others that begin and end as a line does: may be chance, must be a column."""


def blocks(lines: Lines) -> list[Indices]:
    """Runs of lines of one size straight below each other, closely set, flush on the left but for indents.

    Nearest neighbours that choose each other, as in O'Gorman's docstrum (IEEE PAMI 15, 1993), on whole lines.
    """
    height = smaller(lines.height)
    over = overlap(lines.left, lines.right) > 0.3 * smaller(lines.width)
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
    found: list[list[int]] = []
    block_of: dict[int, list[int]] = {}
    for i in np.argsort(lines.y, kind="stable").tolist():
        block = block_of.get(i)
        if block is None:
            found.append(block := [])
        block.append(i)
        if linked[i]:
            block_of[int(next_[i])] = block
    return [np.array(block) for block in found]


def prose(lines: Lines, blocks: Sequence[Indices]) -> Floats:
    """How much each line looks like part of running text, 0 to 1, shape (n,).

    Lines of prose fill their block, or begin and end where many others do.
    """
    verdict = _in_step(lines)
    for block in blocks:
        width = lines.width[block]
        near = _around(width)
        widest, count = near.max(axis=1), np.count_nonzero(near, axis=1)
        full = _around(grade(width / widest, FULL)).sum(axis=1) / count
        wide = grade(widest / np.median(lines.height[block]), COLUMN)
        enough = np.array(ENOUGH)[np.minimum(count, len(ENOUGH)) - 1]
        verdict[block] = np.maximum(verdict[block], grade(full, FILLED) * wide * enough)
    return verdict


def plumb(lines: Lines, blocks: Sequence[Indices]) -> Lines:
    """The lines moved sideways so that columns stand upright: on a photograph they lean, and more so towards its sides.

    The lean is taken to change in proportion to x; it is fitted to the left edges of the long blocks by least squares.
    """
    leans, places, weights = [], [], []
    for block in blocks:
        half = len(block) // 2
        if half >= LONG:
            rise = lines.y[block[half:]] - lines.y[block[:-half]]
            leans.append(float(np.median((lines.left[block[half:]] - lines.left[block[:-half]]) / rise)))
            places.append(float(lines.left[block].mean()))
            weights.append(float(len(block)))
    if not leans:
        return lines
    middle, spread = float(np.mean(lines.x)), float(np.ptp(lines.x)) / 2 + 1
    terms = np.stack([np.ones(len(leans)), (np.array(places) - middle) / spread], axis=1)
    weight = np.array(weights)
    pull = np.diag([0.0, RELUCTANCE * weight.sum()])
    lean, fan = np.linalg.solve(terms.T @ (terms * weight[:, None]) + pull, terms.T @ (weight * np.array(leans)))
    shift = (lines.y - lines.y.mean()) * (lean + fan * (lines.x - middle) / spread)
    return Lines(lines.left - shift, lines.top, lines.right - shift, lines.bottom)


def _around(values: Floats) -> Floats:
    """Each value with its neighbours on both sides, shape (n, 2 * WINDOW + 1), 0 where there are none."""
    return np.asarray(np.lib.stride_tricks.sliding_window_view(np.pad(values, WINDOW), 2 * WINDOW + 1))


def _in_step(lines: Lines) -> Floats:
    """How much each line looks like one of many that begin and end alike, as in justified columns, 0 to 1."""
    near = EDGE * smaller(lines.height)
    alike = (np.abs(lines.left[:, None] - lines.left[None, :]) < near) & (
        np.abs(lines.right[:, None] - lines.right[None, :]) < near
    )
    return grade(alike.sum(axis=1) - 1, ALIKE) * grade(lines.width / lines.height, COLUMN)
