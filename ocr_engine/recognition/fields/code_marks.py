"""Underscores and backticks of program code, counted and placed by their ink.

The recogniser says `_` for `__`, and loses most backticks. In monospaced print the width of an underscore's stroke says
how many there are, and a small mark that stands high, alone, and falls to its right is a backtick.
"""

import re
from collections.abc import Iterator, Sequence

import cv2
import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from ocr_engine.boxes import Quads, inside, sides
from ocr_engine.crops import Pixels, cut
from ocr_engine.recognition.ctc import Reading
from ocr_engine.recognition.fields import twins

CODE = frozenset("_`=;{}[]|$#<>\\")
"""Signs of which a page of code has many."""
MIN_CODE_SHARE, MIN_NAMES = 0.06, 2
"""Share of such signs, and underscores at letters, of a page of code: 120 drawn ones have .16 and 6 at least, and of 50
others, a page of formulae and receipts among them, none has .05, or both."""
MAX_CODE_LINES = 400
"""Lines of a page that are looked at, which bounds what it costs."""
MAX_CODE_PITCH_SPREAD, MAX_CODE_ASTRAY = 0.08, 1.2
"""By the pitch, what a word's differs from the page's, and a character's place from its own: lost signs are what is
looked for, so that more is let pass than for `twins`."""
MIN_MARK_CONTRAST = 40
"""Levels of grey between ink and paper, at least."""
MARK_REACH = 4.5
"""By the pitch, how far beside a box its first and last marks may stand."""
MARGINS = 0.1, 0.25
"""By the height of a box, what is looked at above and under it."""
LINE_ROWS = 1.45, 0.7
"""By the pitch, over and under the base line, what is of the line and of no other one."""
LETTER_SIZE = 0.6
"""By the pitch, the height from which a piece of ink is a letter, whose foot tells the base line."""
HIGHEST_STROKE = 0.06
"""By the pitch, over the base line, what is not of an underscore."""
OWN_STROKE, MAX_STROKES = 0.3, 4
"""By the pitch, how far the width of a run of underscores may be off a whole number; how many there are at most, or
it is a rule."""
PART_OF_STROKE, STROKE_GAP = 0.45, 0.3
"""By the pitch, how wide each of its parts is at least, and the gap that may be between two."""
TICK_SIZES, TICK_FLOOR = (0.1, 0.7), 0.7
"""By the pitch, how large a backtick is each way, and how high over the base line its middle."""
TICK_FALLS, TICK_SLIM = 0.12, 1.35
"""By its height, how much further right a backtick's lower half is; by its width, how high it is at most."""
WORD_GAPS = 0.5, 0.65
"""By the pitch, from which ink that is not there is a blank, where one was read, and where none was."""
NEAR_MARK = 0.8
"""By the pitch, how far from a mark's ink its sign was read, if it was."""
QUOTE_BESIDE = 0.5
"""By the pitch, how far from the end of an underscore the place of an apostrophe beside it may be."""
TICKS = frozenset("`'^´‘’\"·¯°¨˜")
"""What a backtick may be read as."""
_SOFT = frozenset("_` ¯")
_NAME = re.compile(r"[A-Za-z]_|_[A-Za-z]")


class _Mark(Struct, frozen=True):
    """Underscores, or a backtick, in pixels along the line."""

    left: float
    right: float
    text: str

    @property
    def middle(self) -> float:
        return (self.left + self.right) / 2


class _Ink(Struct, frozen=True, eq=False):
    """The ink of a line and what is beside it."""

    mask: NDArray[np.uint8]
    """(H, W)."""
    base: float
    """Row of the base line."""
    pitch: float


def put_right(page: Pixels, quads: Quads, readings: Sequence[Reading]) -> tuple[Quads, list[Reading]]:
    """The boxes (n, 4, 2) of a page and their readings, with the underscores and backticks that stand there."""
    readings = [*readings]
    text = " ".join(reading.text for reading in readings)
    signs = sum(sign in CODE for sign in text)
    if signs < MIN_CODE_SHARE * len(text.replace(" ", "")) or len(_NAME.findall(text)) < MIN_NAMES:
        return quads, readings
    pitch = twins.pitch(quads, readings, MAX_CODE_PITCH_SPREAD, MAX_CODE_ASTRAY)
    if not pitch:
        return quads, readings
    quads = quads.copy()
    seen = quads.copy()
    for i in [i for i, reading in enumerate(readings) if _is_level(reading)][:MAX_CODE_LINES]:
        width, height = (float(side[0]) for side in sides(quads[i : i + 1]))
        before, after = (min(room, MARK_REACH * pitch) for room in _room(seen, i))
        shares = np.array([[-before / width, -MARGINS[0], 1 + after / width, 1 + MARGINS[1]]], np.float64)
        ink = _ink(cut(page, inside(quads[i], shares)[0]), pitch, (before, before + width))
        if ink is None or height <= 0:
            continue
        places = [before + place * width for place in readings[i].places]
        text, places = _rebuilt(ink, readings[i].text, places, (before, before + width))
        if text == readings[i].text:
            continue
        left = min(before, places[0] - pitch / 2)
        right = max(before + width, places[-1] + pitch / 2)
        ends = np.array([[(left - before) / width, 0, (right - before) / width, 1]], np.float64)
        quads[i] = inside(quads[i], ends)[0]
        along = tuple((place - left) / (right - left) for place in places)
        sure = (readings[i].confidence,) * len(text)
        readings[i] = msgspec.structs.replace(readings[i], text=text, places=along, certainty=sure, doubts=())
    return quads, readings


def _is_level(reading: Reading) -> bool:
    return bool(reading.text.strip()) and not reading.corner and len(reading.places) == len(reading.text)


def _room(quads: Quads, i: int) -> tuple[float, float]:
    """Pixels between a box and the next ones beside it, infinite where there is none."""
    low, high = quads.min(axis=1), quads.max(axis=1)
    middle = (low[i, 1] + high[i, 1]) / 2
    level = (low[:, 1] < middle) & (high[:, 1] > middle)
    level[i] = False
    left = high[level & (low[:, 0] < low[i, 0]), 0].max(initial=-np.inf)
    right = low[level & (high[:, 0] > high[i, 0]), 0].min(initial=np.inf)
    return max(0.0, float(low[i, 0] - left)), max(0.0, float(right - high[i, 0]))


def _ink(crop: Pixels, pitch: float, box: tuple[float, float]) -> _Ink | None:
    """The ink of a crop (H, W, 3) in which the line's box lies between two columns."""
    grey = cv2.cvtColor(crop, cv2.COLOR_BGR2GRAY)
    away = np.asarray(cv2.absdiff(grey, np.full_like(grey, np.median(grey))), np.uint8)
    least, _ = cv2.threshold(away, 0, 1, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    mask = np.asarray(away > max(0.8 * least, MIN_MARK_CONTRAST), np.uint8)
    shapes = np.asarray(cv2.connectedComponentsWithStats(mask, connectivity=8)[2][1:], np.int64)
    x, y, _, tall, _ = shapes.T
    letters = (tall >= LETTER_SIZE * pitch) & (x >= box[0] - pitch) & (x < box[1])
    if not letters.any():
        return None
    base = float(np.median((y + tall)[letters]))
    top = max(0, round(base - LINE_ROWS[0] * pitch))
    return _Ink(mask[top : round(base + LINE_ROWS[1] * pitch)], base - top, pitch)


def _rebuilt(ink: _Ink, text: str, places: list[float], box: tuple[float, float]) -> tuple[str, list[float]]:
    """The text of a line with what its marks say, and the place of each character."""
    strokes = [*_strokes(ink)]
    ticks = [mark for mark in _ticks(ink) if mark.text == "`" or _is_lost(mark, strokes, text, places, ink.pitch)]
    marks = [mark for mark in sorted((*strokes, *ticks), key=lambda mark: mark.middle) if _belongs(ink, mark, box)]
    if not marks:
        return text, places
    # a sign that was read for a mark goes with it
    taken = {_nearest(text, places, mark, ink.pitch) for mark in marks if mark.text == "`"}
    left = [i for i, sign in enumerate(text) if sign not in _SOFT and i not in taken]
    kept = [
        _Mark(places[i] - ink.pitch / 2, places[i] + ink.pitch / 2, sign)
        for i, sign in enumerate(text)
        if sign in "_`"
        and i not in taken
        and all(
            not mark.left - NEAR_MARK * ink.pitch < places[i] < mark.right + NEAR_MARK * ink.pitch for mark in marks
        )
    ]
    marks = sorted((*marks, *kept), key=lambda mark: mark.middle)
    signs: list[str] = []
    where: list[float] = []
    for at, first in enumerate([-1, *left]):
        last = left[at] if at < len(left) else len(text)
        if first >= 0:
            signs.append(text[first])
            where.append(places[first])
        begins = places[first] if first >= 0 else -np.inf
        ends = places[last] if last < len(text) else np.inf
        some = [mark for mark in marks if begins <= mark.middle < ends]
        if not some:
            signs += text[first + 1 : last]
            where += places[first + 1 : last]
            continue
        between = text[first + 1 : last]
        if some[0] is some[-1] and set(some[0].text) == {"_"}:
            # the model takes fewer for more, hardly ever more for fewer
            some = [msgspec.structs.replace(some[0], text="_" * max(len(some[0].text), min(2, between.count("_"))))]
        for mark in some:
            if signs and signs[-1] != " " and _is_apart(ink, mark.left, -1, read=" " in between):
                signs.append(" ")
                where.append(mark.left - ink.pitch / 2)
            step = (mark.right - mark.left) / len(mark.text)
            signs += mark.text
            where += [mark.left + (k + 0.5) * step for k in range(len(mark.text))]
        if last < len(text) and _is_apart(ink, some[-1].right, 1, read=" " in between):
            signs.append(" ")
            where.append(some[-1].right + ink.pitch / 2)
    return "".join(signs), where


def _belongs(ink: _Ink, mark: _Mark, box: tuple[float, float]) -> bool:
    """Whether a mark is in the box of the line, or joins on to it."""
    if box[0] - ink.pitch / 2 < mark.middle < box[1] + ink.pitch / 2:
        return True
    edge, way = (mark.left, -1) if mark.middle > box[1] else (mark.right, 1)
    return not _is_apart(ink, edge, way, read=True)


def _is_lost(mark: _Mark, strokes: Sequence[_Mark], text: str, places: Sequence[float], pitch: float) -> bool:
    """Whether an apostrophe was lost beside an underscore."""
    beside = any(
        min(abs(mark.left - stroke.right), abs(mark.right - stroke.left)) < QUOTE_BESIDE * pitch for stroke in strokes
    )
    return beside and _nearest(text, places, mark, pitch) < 0


def _nearest(text: str, places: Sequence[float], mark: _Mark, pitch: float) -> int:
    """Which character was read for a backtick, -1: none."""
    near = [i for i, sign in enumerate(text) if sign in TICKS and abs(places[i] - mark.middle) < NEAR_MARK * pitch]
    return min(near, key=lambda i: abs(places[i] - mark.middle), default=-1)


def _is_apart(ink: _Ink, edge: float, way: int, *, read: bool) -> bool:
    """Whether a blank is beside a column, on one side (-1 left, 1 right): no ink for as long; `read`: one was."""
    begin, end = sorted((edge, edge + way * WORD_GAPS[not read] * ink.pitch))
    return not ink.mask[:, max(0, round(begin)) : max(0, round(end))].any()


def _strokes(ink: _Ink) -> Iterator[_Mark]:
    """Runs of columns with ink under the base line only, as wide as whole numbers of characters."""
    pitch = ink.pitch
    top = max(0, round(ink.base - HIGHEST_STROKE * pitch))
    above = np.asarray(ink.mask[:top].any(axis=0), bool)
    below = np.asarray(ink.mask[top:].any(axis=0), bool)
    alone = np.concatenate(([False], below & ~above, [False]))
    edges = np.flatnonzero(alone[1:] != alone[:-1]).reshape(-1, 2)
    runs: list[list[int]] = []
    for begin, end in edges[edges[:, 1] - edges[:, 0] >= PART_OF_STROKE * pitch].tolist():
        if runs and begin - runs[-1][1] <= STROKE_GAP * pitch and not above[runs[-1][1] : begin].any():
            runs[-1][1] = end
        else:
            runs.append([begin, end])
    for begin, end in runs:
        count = round((end - begin) / pitch)
        if 1 <= count <= MAX_STROKES and abs((end - begin) / pitch - count) <= OWN_STROKE:
            yield _Mark(begin, end, "_" * count)


def _ticks(ink: _Ink) -> Iterator[_Mark]:
    """Small pieces of ink that stand high, with nothing under them: backticks, which fall, and slim apostrophes."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(ink.mask, connectivity=8)
    least, most = (size * ink.pitch for size in TICK_SIZES)
    floor = ink.base - TICK_FLOOR * ink.pitch
    for number, (x, y, wide, tall, _) in enumerate(np.asarray(stats, np.int64)[1:].tolist(), 1):
        if not (least <= wide <= most and least <= tall <= most and y + tall / 2 < floor):
            continue
        under = ink.mask[y + tall : round(ink.base), x + wide // 4 : x + wide - wide // 4]
        shape = np.asarray(labels[y : y + tall, x : x + wide] == number, np.float64)
        if not under.any() and (_falls(shape) or tall > TICK_SLIM * wide):
            # an underscore fills its place, of these only the middle
            middle = x + wide / 2
            yield _Mark(middle - ink.pitch / 2, middle + ink.pitch / 2, "`" if _falls(shape) else "'")


def _falls(shape: NDArray[np.float64]) -> bool:
    """Whether the lower half of a piece of ink (H, W) lies further right than the upper one, and it is not slim."""
    columns = np.arange(shape.shape[1])
    upper, lower = shape[: len(shape) // 2], shape[len(shape) - len(shape) // 2 :]
    if not upper.any() or not lower.any():
        return False
    shift = (lower.sum(axis=0) @ columns) / lower.sum() - (upper.sum(axis=0) @ columns) / upper.sum()
    return bool(shift > TICK_FALLS * len(shape) and len(shape) <= TICK_SLIM * shape.shape[1])
