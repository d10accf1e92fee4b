"""Indexes and lists of contents that are set in columns: entries that end in the numbers of pages.

To the eye of `evidence` they are tables: short lines, level with each other. What tells them apart is what they say:
text and numbers of pages, beside other such entries, row after row. The numbers that detection found apart from their
text become one line with it, and an entry counts as prose.
"""

import re
from collections.abc import Callable, Sequence

import numpy as np
from msgspec import Struct

from ocr_engine.layout.lines import Flags, Floats, Indices, Lines, group_min, pairs_within

_NUMBERS = r"\d{1,4}(?:\s*(?:[,;–—-]|\.\s)\s*\d{1,4})*"
ONLY_NUMBERS = re.compile(rf"[\s.,·…'\"“”^]*{_NUMBERS}[\s.,·…]*")
"""The numbers of some pages, and what was read of the dots before them. Nothing with decimals: those are prices."""
ENTRY = re.compile(rf".*[^\W\d_].*[\s.,·…](?<!\d\.){_NUMBERS}[\s.,·…]*", re.DOTALL)
"""Something with a letter in it, and the numbers of some pages."""
LETTER = re.compile(r"[^\W\d_]")

# Lengths are multiples of the height of the line in question.
ENTRY_FLUSH = 0.6
"""Entries of one column begin, or end, within this of each other."""
ENTRY_REACH = 15.0
"""Entries so far up and down the page are compared."""
MAX_ENTRY_INDENT = 4.0
"""Most that entries of one column are indented."""
MIN_COMPANIONS = 4
"""Others near an entry that begin or end as it does."""
ENTRY_ROW = 0.7
"""Lines whose middles differ by less stand beside each other."""
MAX_ENTRY_OVERLAP = 0.3
"""Most that boxes beside each other overlap."""
MIN_INDEX_ENTRIES = 8
"""Entries with another one beside them that make an index: keys and values on forms come in fewer."""
MAX_INDEX_LINES = 2000
"""Lines of a page with an index, which bounds the work: pairs of them are looked at."""


class Entries(Struct, frozen=True):
    """A page on which each entry is one line; k lines."""

    lines: Lines
    members: list[list[int]]
    """What each of them is made of, from left to right: every line of the page in exactly one."""
    certain: Flags
    """Shape (k,): which are entries, or go on with the numbers of one."""


def entries(lines: Lines, texts: Sequence[str]) -> Entries | None:
    """The lines of a page with an index or a list of contents in columns; nothing for any other page."""
    number = _matching(ONLY_NUMBERS.fullmatch, texts)
    entry = _matching(ENTRY.fullmatch, texts)
    if np.count_nonzero(number | entry) < 2 * MIN_INDEX_ENTRIES or len(texts) > MAX_INDEX_LINES:
        return None
    worded = _matching(LETTER.search, texts)
    number &= _companions(lines, number, lines.right) >= MIN_COMPANIONS
    owner = _owners(lines, number, worded)
    ending, apart = np.flatnonzero(owner >= 0), owner < 0
    right = lines.right.copy()
    np.maximum.at(right, owner[ending], lines.right[ending])
    entry[owner[ending]] = True
    flush = np.maximum(_companions(lines, entry, lines.left), _companions(lines, entry, right))
    certain = entry & (flush >= MIN_COMPANIONS)
    # the first line of an entry whose numbers stand under it, and those numbers
    certain |= worded & (_companions(lines, certain, lines.left) >= MIN_COMPANIONS)
    # those that go on with an entry above them; a table's running numbers, say, end where no entry does
    continued = number & apart & (_companions(lines, entry, right) >= 1)
    i, j = _beside(lines, right)
    if len(np.unique(i[(certain | continued)[i] & certain[j]])) < MIN_INDEX_ENTRIES:
        return None
    certain |= continued
    kept = np.flatnonzero(apart)
    members = {i: [i] for i in kept.tolist()}
    for i in ending[np.argsort(lines.left[ending])].tolist():
        members[int(owner[i])].append(i)
    return Entries(
        lines=Lines(lines.left[kept], lines.top[kept], right[kept], lines.bottom[kept]),
        members=[*members.values()],
        certain=certain[kept],
    )


def _matching(matches: Callable[[str], object], texts: Sequence[str]) -> Flags:
    return np.array([matches(text) is not None for text in texts], dtype=bool)


def _owners(lines: Lines, number: Flags, worded: Flags) -> Indices:
    """For each line (n,) that is nothing but numbers the text that it ends, the nearest thing on its left; else -1."""
    i, j = _beside(lines, lines.right)
    gap = lines.left[j] - lines.right[i]
    ends = (gap == group_min(j, gap, len(number))[j]) & number[j] & worded[i]
    owner = np.full(len(number), -1, dtype=np.intp)
    owner[j[ends]] = i[ends]
    # one that goes on with an entry above it may stand level with an entry of the column before
    begins = np.where(owner >= 0, lines.left[owner], np.inf)
    i, j = _alike(lines, lines.right)
    both = (owner[i] >= 0) & (owner[j] >= 0)
    further = begins[i] < begins[j] - MAX_ENTRY_INDENT * lines.height[i]
    share = np.bincount(i[both], weights=further[both], minlength=len(owner))
    owner[share > np.bincount(i[both], minlength=len(owner)) / 2] = -1
    return owner


def _beside(lines: Lines, right: Floats) -> tuple[Indices, Indices]:
    """Pairs of lines on one level, the second on the right of the first, which ends at `right`."""
    i, j = pairs_within(lines.y, ENTRY_ROW * lines.height)
    beside = (lines.left[j] > right[i] - MAX_ENTRY_OVERLAP * lines.height[i]) & (lines.x[j] > lines.x[i])
    return i[beside], j[beside]


def _companions(lines: Lines, some: Flags, edge: Floats) -> Indices:
    """For each line (n,) how many others of some, not far above or below it, have an edge at the same place."""
    i, j = _alike(lines, edge)
    return np.asarray(np.bincount(i[some[j] & (i != j)], minlength=len(some)), np.intp)


def _alike(lines: Lines, edge: Floats) -> tuple[Indices, Indices]:
    """Pairs of lines, not far above or below each other, that have an edge at the same place."""
    i, j = pairs_within(lines.y, ENTRY_REACH * lines.height)
    alike = np.abs(edge[i] - edge[j]) < ENTRY_FLUSH * lines.height[i]
    return i[alike], j[alike]
