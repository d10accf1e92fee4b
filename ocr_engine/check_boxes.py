"""Check boxes of forms, found in the picture: squares of four strokes, and whether there is a mark in them.

The recogniser has no sign for them, and reads `口`, `X` or nothing. Tables and comb fields are made of squares, too,
but of squares that touch or stand in close rows; letters such as `口` have neighbours.
"""

import itertools
from collections.abc import Iterator, Sequence

import cv2
import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from ocr_engine.boxes import Quads, heights, part
from ocr_engine.crops import Pixels
from ocr_engine.recognition.ctc import Reading
from ocr_engine.recognition.script import Support

Mask = NDArray[np.uint8]

EMPTY, CHECKED = "☐", "☑"
# Lengths are multiples of the median height of the page's lines; of a page without any, of its shorter side.
USUAL_LINE_SHARE = 0.03
SIDES = (0.4, 1.7)
"""Of a check box, at least and at most."""
MIN_BOX_SIDE = 9
"""Pixels: less is a bullet or a letter."""
MIN_STROKE = 0.24
"""What of a side remains where a mark or wear breaks it, at least."""
MAX_OBLONG = 1.3
"""Longer side by shorter one."""
MIN_EDGE = 0.45
"""Share of a side that is ink in one row or column of pixels: paper lies askew."""
MIN_HULL, MIN_HOLE = 0.93, 0.87
"""Share of a box that its ink spans, and of the white in its middle that it fills: of an `O` both are 0.79."""
BULLET, BLACK = 0.55, 0.88
"""Side of a square up to which it is a bullet, and the share of it that is black then."""
STRAIGHT = 0.35
"""Of a side, what is straight of it in one piece, at least: paper lies askew."""
MIN_COVERED = 0.8
"""Share of each side that its stroke covers, corners left out: they may be round."""
CORNER = 0.15
"""Share of a side that is a corner at each end."""
MARGIN, MAX_INK_BEFORE, MAX_INK_BEHIND = 0.3, 0.04, 0.12
"""White space beside a box, by its side, and how much of that ink may cover; behind, marks stand out of it."""
MARK_CONTRAST = 12
"""Levels that ink differs from the paper around by at least."""
MIN_MARK, SURE_MARK = 0.05, 0.15
"""Share of what is inside that a mark covers at least, and from which it surely is one."""
MIN_MARK_EXTENT = 0.35
"""Of a mark, by the inside's width or height: less is dirt."""
FILLED = 0.5
"""How far the inside is from paper to ink from which it is filled."""
COMB_GAP, COMB_CELLS = 0.6, 4
"""Squares so close to each other, by their side, and so many in a row, are cells to write in."""
REACH = 0.35
"""How far a line may stand out of a box, by the box's width, that holds nothing but its mark."""
ALIKE = frozenset("xX×✓✔√vVyYýZ口囗□■◻◼☐☑☒区図回冈図国日田因网囚0OoDQIl1|[]")
"""What the recogniser takes boxes for, with marks and without."""
SURE_LETTER = 0.7
"""Certainty of another sign from which it is one, and no box."""
MAX_BOXES = 1000
"""Of one page, which bounds what a page of squares costs."""


class CheckBox(Struct, frozen=True):
    """A square on the page as it was read."""

    left: int
    top: int
    right: int
    bottom: int
    checked: bool
    confidence: float
    """0.5 to 1: how clearly it holds a mark, or none."""

    @property
    def side(self) -> float:
        """Pixels."""
        return (self.right - self.left + self.bottom - self.top) / 2

    @property
    def quad(self) -> NDArray[np.float32]:
        """Its corners (4, 2)."""
        left, top, right, bottom = self.left, self.top, self.right, self.bottom
        return np.array([(left, top), (right, top), (right, bottom), (left, bottom)], np.float32)


def find(page: Pixels, quads: Quads) -> list[CheckBox]:
    """The check boxes of an upright page (H, W, 3), from the top; `quads` (n, 4, 2) are the boxes of its lines."""
    unit = float(np.median(heights(quads))) if len(quads) else USUAL_LINE_SHARE * min(page.shape[:2])
    grey = np.asarray(cv2.cvtColor(page, cv2.COLOR_BGR2GRAY), np.uint8)
    if np.median(grey) < 128:
        grey = np.asarray(255 - grey, np.uint8)
    window = 2 * round(SIDES[1] * unit) + 3
    ink = np.asarray(
        cv2.adaptiveThreshold(grey, 1, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY_INV, window, MARK_CONTRAST),
        np.uint8,
    )
    boxes = [
        box
        for left, top, right, bottom in _squares(ink, unit)
        if (box := _judged(grey, ink, left, top, right, bottom, BULLET * unit)) is not None
    ]
    return _without_combs(_outer(boxes))


def told(
    boxes: Sequence[CheckBox], quads: Quads, readings: Sequence[Reading], supports: Sequence[Support]
) -> tuple[Quads, list[Reading], tuple[Support, ...]]:
    """The boxes and readings of a page's lines with those of its check boxes, and without what was read in these."""
    low, high = quads.min(axis=1), quads.max(axis=1)
    parts = [[line] for line in zip(quads, readings, strict=True)]
    kept: list[CheckBox] = []
    for box in boxes:
        beside = np.flatnonzero(_are_touched(box, low, high)).tolist()
        if any(_is_letter(box, quads[i], readings[i]) for i in beside):
            continue
        kept.append(box)
        for i in beside:
            parts[i] = [left_ for quad, reading in parts[i] for left_ in _without(box, quad, reading)]
    lines = [(*part_, support) for of_line, support in zip(parts, supports, strict=True) for part_ in of_line]
    signs = [Reading(CHECKED if box.checked else EMPTY, box.confidence, (0.5,), (box.confidence,)) for box in kept]
    read: list[Support] = ["read"] * len(signs)
    corners = [quad for quad, _, _ in lines] + [box.quad for box in kept]
    return (
        np.array(corners, np.float32).reshape(-1, 4, 2),
        [reading for _, reading, _ in lines] + signs,
        (*(support for _, _, support in lines), *read),
    )


def _squares(ink: Mask, unit: float) -> Iterator[tuple[int, int, int, int]]:
    """Left, top, right and bottom of what straight strokes make that has the shape of a box."""
    length = max(5, round(MIN_STROKE * unit))
    across = cv2.morphologyEx(ink, cv2.MORPH_OPEN, np.ones((1, length), np.uint8))
    down = cv2.morphologyEx(ink, cv2.MORPH_OPEN, np.ones((length, 1), np.uint8))
    strokes = cv2.dilate(cv2.bitwise_or(across, down), np.ones((3, 3), np.uint8))
    found = cv2.connectedComponentsWithStats(strokes)[2]
    least, most = max(MIN_BOX_SIDE, SIDES[0] * unit), SIDES[1] * unit
    for label in np.lexsort((found[:, 0], found[:, 1]))[: 20 * MAX_BOXES].tolist():
        left, top, width, height, _ = (int(value) for value in found[label])
        if not label or min(width, height) < least or max(width, height) > 1.5 * most:
            continue
        window = np.s_[top : top + height, left : left + width]
        ys = np.flatnonzero(across[window].sum(axis=1) >= MIN_EDGE * min(width, height))
        xs = np.flatnonzero(down[window].sum(axis=0) >= MIN_EDGE * min(width, height))
        if not len(ys) or not len(xs):
            continue
        # marks stand out of them
        box = left + int(xs[0]), top + int(ys[0]), left + int(xs[-1]) + 1, top + int(ys[-1]) + 1
        shorter, longer = sorted((box[2] - box[0], box[3] - box[1]))
        if least <= shorter and longer <= min(most, MAX_OBLONG * shorter) and _has_four_sides(ink, *box):
            yield box


def _has_four_sides(ink: Mask, left: int, top: int, right: int, bottom: int) -> bool:
    """Whether straight strokes run along all of each side: round letters have them in the middle only."""
    box = ink[max(0, top) : bottom, max(0, left) : right]
    height, width = box.shape
    across = cv2.morphologyEx(box, cv2.MORPH_OPEN, np.ones((1, max(3, round(STRAIGHT * width))), np.uint8))
    down = cv2.morphologyEx(box, cv2.MORPH_OPEN, np.ones((max(3, round(STRAIGHT * height)), 1), np.uint8))
    band = max(2, round(0.14 * min(height, width)))
    x = slice(round(CORNER * width), round((1 - CORNER) * width))
    y = slice(round(CORNER * height), round((1 - CORNER) * height))
    edges = (
        across[:band, x].max(axis=0),
        across[-band:, x].max(axis=0),
        down[y, :band].max(axis=1),
        down[y, -band:].max(axis=1),
    )
    return all(len(edge) and edge.mean() >= MIN_COVERED for edge in edges) and _is_square(box)


def _is_square(box: Mask) -> bool:
    """Whether its ink reaches into the corners, and what is white in its middle, too: that of letters does not."""
    height, width = box.shape
    points = cv2.findNonZero(box)
    # pixels are counted from middle to middle
    if cv2.contourArea(cv2.convexHull(points)) < MIN_HULL * (height - 1) * (width - 1):
        return False
    _, labels, found, _ = cv2.connectedComponentsWithStats(1 - box, connectivity=4)
    hole = int(labels[height // 2, width // 2])
    _, _, hole_width, hole_height, area = found[hole]
    rim = max(2, round(0.3 * min(height, width)))
    is_empty = not box[rim:-rim, rim:-rim].any() and hole_width > width / 2 and hole_height > height / 2
    return not is_empty or bool(area >= MIN_HOLE * hole_width * hole_height)


def _judged(grey: Pixels, ink: Mask, left: int, top: int, right: int, bottom: int, bullet: float) -> CheckBox | None:
    """The box with what is in it; None where it has neighbours as a letter has, or is black and no larger than
    `bullet`."""
    side = (right - left + bottom - top) / 2
    margin = max(2, round(MARGIN * side))
    before, behind = (
        ink[top:bottom, max(0, left - margin) : max(0, left - 1)],
        ink[top:bottom, right + 1 : right + margin],
    )
    if (before.size and before.mean() > MAX_INK_BEFORE) or (behind.size and behind.mean() > MAX_INK_BEHIND):
        return None
    stroke = _stroke(ink[top:bottom, left:right])
    rim = stroke + max(1, round(0.06 * side))
    inside = np.s_[top + rim : bottom - rim, left + rim : right - rim]
    marks = ink[inside]
    if marks.size < MIN_BOX_SIDE:
        return None
    paper = float(
        np.percentile(grey[max(0, top - margin) : bottom + margin, max(0, left - margin) : right + margin], 90)
    )
    dark = float(np.percentile(grey[top:bottom, left:right], 5))
    filled = (paper - float(grey[inside].mean())) / max(paper - dark, 1.0)
    share = float(marks.mean())
    extent = max(float(marks.any(axis=0).mean()), float(marks.any(axis=1).mean()))
    if side <= bullet and ink[top:bottom, left:right].mean() >= BLACK:
        return None
    if filled >= FILLED:
        return CheckBox(left, top, right, bottom, checked=True, confidence=round(min(1.0, 0.5 + filled / 2), 4))
    if share >= MIN_MARK and extent >= MIN_MARK_EXTENT:
        sure = min(1.0, (share - MIN_MARK) / (SURE_MARK - MIN_MARK))
        return CheckBox(left, top, right, bottom, checked=True, confidence=round(0.6 + 0.4 * sure, 4))
    sure = 1 - min(1.0, share / MIN_MARK)
    return CheckBox(left, top, right, bottom, checked=False, confidence=round(0.6 + 0.4 * sure, 4))


def _stroke(box: Mask) -> int:
    """How thick its sides are: in the median, from each edge inwards."""
    middle = slice(round(0.2 * len(box)), round(0.8 * len(box)))
    rows, columns = box[middle], box[:, slice(round(0.2 * box.shape[1]), round(0.8 * box.shape[1]))].T
    deep = max(2, min(box.shape) // 3)
    # the first white behind the first ink
    runs = [
        int(np.argmax(np.append(np.diff(line[:deep].astype(np.int8)) < 0, True))) + 1
        for lines in (rows, rows[:, ::-1], columns, columns[:, ::-1])
        for line in lines
    ]
    return int(np.median(runs)) if runs else 1


class _Grid:
    """Boxes by where they stand, so that of thousands only those around one are looked at."""

    def __init__(self, boxes: Sequence[CheckBox]) -> None:
        self._size = max((max(box.right - box.left, box.bottom - box.top) for box in boxes), default=1)
        self._cells: dict[tuple[int, int], list[CheckBox]] = {}
        for box in boxes:
            self._cells.setdefault(self._cell(box), []).append(box)

    def around(self, box: CheckBox) -> Iterator[CheckBox]:
        """At least all whose upper left is two sides of the largest or less from its own, and one side up or down."""
        x, y = self._cell(box)
        for row in range(y - 1, y + 2):
            for column in range(x - 2, x + 3):
                yield from self._cells.get((column, row), ())

    def row_of(self, box: CheckBox) -> Iterator[CheckBox]:
        """The box, and those in a close row with it."""
        yield box
        for step in (1, -1):
            at = self._next(box, step)
            while at is not None:
                yield at
                at = self._next(at, step)

    def _next(self, box: CheckBox, step: int) -> CheckBox | None:
        return next((other for other in self.around(box) if _is_next(box, other, step)), None)

    def _cell(self, box: CheckBox) -> tuple[int, int]:
        return box.left // self._size, box.top // self._size


def _outer(boxes: list[CheckBox]) -> list[CheckBox]:
    """Those that lie in no other one."""
    grid = _Grid(boxes)
    return [box for box in boxes if not any(other is not box and _is_within(box, other) for other in grid.around(box))]


def _without_combs(boxes: list[CheckBox]) -> list[CheckBox]:
    """Those that do not stand in a close row of as many as are written in; MAX_BOXES of them."""
    grid = _Grid(boxes)
    apart = (box for box in boxes if len([*itertools.islice(grid.row_of(box), COMB_CELLS)]) < COMB_CELLS)
    return [*itertools.islice(apart, MAX_BOXES)]


def _is_within(box: CheckBox, other: CheckBox) -> bool:
    return other.left <= box.left and other.top <= box.top and box.right <= other.right and box.bottom <= other.bottom


def _is_next(box: CheckBox, other: CheckBox, step: int) -> bool:
    level = abs(box.top - other.top) < 0.3 * box.side and abs(box.side - other.side) < 0.25 * box.side
    gap = other.left - box.right if step > 0 else box.left - other.right
    return level and -0.3 * box.side <= gap <= COMB_GAP * box.side


def _are_touched(box: CheckBox, low: NDArray[np.float32], high: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Which (n,) of the lines between these corners (n, 2) run over the box."""
    middle = (box.top + box.bottom) / 2
    level = (low[:, 1] < middle) & (middle < high[:, 1])
    return np.asarray(level & (low[:, 0] < box.right) & (high[:, 0] > box.left))


def _span(box: CheckBox, quad: NDArray[np.float32]) -> tuple[float, float] | None:
    """From where to where along a line the box stands, 0 at its left to 1 at its right; None where it does not."""
    low, high = quad.min(axis=0), quad.max(axis=0)
    if not _are_touched(box, low[None], high[None]).all():
        return None
    left, width = float(low[0]), max(float(high[0] - low[0]), 1.0)
    return (box.left - left) / width, (box.right - left) / width


def _without(box: CheckBox, quad: NDArray[np.float32], reading: Reading) -> list[tuple[NDArray[np.float32], Reading]]:
    """A line without what was read in a check box: what stands before it, and behind."""
    span = _span(box, quad)
    if span is None:
        return [(quad, reading)]
    begins, ends = span
    if begins <= REACH * (ends - begins) and ends >= 1 - REACH * (ends - begins):
        return []
    if reading.corner or len(reading.places) != len(reading.text):
        return [(quad, reading)]
    before = sum(place < begins for place in reading.places)
    behind = sum(place <= ends for place in reading.places)
    parts = (
        _part(quad, reading, 0, before, 0.0, max(0.0, begins)),
        _part(quad, reading, behind, len(reading.text), min(1.0, ends), 1.0),
    )
    return [part_ for part_ in parts if part_ is not None]


def _is_letter(box: CheckBox, quad: NDArray[np.float32], reading: Reading) -> bool:
    """Whether a letter was surely read in its place, or one that has another beside it."""
    span = _span(box, quad)
    if reading.corner or span is None:
        return False
    begins, ends = span
    letters = [i for i, place in enumerate(reading.places) if begins <= place <= ends and reading.text[i].strip()]
    return any(
        (reading.text[i] not in ALIKE and reading.certainty[i] >= SURE_LETTER)
        or any(reading.text[beside].isalnum() for beside in _beside(i, len(reading.text)))
        for i in letters
    )


def _beside(place: int, length: int) -> list[int]:
    return [each for each in (place - 1, place + 1) if 0 <= each < length]


def _part(
    quad: NDArray[np.float32], reading: Reading, first: int, last: int, begins: float, ends: float
) -> tuple[NDArray[np.float32], Reading] | None:
    text = reading.text[first:last]
    first, last = first + len(text) - len(text.lstrip()), last - (len(text) - len(text.rstrip()))
    if first >= last or ends <= begins:
        return None
    places = tuple(min(1.0, max(0.0, (place - begins) / (ends - begins))) for place in reading.places[first:last])
    return part(quad, begins, ends), msgspec.structs.replace(
        reading, text=reading.text[first:last], places=places, certainty=reading.certainty[first:last], doubts=()
    )
