"""Where words and lines stand, in the whole pixels and the upright page that formats ask for."""

import math
from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct

from ocr_engine.result import OcrBlock, OcrLine, OcrPage, OcrWord, Point, Polygon


class Box(Struct, frozen=True):
    """A level box in pixels, `right` and `bottom` the first ones outside."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        return self.right - self.left

    @property
    def height(self) -> int:
        return self.bottom - self.top


def box_of(polygons: Iterable[Polygon]) -> Box:
    """The smallest box of whole pixels around the polygons; none is empty."""
    points = [point for polygon in polygons for point in polygon]
    left, top = (max(0, math.floor(min(each))) for each in zip(*points, strict=True))
    right, bottom = (math.ceil(max(each)) for each in zip(*points, strict=True))
    return Box(left, top, max(right, left + 1), max(bottom, top + 1))


def around(boxes: Iterable[Box]) -> Box:
    """The smallest box around all; at least one."""
    lefts, tops, rights, bottoms = zip(*((box.left, box.top, box.right, box.bottom) for box in boxes), strict=True)
    return Box(min(lefts), min(tops), max(rights), max(bottoms))


def line_box(line: OcrLine) -> Box:
    """The smallest box around the line's words: closer to its ink than its own, which reaches into the next line's."""
    return box_of(word.polygon for word in line.words) if line.words else box_of([line.polygon])


def words_of(line: OcrLine) -> Sequence[OcrWord]:
    """The line's words; where none were told, its text cut at blanks and spread over the line, all letters alike."""
    if line.words:
        return line.words
    words, at, length = [], 0, max(1, len(line.text))
    for text in line.text.split():
        first = line.text.index(text, at)
        at = first + len(text)
        words.append(OcrWord(text, line.confidence, _part(line.polygon, first / length, at / length)))
    return words


def spaced(line: OcrLine) -> Iterator[tuple[OcrWord, bool]]:
    """The line's words, and whether a blank follows each."""
    at = 0
    for word in words_of(line):
        found = line.text.find(word.text, at)
        at = found + len(word.text) if found >= 0 else at
        yield word, at < len(line.text) and line.text[at].isspace()


def upright(polygon: Polygon, page: OcrPage) -> Polygon:
    """Where it stands once the page is turned so that its text stands upright."""
    a, b, c, d = (_turned(point, page) for point in polygon)
    return a, b, c, d


def blocks_of(page: OcrPage) -> Sequence[OcrBlock]:
    """The page's blocks; one of all confident lines with text where none were told."""
    if page.blocks:
        return page.blocks
    told = tuple(i for i, line in enumerate(page.lines) if line.text.strip() and not line.low_confidence)
    return (OcrBlock(kind="paragraph", lines=told),) if told else ()


def _turned(point: Point, page: OcrPage) -> Point:
    x, y = point
    match page.rotation:
        case 0:
            return x, y
        case 90:
            return page.height - y, x
        case 180:
            return page.width - x, page.height - y
        case 270:
            return y, page.width - x


def _part(polygon: Polygon, begins: float, ends: float) -> Polygon:
    a, b, c, d = polygon
    return _between(a, b, begins), _between(a, b, ends), _between(d, c, ends), _between(d, c, begins)


def _between(a: Point, b: Point, share: float) -> Point:
    return round(a[0] + share * (b[0] - a[0]), 1), round(a[1] + share * (b[1] - a[1]), 1)
