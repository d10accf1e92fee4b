"""Underscores and backticks of program code, counted and placed by their ink.

The recogniser says `_` for `__`, and loses most backticks. In monospaced print the width of an underscore's stroke says
how many there are, and a small mark that stands high, alone, and falls to its right is a backtick.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

import msgspec
import numpy as np
from numpy.typing import NDArray

from ocr_engine.boxes import Quads, inside, sides
from ocr_engine.crops import Pixels, cut
from ocr_engine.recognition.ctc import Reading
from ocr_engine.recognition.fields import twins
from ocr_engine.recognition.fields.code_ink import LineInk, Mark, is_apart, line_ink, strokes, ticks

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
MARK_REACH = 4.5
"""By the pitch, how far beside a box its first and last marks may stand."""
MARGINS = 0.1, 0.25
"""By the height of a box, what is looked at above and under it."""
NEAR_MARK = 0.8
"""By the pitch, how far from a mark's ink its sign was read, if it was."""
QUOTE_BESIDE = 0.5
"""By the pitch, how far from the end of an underscore the place of an apostrophe beside it may be."""
TICKS = frozenset("`'^´‘’\"·¯°¨˜")
"""What a backtick may be read as."""
_SOFT = frozenset("_` ¯")
_NAME = re.compile(r"[A-Za-z]_|_[A-Za-z]")


def put_right(page: Pixels, quads: Quads, readings: Sequence[Reading]) -> tuple[Quads, list[Reading]]:
    """The boxes (n, 4, 2) of a page and their readings, with the underscores and backticks that stand there."""
    readings = [*readings]
    if not _is_code(" ".join(reading.text for reading in readings)):
        return quads, readings
    pitch = twins.pitch(quads, readings, MAX_CODE_PITCH_SPREAD, MAX_CODE_ASTRAY)
    if not pitch:
        return quads, readings
    marked = quads.copy()
    for i in [i for i, reading in enumerate(readings) if _is_level(reading)][:MAX_CODE_LINES]:
        reach = tuple(min(room, MARK_REACH * pitch) for room in _room(quads, i))
        marked[i], readings[i] = _with_marks(page, quads[i], readings[i], pitch, reach)
    return marked, readings


def _is_code(text: str) -> bool:
    signs = sum(sign in CODE for sign in text)
    return signs >= MIN_CODE_SHARE * len(text.replace(" ", "")) and len(_NAME.findall(text)) >= MIN_NAMES


def _with_marks(
    page: Pixels, quad: NDArray[np.float32], reading: Reading, pitch: float, reach: tuple[float, ...]
) -> tuple[NDArray[np.float32], Reading]:
    """The box (4, 2) of a line and its reading with its marks; `reach`: its own pixels before and after the box."""
    width, height = (float(side[0]) for side in sides(quad[None]))
    if height <= 0:
        return quad, reading
    before, after = reach
    shares = np.array([[-before / width, -MARGINS[0], 1 + after / width, 1 + MARGINS[1]]], np.float64)
    box = before, before + width
    ink = line_ink(cut(page, inside(quad, shares)[0]), pitch, box)
    if ink is None:
        return quad, reading
    text, places = _rebuilt(ink, reading.text, [before + place * width for place in reading.places], box)
    if text == reading.text:
        return quad, reading
    left, right = min(before, places[0] - pitch / 2), max(before + width, places[-1] + pitch / 2)
    ends = np.array([[(left - before) / width, 0, (right - before) / width, 1]], np.float64)
    along = tuple((place - left) / (right - left) for place in places)
    sure = (reading.confidence,) * len(text)
    return inside(quad, ends)[0], msgspec.structs.replace(reading, text=text, places=along, certainty=sure, doubts=())


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


def _rebuilt(ink: LineInk, text: str, places: list[float], box: tuple[float, float]) -> tuple[str, list[float]]:
    """The text of a line with what its marks say, and the place of each character."""
    marks = _marks(ink, text, places, box)
    if not marks:
        return text, places
    # a sign that was read for a mark goes with it
    taken = {_nearest(text, places, mark, ink.pitch) for mark in marks if mark.text == "`"}
    left = [i for i, sign in enumerate(text) if sign not in _SOFT and i not in taken]
    kept = [
        Mark(places[i] - ink.pitch / 2, places[i] + ink.pitch / 2, sign)
        for i, sign in enumerate(text)
        if sign in "_`" and i not in taken and not any(_is_near(places[i], mark, ink.pitch) for mark in marks)
    ]
    marks = sorted((*marks, *kept), key=_middle)
    signs: list[tuple[str, float]] = []
    for first, last in pairwise([-1, *left, len(text)]):
        begins, ends = places[first] if first >= 0 else -np.inf, places[last] if last < len(text) else np.inf
        signs += [(text[first], begins)] if first >= 0 else []
        some = [mark for mark in marks if begins <= mark.middle < ends]
        if some:
            between = text[first + 1 : last]
            signs += _spelt(ink, some, between, is_first=not signs or signs[-1][0] == " ", is_last=last == len(text))
        else:
            signs += zip(text[first + 1 : last], places[first + 1 : last], strict=True)
    return "".join(sign for sign, _ in signs), [place for _, place in signs]


def _spelt(
    ink: LineInk, marks: Sequence[Mark], read: str, *, is_first: bool, is_last: bool
) -> Iterator[tuple[str, float]]:
    """The signs of marks between two letters, blanks too, and their places; `read`: what was read instead."""
    if len(marks) == 1 and set(marks[0].text) == {"_"}:
        # the model takes fewer for more, hardly ever more for fewer
        marks = [msgspec.structs.replace(marks[0], text="_" * max(len(marks[0].text), min(2, read.count("_"))))]
    for number, mark in enumerate(marks):
        if (number or not is_first) and is_apart(ink, mark.left, -1, read=" " in read):
            yield " ", mark.left - ink.pitch / 2
        step = (mark.right - mark.left) / len(mark.text)
        yield from ((sign, mark.left + (k + 0.5) * step) for k, sign in enumerate(mark.text))
    if not is_last and is_apart(ink, marks[-1].right, 1, read=" " in read):
        yield " ", marks[-1].right + ink.pitch / 2


def _marks(ink: LineInk, text: str, places: Sequence[float], box: tuple[float, float]) -> list[Mark]:
    """What the ink of a line has of them, from the left."""
    found = [*strokes(ink)]
    lost = [mark for mark in ticks(ink) if mark.text == "`" or _is_lost(mark, found, text, places, ink.pitch)]
    return sorted((mark for mark in (*found, *lost) if _belongs(ink, mark, box)), key=_middle)


def _middle(mark: Mark) -> float:
    return mark.middle


def _is_near(place: float, mark: Mark, pitch: float) -> bool:
    return mark.left - NEAR_MARK * pitch < place < mark.right + NEAR_MARK * pitch


def _belongs(ink: LineInk, mark: Mark, box: tuple[float, float]) -> bool:
    """Whether a mark is in the box of the line, or joins on to it."""
    if box[0] - ink.pitch / 2 < mark.middle < box[1] + ink.pitch / 2:
        return True
    edge, way = (mark.left, -1) if mark.middle > box[1] else (mark.right, 1)
    return not is_apart(ink, edge, way, read=True)


def _is_lost(mark: Mark, underscores: Sequence[Mark], text: str, places: Sequence[float], pitch: float) -> bool:
    """Whether an apostrophe was lost beside an underscore."""
    beside = any(
        min(abs(mark.left - stroke.right), abs(mark.right - stroke.left)) < QUOTE_BESIDE * pitch
        for stroke in underscores
    )
    return beside and _nearest(text, places, mark, pitch) < 0


def _nearest(text: str, places: Sequence[float], mark: Mark, pitch: float) -> int:
    """Which character was read for a backtick, -1: none."""
    near = [i for i, sign in enumerate(text) if sign in TICKS and abs(places[i] - mark.middle) < NEAR_MARK * pitch]
    return min(near, key=lambda i: abs(places[i] - mark.middle), default=-1)
