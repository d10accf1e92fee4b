"""Running text: which lines make a paragraph, which are headings, and which items of a list."""

import re
from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise
from statistics import median

from msgspec import Struct

from ocr_engine.result import OcrBlock
from ocr_engine.structure.cells import around
from ocr_engine.structure.frame import Box, Item

# Lengths are multiples of the height of the lines in question.
MAX_PARAGRAPH_LEADING = 0.9
"""Most white space between two lines of one paragraph, where the page's own leading is no wider."""
PARAGRAPH_GAP = 1.35
"""White space between lines, by the page's usual one, from where it parts paragraphs."""
SAME_PARAGRAPH_SIZE = 0.72
"""Least ratio of the heights of two lines of one paragraph."""
MIN_INDENT = 0.8
"""A line that begins so far to the right of the one above it begins a paragraph."""
MAX_LAST_LINE = 0.8
"""A line that fills less of its paragraph's width, and ends a sentence, ends the paragraph."""
MIN_HEADING_HEIGHT = 1.25
"""Height of a heading's lines by that of the page's text."""
SAME_LEVEL = 0.88
"""Ratio of heights from which two headings are of one level."""
MAX_HEADING_LINES = 3
"""Lines of a heading, at most."""
MAX_HEADING_LETTERS = 150
"""Letters of a heading, at most."""
_MARKER = re.compile(r"\s*(?:[•·▪‣◦●○■*–—-]|\(?(?:\d{1,3}|[a-zA-Z]|[ivx]{1,4})[.)])\s+\S")
"""What an item of a list begins with."""
_SENTENCE = re.compile(r"[.!?:;。！？：…]['\"”’)\]]*\s*$")


class Row(Struct, frozen=True):
    """What stands in one row, from the left."""

    items: tuple[Item, ...]
    box: Box

    @property
    def text(self) -> str:
        return " ".join(item.text for item in self.items)

    @property
    def height(self) -> float:
        return median(item.box.height for item in self.items)


def paragraphs(items: Sequence[Item], page: Sequence[Item]) -> list[OcrBlock]:
    """The blocks of these lines, which come in reading order; `page` has all lines: how large its print is."""
    if not items:
        return []
    rows = [_row(tuple(members)) for _, members in groupby(items, key=lambda item: item.row)]
    usual = _usual_height(page)
    leading = _usual_leading(rows)
    found = [_block(group, usual) for group in _groups(rows, leading, usual)]
    return _levelled(list(_lists(found)), {item.index: item for item in items})


def _row(members: tuple[Item, ...]) -> Row:
    return Row(members, around(item.box for item in members))


def _usual_height(items: Sequence[Item]) -> float:
    """Height that most letters have."""
    by_height = sorted((item.box.height, len(item.text)) for item in items)
    half = sum(letters for _, letters in by_height) / 2
    for height, letters in by_height:
        half -= letters
        if half <= 0:
            return height
    return by_height[-1][0]


def _usual_leading(rows: Sequence[Row]) -> float:
    """White space between lines, by their height, that is usual."""
    spaces = [_space(above, below) for above, below in pairwise(rows) if _is_below(above, below)]
    close = [space for space in spaces if space < MAX_PARAGRAPH_LEADING]
    return median(close) if close else 0.0


def _space(above: Row, below: Row) -> float:
    return (below.box.top - above.box.bottom) / min(above.height, below.height)


def _is_below(above: Row, below: Row) -> bool:
    shared = min(above.box.right, below.box.right) - max(above.box.left, below.box.left)
    return below.box.y > above.box.y and shared > 0


def _groups(rows: Sequence[Row], leading: float, usual: float) -> Iterator[list[Row]]:
    group: list[Row] = []
    for row in rows:
        if group and not _belongs(group, row, leading, usual):
            yield group
            group = []
        group.append(row)
    if group:
        yield group


def _belongs(group: Sequence[Row], row: Row, leading: float, usual: float) -> bool:
    """Whether a row goes on with the paragraph above it."""
    above = group[-1]
    height = min(above.height, row.height)
    if not _is_below(above, row) or height < SAME_PARAGRAPH_SIZE * max(above.height, row.height):
        return False
    if _space(above, row) > max(leading + (PARAGRAPH_GAP - 1) * (1 + leading), 0.3):
        return False
    if (above.height >= MIN_HEADING_HEIGHT * usual) != (row.height >= MIN_HEADING_HEIGHT * usual):
        return False
    if _MARKER.match(row.text) or len(row.items) > 1 or len(above.items) > 1:
        return False
    if _MARKER.match(group[0].text):
        return row.box.left > group[0].box.left - MIN_INDENT * height
    left = min(each.box.left for each in group[1:]) if len(group) > 1 else above.box.left
    if row.box.left - left > MIN_INDENT * height and (len(group) > 1 or above.box.left <= left):
        return _is_centred(group, row)
    width = max(each.box.right for each in [*group, row]) - min(each.box.left for each in [*group, row])
    ended = _SENTENCE.search(above.text) is not None
    return not (ended and above.box.right - min(each.box.left for each in group) < MAX_LAST_LINE * width)


def _is_centred(group: Sequence[Row], row: Row) -> bool:
    return all(abs(each.box.x - row.box.x) < row.height for each in group)


def _block(group: Sequence[Row], usual: float) -> OcrBlock:
    lines = tuple(item.index for row in group for item in row.items)
    letters = sum(len(row.text) for row in group)
    large = median(row.height for row in group) >= MIN_HEADING_HEIGHT * usual
    if (
        large
        and len(group) <= MAX_HEADING_LINES
        and letters <= MAX_HEADING_LETTERS
        and any(map(str.isalpha, group[0].text))
    ):
        return OcrBlock(kind="heading", lines=lines)
    if _MARKER.match(group[0].text):
        return OcrBlock(kind="list", lines=lines, items=(lines,))
    return OcrBlock(kind="paragraph", lines=lines)


def _lists(blocks: Sequence[OcrBlock]) -> Iterator[OcrBlock]:
    """The blocks, items of lists that follow each other as one; an item alone is a paragraph."""
    for is_list, members in groupby(blocks, key=lambda block: block.kind == "list"):
        items = list(members)
        if is_list and len(items) > 1:
            lines = tuple(line for item in items for line in item.lines)
            yield OcrBlock(kind="list", lines=lines, items=tuple(item.lines for item in items))
        elif is_list:
            yield OcrBlock(kind="paragraph", lines=items[0].lines)
        else:
            yield from items


def _levelled(blocks: Sequence[OcrBlock], items: dict[int, Item]) -> list[OcrBlock]:
    """The blocks, headings of the largest print at level 1, of the next smaller at level 2, and so on."""
    sizes = {i: median(items[line].box.height for line in b.lines) for i, b in enumerate(blocks) if b.kind == "heading"}
    levels: dict[int, int] = {}
    level, size = 0, float("inf")
    for i in sorted(sizes, key=lambda i: -sizes[i]):
        if sizes[i] < SAME_LEVEL * size:
            level, size = level + 1, sizes[i]
        levels[i] = min(6, level)
    return [
        OcrBlock(kind="heading", lines=block.lines, level=levels[i]) if i in levels else block
        for i, block in enumerate(blocks)
    ]
