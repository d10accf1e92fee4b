"""The drawing of a page's unseen text: every word on its print, in one font at size 1."""

import math
import re
from collections.abc import Callable, Iterator, Sequence
from itertools import zip_longest

from msgspec import Struct

from ocr_engine.formats.shared.direction import is_right_to_left
from ocr_engine.formats.shared.places import spaced
from ocr_engine.result import OcrLine, OcrPage, OcrWord, Point
from ocr_engine.searchable.font import SPACE, UnseenFont, is_wide
from ocr_engine.searchable.places import Box, ToPoints

BASE_LINE = 0.2
"""Of the height of a line, above its lower edge: readers then tell the line's box as that of each word."""
MAX_LEVELLED = math.radians(15)
"""Up to which a skewed line's words are set level, each at its own place: on a turned base line readers split them."""
MAX_DRIFT = 0.25
"""Of its height, by which a line may rise or fall from end to end and still have one base line."""
READABLE_DRIFT = 0.3
"""Up to which poppler takes words at their own places for one line; it reads those of a steeper one from the top."""
MAX_FLATTENED = 1.2
"""Drift of lines that are flattened to that: their ends come to lie up to half of a line's height off their print."""
MIN_SPACE = 0.1
"""Width of the gap for a blank at least, by the height of its line: readers know it by that."""
LARGE_PRINT, FINE_PRINT = 6.0, 4.0
"""Points: of larger print, tenths of them are exact enough; of finer one, hundredths are not."""
MAX_SIZE = 14_000.0
"""Points: what PDF 1.7 allows for a page is 14 400."""
_DIGITS = re.compile(r"\d[\d.,:/\u0660-\u066c\u06f0-\u06f9]*")

Said = Callable[[Box, str], bool]
"""Whether the page itself says this text in this box, where it can be seen."""


class _Axes(Struct, frozen=True):
    """Along a line, and up from it, as unit vectors of the page."""

    x: float
    y: float

    def along(self, point: Point) -> float:
        return point[0] * self.x + point[1] * self.y

    def up(self, point: Point) -> float:
        return point[1] * self.x - point[0] * self.y

    def back(self, along: float, up: float) -> Point:
        return along * self.x - up * self.y, along * self.y + up * self.x


class _Word(Struct, frozen=True):
    """What is shown in one piece: where it begins and ends along its line, in points."""

    begin: float
    end: float
    text: str
    blank: bool
    """Whether one follows."""


class _Line(Struct, frozen=True):
    """Where a line stands in its own axes: base and height as they change along it."""

    axes: _Axes
    begin: float
    end: float
    bottoms: tuple[float, float]
    tops: tuple[float, float]

    def at(self, along: float) -> tuple[float, float]:
        """Lower edge and height of what stands there."""
        share = min(1.0, max(0.0, (along - self.begin) / max(self.end - self.begin, 1e-6)))
        bottom, top = (a + share * (b - a) for a, b in (self.bottoms, self.tops))
        return bottom, min(MAX_SIZE, max(top - bottom, 0.1))


def layer_of(page: OcrPage, to_points: ToPoints, font: UnseenFont, name: str, said: Said = lambda *_: False) -> bytes:
    """The content stream of the page's confident lines; empty where there are none. What is `said` is left out.

    `name`: the font's among the page's resources, with its slash.
    """
    shown = [part for line in page.lines if not line.low_confidence for part in _line(line, to_points, font, said)]
    return b"\n".join((f"q BT 3 Tr {name} 1 Tf".encode(), *shown, b"ET Q\n")) if shown else b""


def _line(line: OcrLine, to_points: ToPoints, font: UnseenFont, said: Said) -> Iterator[bytes]:
    placed = _placed(to_points.polygon(line.polygon))
    words = [_Word(*_extent(word, to_points, placed.axes), word.text, blank) for word, blank in spaced(line)]
    if is_right_to_left(line.text):
        # readers turn what is written from the right themselves, and lose blanks of what is not written as it stands
        words.sort(key=lambda word: word.begin)
        words = [_Word(word.begin, word.end, _as_it_stands(word.text), blank=True) for word in words]
    words = _kept_apart(_closed_up(words), MIN_SPACE * placed.at(placed.begin)[1])
    for number, word in enumerate(words):
        bottom, height = placed.at((word.begin + word.end) / 2)
        if said(_box(placed.axes, word, bottom, height), word.text):
            continue
        base = bottom + BASE_LINE * height
        has_blank = word.blank and number + 1 < len(words)
        yield from _shown(word, SPACE if has_blank else "", placed.axes, base, height, font)


def _closed_up(words: Sequence[_Word]) -> list[_Word]:
    """Words without a blank between them meet halfway, so that readers see no gap; of wide characters, which stand at
    even distances, they become one.
    """
    closed: list[_Word] = []
    for word in words:
        last = closed[-1] if closed else None
        if last is None or last.blank or last.begin >= word.begin:
            closed.append(word)
        elif is_wide(last.text[-1]) and is_wide(word.text[0]):
            closed[-1] = _Word(last.begin, max(last.end, word.end), last.text + word.text, word.blank)
        else:
            middle = max(last.begin, min((last.end + word.begin) / 2, word.end))
            closed[-1] = _Word(last.begin, middle, last.text, blank=False)
            closed.append(_Word(middle, word.end, word.text, word.blank))
    return closed


def _kept_apart(words: Sequence[_Word], space: float) -> list[_Word]:
    """Words between which a blank stands end so much before the next one at least: readers lose it otherwise."""
    kept = []
    for word, after in zip_longest(words, words[1:]):
        reach = after.begin - space if after and word.blank and after.begin > word.begin + 2 * space else word.end
        kept.append(_Word(word.begin, min(word.end, reach), word.text, word.blank))
    return kept


def _placed(corners: Sequence[Point]) -> _Line:
    a, b, c, d = corners
    angle = math.atan2(b[1] - a[1], b[0] - a[0])
    quarter = round(angle / (math.pi / 2)) * math.pi / 2
    if abs(angle - quarter) < MAX_LEVELLED:
        angle = quarter
    axes = _Axes(round(math.cos(angle), 6), round(math.sin(angle), 6))
    begin, end = (sum(map(axes.along, ends)) / 2 for ends in ((a, d), (b, c)))
    bottoms, tops = (axes.up(d), axes.up(c)), (axes.up(a), axes.up(b))
    height = (sum(tops) - sum(bottoms)) / 2
    drift = max(abs(tops[0] - tops[1]), abs(bottoms[0] - bottoms[1]))
    if drift < MAX_DRIFT * height:
        bottoms, tops = _flattened(bottoms, 0.0), _flattened(tops, 0.0)
    elif READABLE_DRIFT * height < drift < MAX_FLATTENED * height:
        share = READABLE_DRIFT * height / drift
        bottoms, tops = _flattened(bottoms, share), _flattened(tops, share)
    return _Line(axes, begin, end, bottoms, tops)


def _flattened(ends: tuple[float, float], share: float) -> tuple[float, float]:
    """Both about their middle, as far apart as this share of what they were."""
    middle, half = sum(ends) / 2, share * (ends[0] - ends[1]) / 2
    return middle + half, middle - half


def _extent(word: OcrWord, to_points: ToPoints, axes: _Axes) -> tuple[float, float]:
    a, b, c, d = map(axes.along, to_points.polygon(word.polygon))
    # the middles of both ends: the corners of a word that lies askew reach over the blank beside it
    return min((a + d) / 2, (b + c) / 2), max((a + d) / 2, (b + c) / 2)


def _box(axes: _Axes, word: _Word, bottom: float, height: float) -> Box:
    corners = [axes.back(along, up) for along in (word.begin, word.end) for up in (bottom, bottom + height)]
    xs, ys = zip(*corners, strict=True)
    return min(xs), min(ys), max(xs), max(ys)


def _shown(word: _Word, behind: str, axes: _Axes, base: float, height: float, font: UnseenFont) -> Iterator[bytes]:
    codes = font.encoded(word.text + behind)
    if not codes:
        return
    # the matrix stretches what is shown at size 1 to the print; Tz would be lost by poppler between two BT
    across = max(word.end - word.begin, 0.01) / (font.width(word.text) or 1.0)
    x, y = axes.back(word.begin, base)
    numbers = (across * axes.x, across * axes.y, -height * axes.y, height * axes.x, x, y)
    digits = 1 if height > LARGE_PRINT else 2 if height > FINE_PRINT else 4
    # the scale of each letter adds up over a word
    written = [_number(value, digits + (place < len(numbers) - 2)) for place, value in enumerate(numbers)]
    placed = " ".join(written)
    yield placed.encode() + b" Tm(" + codes + b")Tj"


def _number(value: float, digits: int) -> str:
    written = f"{value:.{digits}f}".rstrip("0").rstrip(".")
    return "0" if written in ("-0", "") else written


def _as_it_stands(text: str) -> str:
    """The letters from the left; numbers among them stand from the left anyway."""
    if not is_right_to_left(text):
        return text
    return _DIGITS.sub(lambda number: number[0][::-1], text)[::-1]
