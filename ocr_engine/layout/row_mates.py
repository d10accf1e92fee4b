"""Which lines of a row belong together: an item and its price, and not what only happens to stand level.

What stands beside running text is read with it only where it keeps to its lines, as the prices of a list do: most of
its column has to be level with a line there. A list of places beside an article, or a caption, goes its own way.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from ocr_engine.layout.cut import COUNTS_AS_PROSE
from ocr_engine.layout.evidence import SAME_ROW
from ocr_engine.layout.lines import Floats, Lines

# Lengths are multiples of the height of the lines in question.
MIN_COMPANY = 3
"""Lines of a column, below which it shows no way of its own."""
MIN_LEVEL_SHARE = 0.75
"""Share of them that is level with running text beside, from which it goes with that."""
BESIDE = 0.8
"""Lines whose middles differ by less stand beside each other, level or not."""
COMPANY_REACH = 12.0
"""So far up and down the page a column's lines are asked."""
LONG_CELL = 6.0
"""Wider lines say more than a price or a label does: beside running text they are captions, if not in step with it."""
MAX_SPREAD = 0.25
"""By which the distances of a column of such lines from the text's lines may differ: rows have all the same."""
MAX_LINE_PITCH = 1.8
"""From line to line of a paragraph."""
STACKED = 0.5
"""Lines that share more than this of the narrower one's width stand over each other."""


def mates(row: list[int], lines: Lines, prose: Floats) -> list[list[int]]:
    """The row, from left to right, cut between neighbours that are no cells of one row.

    A line beside one of prose, `prose` (n,) from 0 to 1, is none unless it stands level with it, and its column with
    that one's; nor are lines over each other, which are given from the top.
    """
    parts = [row[:1]]
    for left, right in pairwise(row):
        size = min(lines.height[left], lines.height[right])
        if _stacked(lines, left, right):
            parts.append([])
        elif lines.left[right] - lines.right[left] >= size:
            text, other = (left, right) if prose[left] >= prose[right] else (right, left)
            if prose[text] >= COUNTS_AS_PROSE and not _goes_with(other, text, lines):
                parts.append([])
        parts[-1].append(right)
    return sorted(parts, key=lambda part: lines.y[part[0]]) if _any_stacked(parts, lines) else parts


def _stacked(lines: Lines, a: int, b: int) -> bool:
    shared = min(lines.right[a], lines.right[b]) - max(lines.left[a], lines.left[b])
    return bool(shared > STACKED * min(lines.width[a], lines.width[b]))


def _any_stacked(parts: Sequence[Sequence[int]], lines: Lines) -> bool:
    return any(_stacked(lines, above[-1], below[0]) for above, below in pairwise(parts))


def _goes_with(other: int, text: int, lines: Lines) -> bool:
    """Whether a line is a cell beside the text: level with it, as most of its column that has text beside it is."""
    if abs(lines.y[other] - lines.y[text]) >= SAME_ROW * min(lines.height[other], lines.height[text]):
        return False
    near = np.abs(lines.y - lines.y[other]) < COMPANY_REACH * lines.height[other]
    over_text = (lines.left < lines.right[text]) & (lines.right > lines.left[text])
    shared = np.minimum(lines.right, lines.right[other]) - np.maximum(lines.left, lines.left[other])
    company = near & ~over_text & (shared > STACKED * np.minimum(lines.width, lines.width[other]))
    column = near & over_text
    asked = np.flatnonzero(company)
    below = lines.y[asked][:, None] - lines.y[column]
    below = below / np.minimum(lines.height[asked][:, None], lines.height[column])
    below = below[np.arange(len(asked)), np.abs(below).argmin(axis=1)]
    beside = below[np.abs(below) < BESIDE]
    is_long = lines.width[other] >= LONG_CELL * lines.height[other]
    if is_long and (_is_within(text, lines) if len(beside) < MIN_COMPANY else np.ptp(beside) > MAX_SPREAD):
        return False
    return bool(
        len(beside) < MIN_COMPANY or np.count_nonzero(np.abs(beside) < SAME_ROW) >= MIN_LEVEL_SHARE * len(beside)
    )


def _is_within(text: int, lines: Lines) -> bool:
    """Whether lines of its paragraph stand above it and below."""
    shared = np.minimum(lines.right, lines.right[text]) - np.maximum(lines.left, lines.left[text])
    below = (lines.y - lines.y[text]) / lines.height[text]
    near = (shared > STACKED * lines.width[text]) & (np.abs(below) < MAX_LINE_PITCH) & (np.abs(below) > STACKED)
    return bool((below[near] < 0).any() and (below[near] > 0).any())
