"""Cutting a page into columns where the evidence asks for it, and reading what is left row by row."""

from collections.abc import Sequence

import numpy as np
from msgspec import Struct

from ocr_engine.layout.blocks import MAX_LEADING, PROSE_HINT, across_two
from ocr_engine.layout.evidence import Pairs
from ocr_engine.layout.lines import Flags, Floats, Indices, Lines

LINE_CORE = 0.6
"""Share of a line's height, in its middle, that counts when lines above each other are told apart: boxes overlap."""
EDGE_REACH = 0.3
"""How far, in line heights, a box may reach over the edge of its column."""
MIN_COLUMN_EVIDENCE = 2.5
"""Evidence that makes a column: about three lines of prose beside three others."""
TABLE_PATIENCE = 0.5
"""Share of a column's evidence that a table at its end may speak against: tables in columns are common."""
COUNTS_AS_PROSE = 0.5
"""From here on a line counts as prose where only yes or no will do."""
HEADLINE_HEIGHT = 1.6
"""Height, by that of the text, from which a line alone across much of the region is a headline."""
HEADLINE_WIDTH = 0.4
"""That much: a share of the region's width. The white space beside a headline belongs to it."""
MAX_DETOURS = 0.15
"""Share of the lines beside a cut that it may lead around: a quotation set between two columns, not a third column."""
DETOUR_COST = 0.3
"""What it costs to lead a cut around a line: more than it would gain by leaving out a pair that speaks against it."""
MAX_COLUMN_OVERHANG = 1.5
"""How far, in its height, a line of a column on a skewed page may reach over the edge of its column."""
MAX_DECK_GAP = 3.0
"""White space, by that between lines, that the lines of a deck over the beginning of columns may have above them."""
NO_CUT = -1e6
"""Evidence of a line that crosses the place of a cut."""
ROW_REACH = (0.5, 0.35)
"""A line joins a row whose middle is nearer than the larger of: the first by the height of the smaller of the two,
the second by that of the larger. Small print beside large print need not be level with its middle."""
STACKED_SHARE = 0.5
"""Two lines stand under each other where they share more than this of the narrower one's width, and their middles are
this much of the smaller one's height apart."""


class Cut(Struct, frozen=True):
    """A vertical cut at x `place` through the bands `first` to `last`."""

    tall: float
    total: float
    place: float
    first: int
    last: int


class Cutter:
    """Orders the n lines of one page, whose `prose` is of shape (n,), 0 to 1; places and gaps in pixels.

    A region (k,) holds indices of lines, `band` (k,) the number of the band that each stands in, `gains` one number a
    band: the evidence, as `Pairs` has it, for a cut through it.
    """

    def __init__(self, lines: Lines, prose: Floats, pairs: Pairs, blocks: Sequence[Indices]) -> None:
        self._lines = lines
        self._prose = prose
        self._pairs = pairs
        self._reach = EDGE_REACH * float(np.median(lines.height))
        self._merged = across_two(lines, prose)
        self._gap = MAX_LEADING * float(np.median(lines.height))
        self._block = np.zeros(len(prose), dtype=np.intp)
        """The number of each line's block."""
        for number, block in enumerate(blocks):
            self._block[block] = number

    def order(self, region: Indices) -> list[list[int]]:
        """The region's lines in reading order, in rows: those that are read as one row, from left to right, in one."""
        if not len(region):
            return []
        band = bands(self._lines, region)
        cut = self._best_cut(region, band)
        if cut is None:
            return rows(self._lines, region)
        within = (band >= cut.first) & (band <= cut.last)
        aside = within & self._between(region, cut.place)
        on_left = (self._lines.x[region] < cut.place) | (self._crossing(region, cut.place) & self._merged[region])
        deck = aside & self._starts(region, within, aside)
        left, right = within & on_left & ~aside, within & ~on_left & ~aside
        parts = (band < cut.first, deck, left, aside & ~deck, right, band > cut.last)
        if any(part.all() for part in parts):
            return rows(self._lines, region)
        return [row for part in parts for row in self.order(region[part])]

    def _best_cut(self, region: Indices, band: Indices) -> Cut | None:
        """The tallest of the cuts that the evidence asks for."""
        lines, pairs = self._lines, self._pairs
        band_of = np.full(len(lines.left), -1)
        band_of[region] = band
        ours = (band_of[pairs.left] >= 0) & (band_of[pairs.right] >= 0)
        left, right, evidence = pairs.left[ours], pairs.right[ours], pairs.evidence[ours]
        hopeful = evidence > 0
        if evidence[hopeful].sum() < MIN_COLUMN_EVIDENCE:
            return None
        count = int(band.max()) + 1
        best: Cut | None = None
        headlines = self._headlines(region, band)
        gives_way = self._giving_way(left, right)
        for place in thin(np.concatenate([lines.left[right[hopeful]], lines.right[left[hopeful]]]), self._reach):
            crossing = self._between(region, place)
            parted = (lines.right[left] <= place + self._reach) & (lines.left[right] >= place - self._reach)
            gains = _by_band(band_of[left], parted * evidence, count)
            gains[headlines] = NO_CUT
            around = gains.copy()
            around -= DETOUR_COST * np.bincount(band[crossing], minlength=count)
            around[band[crossing & ~gives_way[region]]] = NO_CUT
            gains[band[crossing]] = NO_CUT
            said = around
            total, first, last = best_run(said)
            if np.mean(crossing[(band >= first) & (band <= last)]) > MAX_DETOURS:
                said = gains
                total, first, last = best_run(said)
            if total < MIN_COLUMN_EVIDENCE:
                continue
            # a deck stands over the beginning of columns: they do not begin below it for that
            open_to = said > NO_CUT / 2
            settled = np.where(open_to, _by_band(band_of[left], parted * pairs.settled[ours], count), NO_CUT)
            first, last = self._with_ends(region, band, settled, first, last, TABLE_PATIENCE * total)
            inside = region[(band >= first) & (band <= last)]
            tall = float(lines.bottom[inside].max() - lines.top[inside].min())
            if best is None or (tall, total) > (best.tall, best.total):
                best = Cut(tall, total, float(place), first, last)
        return best

    def _giving_way(self, left: Indices, right: Indices) -> Flags:
        """Which of all lines a cut may lead around: blocks with prose on both sides, given the pairs of neighbours.

        A deck, a quotation, a caption: as a whole, also where one of its lines has nothing beside it.
        """
        beside_prose = np.zeros((2, len(self._prose)), dtype=bool)
        beside_prose[0, right[self._prose[left] >= PROSE_HINT]] = True
        beside_prose[1, left[self._prose[right] >= PROSE_HINT]] = True
        found = np.bincount(self._block, weights=np.logical_and(*beside_prose))
        return np.asarray(found[self._block] > 0, bool)

    def _between(self, region: Indices, place: float) -> Flags:
        """Which lines of the region belong to neither side of x `place`.

        A line of a column on a skewed page may reach over its edge a little; not all of its block does.
        """
        crossing = self._crossing(region, place)
        over = np.minimum(place - self._lines.left[region], self._lines.right[region] - place)
        block = self._block[region]
        in_column = (np.bincount(block, weights=~crossing) > 0)[block] & (
            over < MAX_COLUMN_OVERHANG * self._lines.height[region]
        )
        return np.asarray(crossing & ~self._merged[region] & ~in_column, bool)

    def _starts(self, region: Indices, within: Flags, aside: Flags) -> Flags:
        """Of what is led around, the lines that stand at the head of the columns, one close below the other."""
        lines, head = self._lines, np.zeros(len(region), dtype=bool)
        reach = float(lines.top[region[within]].min())
        for i in sorted(np.flatnonzero(aside), key=lambda i: float(lines.top[region[i]])):
            if lines.top[region[i]] > reach + MAX_DECK_GAP * self._gap:
                break
            head[i], reach = True, float(lines.bottom[region[i]])
        return head

    def _crossing(self, region: Indices, place: float) -> Flags:
        """Which lines of the region reach over both sides of x `place`."""
        left, right = self._lines.left[region], self._lines.right[region]
        return (left < place - self._reach) & (right > place + self._reach)

    def _headlines(self, region: Indices, band: Indices) -> Indices:
        """The bands that hold nothing but a headline over several columns."""
        lines = self._lines
        text = np.median(lines.height[region])
        spread = lines.right[region].max() - lines.left[region].min()
        large = (lines.height[region] >= HEADLINE_HEIGHT * text) & (lines.width[region] >= HEADLINE_WIDTH * spread)
        large &= self._prose[region] < COUNTS_AS_PROSE  # such is a quotation set in large print, within its column
        return np.flatnonzero((np.bincount(band) == 1) & (np.bincount(band, weights=large) == 1))

    def _with_ends(
        self, region: Indices, band: Indices, gains: Floats, first: int, last: int, patience: float
    ) -> tuple[int, int]:
        """The run together with the rest of the columns above and below it.

        What follows closely belongs to them, unless it asks to be read in rows as loudly as columns must ask for a cut.
        Prose with nothing beside it belongs to them even behind a gap, such as that of a picture; so does its heading.
        """
        top = np.full(len(gains), np.inf)
        bottom = np.full(len(gains), -np.inf)
        np.minimum.at(top, band, self._lines.top[region])
        np.maximum.at(bottom, band, self._lines.bottom[region])
        gap = top[1:] - bottom[:-1]
        solid = np.zeros(len(gains), dtype=bool)
        solid[band[self._prose[region] >= COUNTS_AS_PROSE]] = True
        last = last + self._extent(gains[last + 1 :], gap[last:], solid[last + 1 :], patience)
        first = first - self._extent(gains[:first][::-1], gap[:first][::-1], solid[:first][::-1], patience)
        return first, last

    def _extent(self, gains: Floats, gap: Floats, solid: Flags, patience: float) -> int:
        """How many of the bands beside a run belong to it: those behind a gap only as far as there is prose."""
        total, extent, behind_gap = 0.0, 0, False
        for i, gain in enumerate(gains):
            behind_gap |= bool(gap[i] > self._gap)
            if gain == NO_CUT or (behind_gap and gain != 0):
                break
            total += gain
            if total <= -max(MIN_COLUMN_EVIDENCE, patience):
                return 0
            behind_gap &= not solid[i]
            if not behind_gap:
                extent = i + 1
        return extent


def _by_band(band: Indices, values: Floats, count: int) -> Floats:
    """The sum of the values (m,) in each of `count` bands, shape (count,)."""
    return np.bincount(band, weights=values, minlength=count).astype(np.float64)


def best_run(gains: Floats) -> tuple[float, int, int]:
    """Sum, first and last index of the run with the largest sum, the shortest of equals (Kadane's algorithm)."""
    before = np.concatenate(([0.0], np.cumsum(gains)))
    least = np.minimum.accumulate(before[:-1])
    sums = before[1:] - least
    last = int(sums.argmax())
    first = int(np.flatnonzero(before[: last + 1] == least[last])[-1])
    return float(sums[last]), first, last


def bands(lines: Lines, region: Indices) -> Indices:
    """A number for each line of the region, shape (k,), from the top: lines that no level cut can part share one."""
    core = LINE_CORE / 2 * lines.height[region]
    top, bottom = lines.y[region] - core, lines.y[region] + core
    order = np.argsort(top, kind="stable")
    reached = np.maximum.accumulate(bottom[order])
    number = np.concatenate([[0], np.cumsum(top[order][1:] > reached[:-1])])
    result = np.empty(len(region), dtype=np.intp)
    result[order] = number
    return result


def rows(lines: Lines, region: Indices) -> list[list[int]]:
    """The indices of the region's lines (k,), row by row, each from left to right."""
    found: list[list[int]] = []
    middle, height = lines.y.tolist(), lines.height.tolist()
    of_smaller, of_larger = ROW_REACH
    for line in region[np.argsort(lines.y[region], kind="stable")].tolist():
        if found:
            row = found[-1]
            usual_middle = sum(middle[i] for i in row) / len(row)
            usual_height = sum(height[i] for i in row) / len(row)
            near = max(of_smaller * min(height[line], usual_height), of_larger * max(height[line], usual_height))
            # beside a line of large print several small ones may stand below each other
            if middle[line] - usual_middle < near and not any(_below(lines, line, other) for other in row):
                row.append(line)
                continue
        found.append([line])
    return [sorted(row, key=lines.left.__getitem__) for row in found]


def _below(lines: Lines, line: int, other: int) -> bool:
    """Whether a line stands under the other rather than beside it."""
    shared = min(lines.right[line], lines.right[other]) - max(lines.left[line], lines.left[other])
    stacked = shared > STACKED_SHARE * min(lines.width[line], lines.width[other])
    drop = lines.y[line] - lines.y[other]
    return bool(stacked and drop > STACKED_SHARE * min(lines.height[line], lines.height[other]))


def thin(places: Floats, apart: float) -> Floats:
    """The places, pixels, sorted, none within `apart` of the one before it."""
    kept: list[float] = []
    for place in np.sort(places):
        if not kept or place > kept[-1] + apart:
            kept.append(float(place))
    return np.array(kept)
