"""Boxes that hold two lines of neighbouring columns, cut where the white space between the columns is.

Detection takes two lines for one where the gutter between them is hardly wider than a space. One such box tells
nothing; the gutter shows in the lines above and below it, all of which leave the same place free: they end before it,
begin behind it, or have a wide space there. Chance leaves a place free in a few lines, not in many below each other.
"""

from collections.abc import Iterator, Sequence
from statistics import median

import numpy as np
from msgspec import Struct

from ocr_engine.layout.cut import best_run, thin
from ocr_engine.layout.lines import Flags, Floats, Indices, Lines, grade

# Lengths are multiples of the height of the line in question.
GUTTER_SPACE = (0.2, 0.6)
"""White space between two words: a narrow one, one as wide as a gutter."""
GUTTER_ROOM = 0.3
"""How far a line's white space may be off the gutter: places of letters are rough."""
GUTTER_REACH = 1.5
"""Lines that end or begin so near to the gutter keep to it."""
MIN_PART_WIDTH = 4.0
"""Median width of the parts on each side: narrower ones are cells rather than lines of columns."""
SAME_GUTTER = 0.9
"""Parts of a gutter lie so near to each other: columns lean and bend."""

# What a line says for a gutter.
LEAVES_FREE, KEEPS_TO, CROSSES = 1.0, 0.5, -3.0
"""Has a space there, as wide as a gutter; ends before it or begins behind it; has letters there."""
MIN_GUTTER_EVIDENCE = 7.0
"""Evidence that makes a gutter. Rivers in running text reach 3, and 5 where they are wide."""
MIN_CONTINUED_EVIDENCE = 1.0
"""Evidence that makes more of a gutter which was found elsewhere on the page."""
WIDEST_SPACE = 0.75
"""A space this wide by the widest of its line may be a gutter's."""
MIN_WIDEST_SHARE = 0.5
"""Share of the lines with a space in a gutter, in which it is one of the widest."""
MIN_WIDTH_LEAD = 1.25
"""Width of a gutter's spaces by that of others in their line, in the median: 1.5 and more are seen, 1.0 of a river."""
LONE_LINE_SPACE = 0.45
"""Width of a space that is in a gutter even where little else is there: in fewer than `FEW_GUTTER_LINES` lines, or in
a line apart from the others, which may be a heading or a footer over both columns."""
FEW_GUTTER_LINES = 4
LONE_LINE_DISTANCE = 2.0
"""Distance from the next line of those that keep to the gutter, from which a line is apart."""
MIN_YES = 0.75
"""Of what a line says, under which it says no: its space there is as narrow as any."""
MAX_NO_SHARE = 0.5
"""Of the lines of a block may say no: .4 loses the narrowest gutters of ragged columns."""
SAME_END = 1.0
MAX_BLOCK_PITCH, MAX_BLOCK_REACH = 1.8, 6.0
"""Lines of a block begin, and end, within that of each other; from one to the next; from the first to the last seen."""
MAX_GUTTERS = 16
"""Gutters of a page, and parts of one, that are looked for: with `MAX_PLACES` it bounds the work."""
MAX_PLACES = 400
"""Places across a page where a gutter is looked for."""


class Piece(Struct, frozen=True):
    """A part of a line: its characters from `first` up to `last`, and its ends by the width of the line, 0 to 1."""

    line: int
    first: int
    last: int
    begins: float = 0.0
    ends: float = 1.0
    row: int = 0
    """Its row on the page, from 1 down the reading order: what stands level and is read together has one number."""


class _Spaces(Struct, frozen=True):
    """m spaces between words, each array of shape (m,)."""

    line: Indices
    left: Floats
    right: Floats
    behind: Indices
    """The character that follows."""
    width: Floats
    """By the height of the line."""
    share: Floats
    """Width by that of the widest of the line."""
    lead: Floats
    """Width by the mean of the others of the line; infinite where there are none."""


class _Gutter(Struct, frozen=True):
    """A part of a gutter, as far as nothing crosses it."""

    x: float
    evidence: float
    spaces: Indices
    """Those in it, one a line at most."""
    lines: Indices
    """The lines of those."""


def pieces(lines: Lines, texts: Sequence[str], places: Sequence[Sequence[float]]) -> list[Piece]:
    """The lines, those that reach over gutters in pieces from left to right.

    `places`: the middle of each character of each line, by the width of the line, 0 to 1; without them it stays whole.
    """
    spaces = _spaces(lines, texts, places)
    cuts: dict[int, dict[int, tuple[float, float]]] = {}
    for gutter in _gutters(lines, spaces):
        for line, space in zip(gutter.lines.tolist(), gutter.spaces.tolist(), strict=True):
            # where letters stand is known roughly: no piece may reach over the gutter
            ends, begins = min(spaces.left[space], gutter.x), max(spaces.right[space], gutter.x)
            cuts.setdefault(line, {})[int(spaces.behind[space])] = (float(ends), float(begins))
    found = []
    for i, text in enumerate(texts):
        first, begins = 0, 0.0
        for behind, (left, right) in sorted(cuts.get(i, {}).items()):
            ends, next_begins = (float((x - lines.left[i]) / lines.width[i]) for x in (left, right))
            found.append(Piece(i, first, behind, begins, ends))
            first, begins = behind, next_begins
        found.append(Piece(i, first, len(text), begins))
    return found


def _spaces(lines: Lines, texts: Sequence[str], places: Sequence[Sequence[float]]) -> _Spaces:
    found = [np.zeros((7, 0))]
    for i, (text, where) in enumerate(zip(texts, places, strict=True)):
        letters = np.array([k for k, character in enumerate(text) if character != " "])
        steps = np.diff(letters)
        within, between = steps == 1, steps > 1
        if not where or not within.any() or not between.any():
            continue
        x = lines.left[i] + np.array(where)[letters] * lines.width[i]
        # places are as coarse as the steps of the model's output: a mean tells the pitch, a median would not
        white = np.maximum(np.diff(x) - np.diff(x)[within].mean(), 0.0)[between]
        middle = ((x[1:] + x[:-1]) / 2)[between]
        owner, share = np.full(len(white), i), white / max(1.0, white.max())
        width, behind = white / lines.height[i], letters[1:][between]
        lead = white * (len(white) - 1) / np.maximum(white.sum() - white, 1.0) if len(white) > 1 else [np.inf]
        found.append(np.array([owner, middle - white / 2, middle + white / 2, behind, width, share, lead]))
    line, left, right, behind, width, share, lead = np.concatenate(found, axis=1)
    return _Spaces(line.astype(np.intp), left, right, behind.astype(np.intp), width, share, lead)


def _gutters(lines: Lines, spaces: _Spaces) -> list[_Gutter]:
    """The gutters that lines reach over, the surest first, of rivals for the same lines only the surer one."""
    height = float(np.median(lines.height))
    middles = (spaces.left + spaces.right) / 2
    places = thin(middles, max(GUTTER_ROOM * height, np.ptp(middles) / MAX_PLACES) if len(middles) else 0.0)
    down = np.argsort(lines.y, kind="stable")
    found = [gutter for x in places for gutter in _gutters_at(float(x), lines, spaces, down)]
    chosen: list[_Gutter] = []
    for gutter in sorted(found, key=lambda gutter: -gutter.evidence):
        sure = (other for other in chosen if other.evidence >= MIN_GUTTER_EVIDENCE)
        continues = any(abs(gutter.x - other.x) < SAME_GUTTER * height for other in sure)
        rivals = (other for other in chosen if abs(gutter.x - other.x) < MIN_PART_WIDTH * height)
        taken = any(np.isin(gutter.lines, other.lines).any() for other in rivals)
        if not taken and (continues or gutter.evidence >= MIN_GUTTER_EVIDENCE):
            chosen.append(gutter)
    return chosen[:MAX_GUTTERS]


def _gutters_at(x: float, lines: Lines, spaces: _Spaces, down: Indices) -> Iterator[_Gutter]:
    """Where down the page there may be a gutter at x, the surest first; `down`: the lines from top to bottom."""
    room, near = GUTTER_ROOM * lines.height, GUTTER_REACH * lines.height
    at = np.flatnonzero(np.maximum(spaces.left - x, x - spaces.right) <= room[spaces.line])
    at = at[np.argsort(-spaces.width[at], kind="stable")]
    at = at[np.unique(spaces.line[at], return_index=True)[1]]
    owner = spaces.line[at]
    gains = np.zeros(len(lines.y))
    gains += CROSSES * ((lines.left < x - room) & (lines.right > x + room))
    # cells of a table keep to any place
    wide = lines.width >= MIN_PART_WIDTH * lines.height
    gains[wide & (lines.right <= x + room) & (lines.right >= x - near)] = KEEPS_TO
    gains[wide & (lines.left >= x - room) & (lines.left <= x + near)] = KEEPS_TO
    gains[owner] = LEAVES_FREE * grade(spaces.width[at], GUTTER_SPACE)
    said = gains  # line by line, while `gains` goes from top to bottom
    rank = np.argsort(down)[owner]
    gains = gains[down]
    for _ in range(MAX_GUTTERS):
        evidence, first, last = best_run(gains)
        if evidence < MIN_CONTINUED_EVIDENCE:
            return
        gains[first : last + 1] = CROSSES
        mine = at[(rank >= first) & (rank <= last)]
        if not len(mine) or not _are_a_gutter(x, mine, lines, spaces):
            continue
        mine = mine[_agreed_on(spaces.line[mine], said, lines)]
        alone = len(mine) < FEW_GUTTER_LINES or _are_apart(spaces.line[mine], down[first : last + 1], lines)
        mine = mine[spaces.width[mine] >= np.where(alone, LONE_LINE_SPACE, GUTTER_SPACE[0])]
        if len(mine):
            yield _Gutter(x, evidence, mine, spaces.line[mine])


def _are_a_gutter(x: float, mine: Indices, lines: Lines, spaces: _Spaces) -> bool:
    # what few are goes first: it is asked of thousands of places
    if np.count_nonzero(spaces.share[mine] >= WIDEST_SPACE) < MIN_WIDEST_SHARE * len(mine):
        return False
    if _median(spaces.lead[mine]) < MIN_WIDTH_LEAD:
        return False
    owner = spaces.line[mine]
    parts = _median(x - lines.left[owner]), _median(lines.right[owner] - x)
    return min(parts) >= MIN_PART_WIDTH * _median(lines.height[owner])


def _median(values: Floats) -> float:
    """Of a few numbers, of which NumPy's takes ten times as long."""
    return float(median(values.tolist()))


def _agreed_on(some: Indices, gains: Floats, lines: Lines) -> Flags:
    """Which of some lines may be cut: hardly half of the lines of their block say no.

    A block: lines that begin and end at the same places, closely set. `gains` (n,): what each line says for the gutter.
    """
    agreed = np.zeros(len(some), dtype=bool)
    for k, i in enumerate(some.tolist()):
        height = lines.height[i]
        alike = np.flatnonzero(
            (np.abs(lines.left - lines.left[i]) < SAME_END * height)
            & (np.abs(lines.right - lines.right[i]) < SAME_END * height)
            & (np.abs(lines.y - lines.y[i]) < MAX_BLOCK_REACH * height)
        )
        alike = alike[np.argsort(lines.y[alike], kind="stable")]
        number = np.concatenate(([0], np.cumsum(np.diff(lines.y[alike]) > MAX_BLOCK_PITCH * height)))
        block = alike[number == number[alike == i]]
        agreed[k] = np.mean(gains[block] < MIN_YES) <= MAX_NO_SHARE
    return agreed


def _are_apart(some: Indices, others: Indices, lines: Lines) -> Flags:
    """Which lines stand far above and below those around them; `others` from top to bottom."""
    y, height = lines.y[some], lines.height[some]
    around = np.concatenate(([-np.inf], lines.y[others], [np.inf]))
    above = around[np.searchsorted(around, y - height / 2) - 1]
    below = around[np.searchsorted(around, y + height / 2)]
    return np.asarray(np.minimum(y - above, below - y) > LONE_LINE_DISTANCE * height)
