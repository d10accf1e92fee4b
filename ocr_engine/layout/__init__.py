"""The order in which a person would read the lines of a page.

Row by row is right for receipts, forms and tables, and wrong for whatever is set in columns. So the page is read row
by row unless there is evidence of columns: then it is cut. A recursive XY-cut (Nagy and Seth, ICPR 1984) finds the
white spaces; which of them part columns is decided as Breuel does (High performance document layout analysis, SDIUT
2003), by what stands beside a space rather than by its width. See `evidence` for the judgement, `wording` for what the
words of the lines say to it, and `cut` for the cuts; `gutters` finds what has to be cut before, boxes that detection
drew over two columns.
"""

from collections.abc import Sequence

import msgspec
import numpy as np

from ocr_engine.layout.blocks import find_blocks, plumb, prose
from ocr_engine.layout.cut import Cutter, rows
from ocr_engine.layout.entries import entries
from ocr_engine.layout.evidence import neighbours
from ocr_engine.layout.gutters import Piece, pieces
from ocr_engine.layout.lines import Flags, Floats, Lines, is_vertical, level
from ocr_engine.layout.row_mates import mates
from ocr_engine.layout.wording import by_words, goes_on
from ocr_engine.result import Polygon

__all__ = ["Piece", "from_the_top", "pieces_in_order", "reading_order", "row_order"]

Rows = list[list[int]]
"""Indices of lines in reading order, those in one list that are read as one row, from left to right."""


def reading_order(polygons: Sequence[Polygon]) -> list[int]:
    """Indices of the lines' boxes, in pixels of the page turned upright, in reading order; each exactly once.

    Columns are read one after the other, tables and forms row by row, pages of vertical text from the right.
    """
    return _flat(_order(level(polygons), np.full(len(polygons), np.nan))) if polygons else []


def pieces_in_order(
    polygons: Sequence[Polygon], texts: Sequence[str], places: Sequence[Sequence[float]]
) -> list[Piece]:
    """The lines in that order; those that reach over two columns in pieces, where these are not read together.

    `places`: the middle of each character of a level line, by the width of its box, 0 to 1; else none.
    """
    if not polygons:
        return []
    lines = level(polygons, texts)
    if is_vertical(polygons, texts):
        order = _flat(_order(lines, np.full(len(polygons), np.nan)))
        return [Piece(line, 0, len(texts[line]), row=row) for row, line in enumerate(order, 1)]
    parts = pieces(lines, texts, places)
    ordered: list[Piece] = []
    said = [texts[part.line][part.first : part.last].strip() for part in parts]
    in_rows = _order_by_words(_of_pieces(lines, parts), said)
    for row, part in ((row, parts[i]) for row, members in enumerate(in_rows, 1) for i in members):
        last = ordered[-1] if ordered else None
        if last and (last.line, last.last) == (part.line, part.first):
            ordered[-1] = msgspec.structs.replace(last, last=part.last, ends=part.ends)
        else:
            ordered.append(msgspec.structs.replace(part, row=row))
    return ordered


def row_order(polygons: Sequence[Polygon], texts: Sequence[str] | None = None) -> Rows:
    """Indices of the lines row by row, each row from the left, even where there are columns; each exactly once."""
    return rows(level(polygons, texts), np.arange(len(polygons))) if polygons else []


def from_the_top(polygons: Sequence[Polygon], texts: Sequence[str] | None = None) -> list[int]:
    """Indices of the lines by their upper edges, level ones from the left, whatever belongs together."""
    lines = level(polygons, texts)
    return [int(line) for line in np.lexsort((lines.left, lines.top))]


def _flat(in_rows: Rows) -> list[int]:
    return [line for row in in_rows for line in row]


def _order_by_words(lines: Lines, texts: Sequence[str]) -> Rows:
    """Indices of the lines in reading order, where what they say counts, too."""
    found = entries(lines, texts)
    if found is None:
        return _order(lines, goes_on(texts))
    said = [" ".join(texts[i] for i in members) for members in found.members]
    in_rows = _order(found.lines, goes_on(said), found.certain)
    return [[line for entry in row for line in found.members[entry]] for row in in_rows]


def _order(lines: Lines, running: Floats, certain: Flags | None = None) -> Rows:
    """Indices of the lines in reading order.

    `running` (n,): which go on with a sentence, as `goes_on` tells; `certain` (n,): which are prose, however they look.
    """
    if certain is None:
        certain = np.zeros(len(lines.left), dtype=bool)
    runs = find_blocks(lines)
    lines = plumb(lines, runs)
    most, least = by_words(prose(lines, runs), lines, runs, running)
    pairs = neighbours(lines, np.maximum(least, certain), certain)
    looks = np.maximum(most, certain)
    found = Cutter(lines, looks, pairs, runs).order(np.arange(len(lines.left)))
    return [part for row in found for part in mates(row, lines, looks)]


def _of_pieces(lines: Lines, parts: Sequence[Piece]) -> Lines:
    line = np.array([part.line for part in parts])
    left, width = lines.left[line], lines.width[line]
    begins = left + width * [part.begins for part in parts]
    ends = left + width * [part.ends for part in parts]
    return Lines(begins, lines.top[line], np.maximum(ends, begins + 1), lines.bottom[line])
