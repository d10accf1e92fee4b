"""Blocks of running text: which lines follow each other, and how much like prose they look."""

from collections.abc import Sequence

import numpy as np

from ocr_engine.layout.lines import (
    FLATNESS_PULL,
    MAX_BEND,
    Flags,
    Floats,
    Indices,
    Lines,
    grade,
    group_min,
    pairs_within,
)

# All lengths are multiples of the height of the lines in question: print has no other scale.
MAX_LEADING = 1.3
"""Most white space between two lines of one block."""
TIGHT_LEADING = 1.0
"""Most white space between lines that certainly belong together."""
PROSE_HINT = 0.2
"""Prose enough for a line to be taken for part of a column where other things speak for that, too."""
SAME_SIZE = 0.65
"""Least ratio of the heights of two lines of one block."""
MAX_BLOCK_INDENT = 3.0
"""Most that lines of one block differ on the left."""
MIN_DROP = 0.4
"""A line is below another, not beside it, when its middle is at least this much lower."""
MIN_SHARED_WIDTH = 0.3
"""Lines below each other share at least this much of the shorter one's width."""
WINDOW = 3
"""A line is judged with so many above and below it: a block may run from one kind of text into another."""
PROSE_WIDTH = (4.0, 9.0)
"""Width of a block: certainly too narrow for prose, certainly wide enough (a newspaper's columns have about 12)."""
FULL_WIDTH = (0.7, 0.92)
"""Width of a line by that of its block: certainly short, certainly full."""
FULL_LINES = (0.25, 0.7)
"""Share of full lines in a block: as in lists and cells, as in prose (the last lines of paragraphs are short)."""
SHAPE_WEIGHTS = (0.0, 0.25, 0.5, 0.75, 1.0)
"""How much a block of 1, 2, 3, 4 lines can say, or of more."""
MIN_LEANING_LINES = 4
"""Half the lines of a block whose left edge tells how the page leans."""
MIN_FLUSH_SHARE = 0.6
"""Share of the lines of such a block that keep to that edge."""
PLUMB_TOLERANCE = 0.25
"""Edges that stand upright over each other differ by less."""
MIN_PLUMB_GAIN = 1.1
"""A page leans only where that many times as many edges stand over each other once it is set upright."""
SAME_EDGE = 0.5
"""Edges of lines that are alike differ by less."""
LINES_IN_STEP = (2, 6)
"""Others that begin and end as a line does: may be chance, must be a column."""


def find_blocks(lines: Lines) -> list[Indices]:
    """Indices of lines (k,) of one size straight below each other, closely set, flush on the left but for indents.

    Nearest neighbours that choose each other, as in O'Gorman's docstrum (IEEE PAMI 15, 1993), on whole lines.
    """
    n = len(lines.y)
    upper, lower = pairs_within(lines.y, (MAX_LEADING + 1) / SAME_SIZE * lines.height)
    size = np.minimum(lines.height[upper], lines.height[lower])
    shared = np.minimum(lines.right[upper], lines.right[lower]) - np.maximum(lines.left[upper], lines.left[lower])
    drop = lines.y[lower] - lines.y[upper]
    below = (drop > MIN_DROP * size) & (lines.top[lower] - lines.bottom[upper] < MAX_LEADING * size)
    below &= shared > MIN_SHARED_WIDTH * np.minimum(lines.width[upper], lines.width[lower])
    upper, lower, size, drop = upper[below], lower[below], size[below], drop[below]
    next_drop, previous_drop = group_min(upper, drop, n), group_min(lower, drop, n)
    # a line with two beside each other under it spans columns: it belongs to neither
    rivals_below = np.bincount(upper, weights=drop < next_drop[upper] + MIN_DROP * size, minlength=n)
    rivals_above = np.bincount(lower, weights=drop < previous_drop[lower] + MIN_DROP * size, minlength=n)
    linked = (drop == next_drop[upper]) & (drop == previous_drop[lower])
    linked &= (rivals_below[upper] == 1) & (rivals_above[lower] == 1)
    linked &= size >= SAME_SIZE * np.maximum(lines.height[upper], lines.height[lower])
    linked &= np.abs(lines.left[upper] - lines.left[lower]) <= MAX_BLOCK_INDENT * size
    following = dict(zip(upper[linked].tolist(), lower[linked].tolist(), strict=True))
    blocks = []
    for start in sorted({*range(n)} - {*following.values()}):
        block = [start]
        while (line := following.get(block[-1])) is not None:
            block.append(line)
        blocks.append(np.array(block))
    return blocks


def prose(lines: Lines, blocks: Sequence[Indices]) -> Floats:
    """How much each line looks like part of running text, 0 to 1, shape (n,).

    Lines of prose fill their block, or begin and end where many others do.
    """
    verdict = _in_step(lines)
    for block in blocks:
        widest, count, wide = surroundings(lines, block)
        full = around(grade(lines.width[block] / widest, FULL_WIDTH)).sum(axis=1) / count
        enough = np.array(SHAPE_WEIGHTS)[np.minimum(count, len(SHAPE_WEIGHTS)) - 1]
        verdict[block] = np.maximum(verdict[block], grade(full, FULL_LINES) * wide * enough)
    return verdict


def plumb(lines: Lines, blocks: Sequence[Indices]) -> Lines:
    """The lines moved sideways so that columns stand upright: on a photograph they lean, and more so towards its sides.

    The lean is taken to change in proportion to x; it is fitted to the left edges of the long blocks by least squares.
    Indented lists and code lean on upright pages, too: what does not make more edges stand upright is none.
    """
    leans, places, weights = [], [], []
    for block in blocks:
        half = len(block) // 2
        # the left edges of narrow blocks are those of numbers: centred, or flush on the right
        if half < MIN_LEANING_LINES or np.median(lines.width[block] / lines.height[block]) < PROSE_WIDTH[1]:
            continue
        rise = lines.y[block[half:]] - lines.y[block[:-half]]
        shift = lines.left[block[half:]] - lines.left[block[:-half]]
        lean = float(np.median(shift / rise))
        flush = np.abs(shift - lean * rise) < SAME_EDGE * lines.height[block[half:]]
        if abs(lean) < MAX_BEND and flush.mean() >= MIN_FLUSH_SHARE:
            leans.append(lean)
            places.append(float(lines.left[block].mean()))
            weights.append(float(len(block) ** 2))
    if not leans:
        return lines
    middle, spread = float(np.mean(lines.x)), float(np.ptp(lines.x)) / 2 + 1
    terms = np.stack([np.ones(len(leans)), (np.array(places) - middle) / spread], axis=1)
    weight = np.array(weights)
    pull = np.diag([0.0, FLATNESS_PULL * weight.sum()])
    lean, fan = np.linalg.solve(terms.T @ (terms * weight[:, None]) + pull, terms.T @ (weight * np.array(leans)))
    moved = (lines.y - lines.y.mean()) * (lean + fan * (lines.x - middle) / spread)
    upright = Lines(lines.left - moved, lines.top, lines.right - moved, lines.bottom)
    return upright if _aligned(upright) > MIN_PLUMB_GAIN * _aligned(lines) else lines


def _aligned(lines: Lines) -> int:
    """How many pairs of lines begin, or end, straight above each other."""
    slack = PLUMB_TOLERANCE * float(np.median(lines.height))
    count = 0
    for edge in (np.sort(lines.left), np.sort(lines.right)):
        count += int((np.searchsorted(edge, edge + slack) - np.searchsorted(edge, edge - slack)).sum())
    return count


def across_two(lines: Lines, prose: Floats) -> Flags:
    """Which boxes hold two lines of neighbouring columns: detection takes them for one where the gutter is narrow.

    Such a box has prose of two columns closely above it or below it. So has the line before two columns, or after them,
    where no space is left; little harm is done when that is read with the left one.
    """
    n = len(prose)
    i, j = pairs_within(lines.y, (TIGHT_LEADING + 1) / SAME_SIZE * lines.height)
    size = np.minimum(lines.height[i], lines.height[j])
    shared = np.minimum(lines.right[i], lines.right[j]) - np.maximum(lines.left[i], lines.left[j])
    close = (shared > MIN_SHARED_WIDTH * np.minimum(lines.width[i], lines.width[j])) & (prose[j] >= PROSE_HINT)
    close &= size >= SAME_SIZE * np.maximum(lines.height[i], lines.height[j])
    close &= (
        np.maximum(lines.top[i], lines.top[j]) - np.minimum(lines.bottom[i], lines.bottom[j]) < TIGHT_LEADING * size
    )
    found = np.zeros(n, dtype=bool)
    for side in (-1, 1):
        there = close & ((lines.y[j] - lines.y[i]) * side > MIN_DROP * size)
        # one of them ends before another begins
        found |= group_min(i[there], lines.right[j[there]], n) < -group_min(i[there], -lines.left[j[there]], n)
    return found


def surroundings(lines: Lines, block: Indices) -> tuple[Floats, Indices, Floats]:
    """Of the lines around each one of a block: the width of the widest, how many they are, and how surely that width is
    one of prose, 0 to 1."""
    near = around(lines.width[block])
    widest = near.max(axis=1)
    return widest, np.count_nonzero(near, axis=1), grade(widest / np.median(lines.height[block]), PROSE_WIDTH)


def around(values: Floats | Flags) -> Floats:
    """Each value with its neighbours on both sides, shape (n, 2 * WINDOW + 1), 0 where there are none."""
    return np.asarray(np.lib.stride_tricks.sliding_window_view(np.pad(values, WINDOW), 2 * WINDOW + 1))


def _in_step(lines: Lines) -> Floats:
    """How much each line looks like one of many that begin and end alike, as in justified columns, 0 to 1."""
    i, j = pairs_within(lines.left, SAME_EDGE * lines.height)
    alike = np.abs(lines.right[i] - lines.right[j]) < SAME_EDGE * lines.height[i]
    others = np.bincount(i, weights=alike, minlength=len(lines.left)) - 1
    return grade(others, LINES_IN_STEP) * grade(lines.width / lines.height, PROSE_WIDTH)
