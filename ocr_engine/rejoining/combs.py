"""Comb fields of forms: a letter for each cell of a row, which are one word and not as many as there are cells.

Found by their ink: strokes at one pitch on a level rule. What the cells hold is set side by side without the strokes,
and read as one line; grids of more rows are tables, and are left alone.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from ocr_engine.boxes import Quads, heights, in_middle
from ocr_engine.crops import Pixels
from ocr_engine.image.ink import components, from_paper
from ocr_engine.recognition.ctc import Read, Reading
from ocr_engine.rejoining.rows import Row, narrow, with_rows

_Rule = tuple[int, int, int, int]

MIN_CELLS, MAX_COMBS = 4, 64
"""Cells of a comb; combs of a page that are read, which bounds what a page of them costs."""
MIN_SINGLES, STROKE_SHARE = 3, 0.4
"""Signs that were read alone, on a page or in one box, or the share of upright strokes, that hint at combs."""
MIN_COMB_CONTRAST = 40
"""Levels of grey between rules and paper, at least."""
MIN_COMB_RULE = 3.0
"""Length of its rule, by the height of the page's boxes."""
MIN_COMB_STROKE = 0.4
"""Of its strokes, by the same height."""
CELL_WIDTHS = 0.4, 2.0
"""Width of its cells, by the same height, and by their own height the widest."""
UNEVEN = 0.12
"""By the pitch, how far cells may differ in width."""
GOES_ON = 0.3
"""By the same height, how far strokes go on beyond a rule where it is one of a grid."""
LID = 0.25
"""By the same height, how far the strokes may end from the rule above."""
OPEN_HEIGHT = 2.1
"""Height of a comb without a rule above, by that of its strokes."""
COMB_RIM = 2
"""Pixels around rules and strokes, which are grey."""
COMB_GAP = 0.16
"""Between letters that are set side by side, by the height of a line."""
SURE_COMB = 0.6
"""Confidence from which what was read in a comb stands."""


class Comb(Struct, frozen=True):
    """A row of cells, in pixels of the page."""

    top: int
    bottom: int
    strokes: tuple[int, ...]
    """The middle of each, from the left."""


def put_right(page: Pixels, quads: Quads, readings: Sequence[Reading], read: Read) -> tuple[Quads, list[Reading]]:
    """The boxes (n, 4, 2) of a page and their readings, one for each comb in place of those of its cells."""
    readings = [*readings]
    if not asked(readings):
        return quads, readings
    kept = np.ones(len(quads), bool)
    found: list[Row] = []
    for comb in find(page, float(np.median(heights(quads))))[:MAX_COMBS]:
        inside = in_middle(quads, quad(comb)) & kept
        cell = (comb.strokes[-1] - comb.strokes[0]) / (len(comb.strokes) - 1)
        within = (quads[:, :, 0].min(axis=1) > comb.strokes[0] - cell) & (
            quads[:, :, 0].max(axis=1) < comb.strokes[-1] + cell
        )
        # a box that holds what stands beside the comb, too, is left
        told = read_in(page, comb, read) if inside.any() and within[inside].all() else None
        if told is not None:
            kept &= ~inside
            found.append((quad(comb), told))
    return with_rows(quads, readings, kept, found)


def asked(readings: Sequence[Reading]) -> bool:
    """Whether what was read on a page hints at combs."""
    if sum(len(reading.text) == 1 for reading in readings) >= MIN_SINGLES:
        return True
    return any(_is_spaced(reading.text) for reading in readings)


def _is_spaced(text: str) -> bool:
    words = text.split()
    singles = sum(len(word) == 1 for word in words)
    strokes = sum(text.count(sign) for sign in "|I1l")
    return (singles >= MIN_CELLS and 2 * singles >= len(words)) or (
        len(text) >= 2 * MIN_CELLS and 5 * strokes >= 2 * len(text)
    )


def find(page: Pixels, unit: float) -> list[Comb]:
    """The combs of a page (H, W, 3) whose boxes are `unit` pixels high."""
    ink = _ink(page)
    length = max(8, round(MIN_COMB_RULE * unit))
    level = cv2.morphologyEx(ink, cv2.MORPH_OPEN, np.ones((1, length), np.uint8))
    stats = components(np.asarray(level, np.uint8))[2][1:]
    rules = [(x, y, x + w, y + h) for x, y, w, h, _ in stats.tolist() if h <= 0.3 * unit]
    found = (_comb(ink, rule, rules, unit) for rule in rules)
    return [comb for comb in found if comb is not None]


def _comb(ink: NDArray[np.uint8], rule: _Rule, rules: Sequence[_Rule], unit: float) -> Comb | None:
    """The comb that stands on a rule, if any."""
    left, upper, right, lower = rule
    left, right = max(0, left - COMB_RIM), min(ink.shape[1], right + COMB_RIM)
    high = round(MIN_COMB_STROKE * unit)
    if upper < high:
        return None
    strokes = _strokes(ink[upper - high : upper, left:right])
    if len(strokes) < MIN_CELLS + 1:
        return None
    pitches = np.diff(strokes)
    usual = float(np.median(pitches))
    if (
        not CELL_WIDTHS[0] * unit <= usual <= CELL_WIDTHS[1] * unit
        or np.abs(pitches - usual).max() > UNEVEN * usual + 1
    ):
        return None
    more = round(GOES_ON * unit)
    below = ink[lower : lower + more, left:right]
    if len(below) == more and _go_on(below, strokes):
        return None
    columns = [left + stroke for stroke in strokes]
    lengths = [_length(ink, column, upper) for column in columns]
    tall = int(np.median(lengths))
    top = upper - tall
    ends = columns[1], columns[-2]
    between = (each for each in rules if top + LID * unit < each[1] < upper - LID * unit)
    if any(each[0] < ends[0] and each[2] > ends[1] for each in between):
        return None
    if any(_is_lid(each, ends, top, unit) for each in rules):
        above = ink[max(0, top - 2 * more) : max(0, top - more), left:right]
        if len(above) and _go_on(above, strokes):
            return None
    else:
        top = max(0, round(upper - OPEN_HEIGHT * tall))
    if usual > CELL_WIDTHS[1] * (upper - top):
        return None
    return Comb(top, upper, tuple(columns))


def _is_lid(rule: _Rule, ends: tuple[int, int], top: int, unit: float) -> bool:
    """Whether a rule is the upper one of a comb that begins at `top`, over all but its outer cells."""
    x0, y0, x1, y1 = rule
    return abs(top - (y0 + y1) / 2) <= LID * unit and x0 < ends[0] and x1 > ends[1]


def _strokes(band: NDArray[np.uint8]) -> list[int]:
    """Columns of a band of ink (H, W) that are inked from its top to its end: the middle of each run of them."""
    full = band.mean(axis=0) >= 0.95
    edges = np.flatnonzero(np.diff(np.concatenate(([0], full, [0])))).reshape(-1, 2)
    return [int((begin + end - 1) // 2) for begin, end in edges]


def _go_on(band: NDArray[np.uint8], strokes: Sequence[int]) -> bool:
    """Whether most of the strokes run through a band of ink (H, W) beyond their rule."""
    through = _strokes(band)
    return 2 * sum(any(abs(other - stroke) <= COMB_RIM for other in through) for stroke in strokes) > len(strokes)


def _length(ink: NDArray[np.uint8], column: int, bottom: int) -> int:
    part = np.asarray(ink[:bottom, max(0, column - 1) : column + 2].max(axis=1)[::-1], np.uint8)
    return int(np.argmin(part)) if not part.all() else len(part)


def quad(comb: Comb) -> NDArray[np.float32]:
    """Its box (4, 2)."""
    left, right = comb.strokes[0], comb.strokes[-1]
    return np.array([(left, comb.top), (right, comb.top), (right, comb.bottom), (left, comb.bottom)], np.float32)


def read_in(page: Pixels, comb: Comb, read: Read) -> Reading | None:
    """What the cells of a comb hold, a blank for an empty one between others; None where that cannot be told."""
    cells = [_cell(page, comb, i) for i in range(len(comb.strokes) - 1)]
    filled = [i for i, cell in enumerate(cells) if cell is not None]
    if len(filled) < MIN_CELLS:
        return None
    some = [cell for cell in cells if cell is not None]
    told = read([_side_by_side(page, comb, some)])[0]
    each_sure = told.certainty or (told.confidence,) * len(told.text)
    signs = [(narrow(sign), sure) for sign, sure in zip(told.text, each_sure, strict=True) if sign != " "]
    if len(signs) != len(filled):
        alone = read([_side_by_side(page, comb, [cell]) for cell in some])
        if any(len(each.text.strip()) != 1 for each in alone):
            return None
        signs = [(narrow(each.text.strip()), each.confidence) for each in alone]
    by_cell = dict(zip(filled, signs, strict=True))
    inside = range(filled[0], filled[-1] + 1)
    text = "".join(by_cell[i][0] if i in by_cell else " " for i in inside)
    certainty = tuple(by_cell[i][1] if i in by_cell else 1.0 for i in inside)
    count = len(cells)
    confidence = float(np.mean([sure for _, sure in signs]))
    if confidence < SURE_COMB:
        return None
    return Reading(text, confidence, tuple((i + 0.5) / count for i in inside), certainty)


def _cell(page: Pixels, comb: Comb, i: int) -> Pixels | None:
    """The columns (H, W, 3) of a cell that are inked, without its strokes; None where it is empty."""
    margin = COMB_RIM + 1
    left, right = comb.strokes[i] + margin, comb.strokes[i + 1] - margin + 1
    part = page[comb.top + margin : comb.bottom - 1, left:right]
    if part.size == 0:
        return None
    ink = _ink(part)
    shapes = components(ink)[2][1:].astype(np.int64)
    large = shapes[shapes[:, 3] >= 0.2 * len(part)]
    if not len(large):
        return None
    begin, end = max(0, int(large[:, 0].min()) - 1), int((large[:, 0] + large[:, 2]).max()) + 1
    return part[:, begin:end]


def _side_by_side(page: Pixels, comb: Comb, cells: Sequence[Pixels]) -> Pixels:
    paper = np.median(page[comb.top : comb.bottom, comb.strokes[0] : comb.strokes[-1]].reshape(-1, 3), axis=0)
    high = len(cells[0])
    gap = np.broadcast_to(paper, (high, max(2, round(COMB_GAP * high)), 3))
    parts = [gap, gap]
    for cell in cells:
        parts += [cell, gap]
    return np.asarray(np.concatenate([*parts, gap], axis=1), np.uint8)


def _ink(page: Pixels) -> NDArray[np.uint8]:
    return np.asarray(from_paper(page) > MIN_COMB_CONTRAST, np.uint8)
