"""Signs that the model has no class for, told by their ink: `„` and `¡` before a word, `№`, `‚` and `‹ ›`.

The recogniser says nothing of them, or takes them for others. What stands beside a word, and belongs to none of the
letters that were read, is measured by the height of the small letters.
"""

import re
from bisect import bisect, bisect_left
from collections.abc import Callable, Iterator, Sequence

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from ocr_engine.boxes import Quads
from ocr_engine.crops import Pixels, cut
from ocr_engine.image.ink import MIN_PRINT_CONTRAST, components, from_paper, ink_of
from ocr_engine.recognition.ctc import Reading
from ocr_engine.recognition.letters.scope import is_latin

LETTER_HEIGHT = 0.55
"""Of the median of a line's parts, from which a part is a letter, and no mark."""
MIN_LETTERS, MIN_PIXELS = 3, 6
"""Parts of a line that tell how high its letters are, and how high they are at least."""
PARTS_BY_LETTER = 2.0
"""Parts by letters of a line: more are letters in pieces, or dirt."""
SIGN_REACH = 3.0
"""How far beside a letter such signs are looked for."""
LOWEST = 0.6
"""How far below the base line letters reach."""
ASTRAY = 0.3
"""By how much the place of a letter, which the model knows to a step, may miss its ink."""
_SINGLE = re.compile(r"(?<!\S),(?=[^\W\d_][^,]*?[‘’'](?!\w))")
_CLOSED_SINGLE = re.compile(r"‚((?:[^‚‘’']|[’'](?=\w))*)[’'](?!\w)")
_DOUBLE = re.compile(r"(?<!\S),,(?=\w)")
_WORDS = re.compile(r"(?<![^\s(\[„«])[^\W_]")
_NUMBER = re.compile(r"(?<!\S)(?:[Nn]|N[oº°])(?= ?\d)")
_MAYBE_ANGLED = re.compile("[«»].*  |  .*[«»]")
_CLOSED = re.compile(r"(?<=\S)[“”\"](?!\w)")
_COMMA = re.compile(r"(?<!\S),(?=[^\W\d_])")
_ENDS = re.compile(r"[^\W_]+(?![\w'’-])")
_ANGLES = re.compile(r"(?<!\S)<( ?)[^\W\d_][^<>=/]*?( ?)>(?!\w)")
_LETTER_FOR_MARK = re.compile(r"(?<!\w)i(?=[A-ZÀ-ÖØ-Þ])")


class _Part(Struct, frozen=True):
    """A piece of ink; lengths by the height of small letters, down from the base line."""

    left: float
    right: float
    top: float
    bottom: float

    @property
    def middle(self) -> float:
        return (self.left + self.right) / 2

    @property
    def width(self) -> float:
        return self.right - self.left

    @property
    def height(self) -> float:
        return self.bottom - self.top


class _Line(Struct, frozen=True):
    """The ink of a line, and where the characters were read in it."""

    parts: list[_Part]
    """From the left."""
    letters: list[_Part]
    """Those that are as high as letters."""
    places: list[float]


class _Page(Struct, frozen=True, kw_only=True):
    """What the text of a page hints at."""

    closed: bool
    """Quotations end on it."""
    angled: bool
    """Angles were read on it, or nothing between quotations where one may stand."""


def put_right(page: Pixels, quads: Quads, readings: Sequence[Reading]) -> list[Reading]:
    """The readings of the boxes (n, 4, 2) of a page, with such signs where their ink stands."""
    readings = [*map(_spelt, readings)]
    on_page = _Page(
        closed=any(_CLOSED.search(reading.text) for reading in readings),
        angled=any(
            any(sign in reading.text for sign in "<>‹›") or _MAYBE_ANGLED.search(reading.text) for reading in readings
        ),
    )
    told = [_with_signs(page, quad, reading, on_page) for quad, reading in zip(quads, readings, strict=True)]
    doubled = {sign for reading in told for sign in reading.text if sign in "„“”"}
    return [*map(_closed_as_opened, told)] if doubled == {"„", "“"} else told


def _with_signs(page: Pixels, quad: NDArray[np.float32], reading: Reading, on_page: _Page) -> Reading:
    text = reading.text
    if reading.corner or len(reading.places) != len(text) or not any(map(is_latin, text)):
        return reading
    kinds = _kinds(text, on_page)
    line = _line(cut(page, quad), reading) if kinds else None
    if line is None:
        return reading
    found = {(at, length): sign for kind in kinds for at, length, sign in kind(line, text)}
    for (at, length), sign in sorted(found.items(), reverse=True):
        reading = _replaced(reading, at, length, sign)
    return reading


def _kinds(text: str, on_page: _Page) -> list[Callable[[_Line, str], Iterator[tuple[int, int, str]]]]:
    """What to look for in a line; where its text hints at nothing, its ink is not looked at, which costs 0.5 ms."""
    asked = (
        (_quotes, on_page.closed),
        (_single_quotes, _COMMA.search(text)),
        (_exclamations, "!" in text),
        (_numbers, _NUMBER.search(text)),
        (_angles, on_page.angled),
    )
    return [kind for kind, is_asked in asked if is_asked]


def _spelt(reading: Reading) -> Reading:
    """The reading with quotation marks for the commas before a word that can be nothing else."""
    for pattern, sign in ((_DOUBLE, "„"), (_SINGLE, "‚")):
        while found := pattern.search(reading.text):
            reading = _replaced(reading, found.start(), len(found[0]), sign)
    return reading


def _closed_as_opened(reading: Reading) -> Reading:
    """The reading with `‚ ‘`, on a page that has `„ “`: what closes is taken for an apostrophe."""
    text = _CLOSED_SINGLE.sub(r"‚\1‘", reading.text)
    return reading if text == reading.text else msgspec.structs.replace(reading, text=text, doubts=())


def _quotes(line: _Line, text: str) -> Iterator[tuple[int, int, str]]:
    """Places before words where two commas stand that were not read."""
    for word in _WORDS.finditer(text):
        marks = [part for part in _before(line, text, word.start()) if _is_comma(part)]
        if _is_pair(*marks) if len(marks) == 2 else len(marks) == 1 and _is_joined_pair(marks[0]):
            yield word.start(), 0, "„"


def _is_pair(left: _Part, right: _Part) -> bool:
    return abs(left.height - right.height) <= 0.2 and right.left - left.right <= 0.35


def _is_joined_pair(part: _Part) -> bool:
    return part.width >= max(0.4, 0.8 * part.height)


def _single_quotes(line: _Line, text: str) -> Iterator[tuple[int, int, str]]:
    """Places of commas before a word, and of the raised ones behind a later word that close what they open."""
    for comma in _COMMA.finditer(text):
        for word in _ENDS.finditer(text, comma.end()):
            marks = _behind(line, text, word.end() - 1)
            if len(marks) == 1 and _is_raised(marks[0]):
                yield from ((comma.start(), 1, "‚"), (word.end(), 0, "‘"))
                break


def _is_raised(part: _Part) -> bool:
    return 0.25 <= part.height <= 0.75 and part.bottom <= -0.55 and part.width <= 0.5


def _is_comma(part: _Part) -> bool:
    return 0.25 <= part.height <= 0.85 and part.top >= -0.5 and part.bottom >= 0.08 and part.width <= 1.0


def _exclamations(line: _Line, text: str) -> Iterator[tuple[int, int, str]]:
    """Places where a word begins with an exclamation mark on its head."""
    for word in _WORDS.finditer(text):
        if word[0] not in "jJ" and _is_turned_mark(_before(line, text, word.start())):
            yield word.start(), 0, "¡"
    for word in _LETTER_FOR_MARK.finditer(text):
        at = line.places[word.start()]
        near = [part for part in line.parts if part.left - 0.3 <= at <= part.right + 0.3 and part.width <= 0.5]
        if _is_turned_mark(near):
            yield word.start(), 1, "¡"


def _is_turned_mark(parts: Sequence[_Part]) -> bool:
    """A dot, and under it a stroke that reaches below the base line."""
    if len(parts) != 2:
        return False
    dot, stroke = sorted(parts, key=lambda part: part.top)
    return (
        dot.height <= 0.45
        and dot.bottom <= stroke.top + 0.05
        and stroke.height >= 0.6
        and stroke.bottom >= 0.12
        and max(dot.width, stroke.width) <= 0.5
        and abs(dot.middle - stroke.middle) <= 0.25
    )


def _numbers(line: _Line, text: str) -> Iterator[tuple[int, int, str]]:
    """Places of an `N` before a number, with a small raised letter beside it; of `No`, with a stroke under that."""
    for sign in _NUMBER.finditer(text):
        begin = line.places[sign.start()]
        digit = next(i for i in range(sign.end(), len(text)) if text[i].isdigit())
        end = line.places[digit]
        if len(sign[0]) > 1:
            beside = [part for part in line.parts if begin + 0.4 < part.middle < end - 0.25]
            raised = any(-0.5 <= part.bottom <= -0.15 and part.top <= -0.6 for part in beside)
            stroke = any(part.height <= 0.3 and part.width >= 0.25 and abs(part.bottom) <= 0.12 for part in beside)
            if raised and stroke:
                yield sign.start(), len(sign[0]), "№"
            continue
        small = [part for part in line.parts if begin + 0.4 < part.middle < end - 0.25 and part.bottom <= 0.05]
        if any(part.height <= 0.95 and part.top <= -0.8 and part.width >= 0.25 for part in small):
            yield sign.start(), 1, "№"


def _angles(line: _Line, text: str) -> Iterator[tuple[int, int, str]]:
    """Places of angles that are narrow, as those of quotations are, and of such that were not read."""
    for pair in _ANGLES.finditer(text):
        ends = [(pair.start(), "‹"), (pair.end() - 1, "›")]
        parts = [_at(line, line.places[at]) for at, _ in ends]
        if all(part is not None and part.width <= 0.75 * part.height and part.height <= 1.15 for part in parts):
            yield from ((at, 1, sign) for at, sign in ends)
    opened = -1
    for word in _ENDS.finditer(text):
        at = word.start()
        before = text[at - 1 : at]
        if opened < 0 and before in ("", " ") and _is_angle(_before(line, text, at)):
            opened = at
        elif opened < 0 and before == "<" and _is_angle([part for part in [_at(line, line.places[at - 1])] if part]):
            opened = at - 1
        if opened < 0:
            continue
        end = word.end()
        read = text[end : end + 1] == ">" and _at(line, line.places[end])
        if _is_angle([read] if read else _behind(line, text, end - 1)):
            if text[opened] != "<" or not read:
                yield from ((opened, int(text[opened] == "<"), "‹"), (end, int(bool(read)), "›"))
            opened = -1


def _is_angle(parts: Sequence[_Part]) -> bool:
    """A small sign, higher than it is wide, between the base line and the small letters' upper end."""
    if len(parts) != 1:
        return False
    height, width = parts[0].height, parts[0].width
    return (
        0.35 <= height <= 0.9
        and 0.35 * height <= width <= 0.75 * height
        and parts[0].top >= -1.0
        and parts[0].bottom <= 0.05
    )


def _at(line: _Line, place: float) -> _Part | None:
    near = [part for part in line.parts if part.left - 0.35 <= place <= part.right + 0.35]
    return min(near, key=lambda part: abs(part.middle - place), default=None)


def _before(line: _Line, text: str, at: int) -> list[_Part]:
    """The parts that stand close before the first letter of a word, and are no part of what was read before it."""
    first = _nearest(line.letters, line.places[at])
    if first is None or not first.left - ASTRAY <= line.places[at] <= first.right + ASTRAY:
        return []
    begin = -np.inf
    if (before := text[:at].rstrip()) and (last := _nearest(line.parts, line.places[len(before) - 1])):
        begin = last.right
    near = _between(line.parts, max(begin, first.left - SIGN_REACH), first.left)
    close = [part for part in near if part.right <= first.left + 0.1 and part != first]
    kept: list[_Part] = []
    edge = first.left
    for part in sorted(close, key=lambda part: -part.right):
        if edge - part.right > 0.55:
            break
        kept, edge = [part, *kept], min(edge, part.left)
    return kept


def _behind(line: _Line, text: str, at: int) -> list[_Part]:
    """The parts that stand close behind the last letter of a word, and are no part of what was read behind it."""
    last = _nearest(line.letters, line.places[at])
    if last is None or not last.left - ASTRAY <= line.places[at] <= last.right + ASTRAY:
        return []
    end = np.inf
    rest = text[at + 1 :]
    behind = len(text) - len(rest.lstrip())
    if behind < len(text) and (following := _nearest(line.parts, line.places[behind])):
        end = following.left
    near = _between(line.parts, last.right - 0.1, last.right + SIGN_REACH)
    close = [part for part in near if part.right <= end and part != last]
    kept: list[_Part] = []
    edge = last.right
    for part in sorted(close, key=lambda part: part.left):
        if part.left - edge > 0.55:
            break
        kept, edge = [*kept, part], max(edge, part.right)
    return kept


def _nearest(parts: Sequence[_Part], place: float) -> _Part | None:
    """The part that stands at a place, or next to it; `parts` from the left."""
    at = bisect(parts, place, key=_left)
    some = parts[max(0, at - 3) : at + 1]
    return min(some, key=lambda part: max(0.0, part.left - place, place - part.right), default=None)


def _between(parts: Sequence[_Part], begin: float, end: float) -> Sequence[_Part]:
    """Those of the parts, from the left, that begin between two places."""
    return parts[bisect_left(parts, begin, key=_left) : bisect(parts, end, key=_left)]


def _left(part: _Part) -> float:
    return part.left


def _line(crop: Pixels, reading: Reading) -> _Line | None:
    """The ink of a crop (H, W, 3); None where its letters cannot be measured."""
    away = from_paper(crop)
    if away.max() < MIN_PRINT_CONTRAST:
        return None
    boxes = components(ink_of(away, contrast=0))[2][1:]
    left, top, wide, high, _ = boxes.T.astype(np.float64)
    tall = (
        high >= LETTER_HEIGHT * np.median(high[high > 0.2 * len(away)]) if (high > 0.2 * len(away)).any() else high < 0
    )
    if tall.sum() < MIN_LETTERS:
        return None
    base, small = float(np.median((top + high)[tall])), float(np.percentile(high[tall], 25))
    order = np.argsort(left, kind="stable")
    left, top, wide, high = (each[order] for each in (left, top, wide, high))
    parts = [
        _Part(x / small, (x + w) / small, (y - base) / small, (y + h - base) / small)
        for x, y, w, h in zip(*map(np.ndarray.tolist, (left, top, wide, high)), strict=True)
        if h >= 0.12 * small or w >= 0.12 * small
    ]
    if small < MIN_PIXELS or len(parts) > PARTS_BY_LETTER * len(reading.text.replace(" ", "")) + MIN_LETTERS:
        return None
    width = crop.shape[1] / small
    letters = [part for part in parts if part.height >= LETTER_HEIGHT and part.bottom <= LOWEST]
    return _Line(parts, letters, [place * width for place in reading.places])


def _replaced(reading: Reading, at: int, length: int, sign: str) -> Reading:
    """The reading with a sign for so many characters, of which it has at least one."""
    places, certainty = [*reading.places], [*reading.certainty]
    if places:
        beside = places[max(0, at - 1)], places[min(at, len(places) - 1)]
        places[at : at + length] = [places[at] if length else sum(beside) / 2]
    if certainty:
        certainty[at : at + length] = [min(certainty[max(0, at - 1) : at + max(1, length)])]
    text = reading.text[:at] + sign + reading.text[at + length :]
    return msgspec.structs.replace(reading, text=text, places=tuple(places), certainty=tuple(certainty), doubts=())
