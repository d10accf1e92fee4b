"""The order in which a person would read the lines of a page.

Row by row is right for receipts, forms and tables, and wrong for whatever is set in columns. So the page is read row
by row unless there is evidence of columns: then it is cut. A recursive XY-cut (Nagy and Seth, ICPR 1984) finds the
white spaces; which of them part columns is decided as Breuel does (High performance document layout analysis, SDIUT
2003), by what stands beside a space rather than by its width. See `evidence` for the judgement and `cut` for the cuts.
"""

from collections.abc import Sequence

import numpy as np

from ocr_engine.layout.blocks import find_blocks, plumb, prose
from ocr_engine.layout.cut import Cutter, rows
from ocr_engine.layout.evidence import neighbours
from ocr_engine.layout.lines import level
from ocr_engine.result import Polygon

__all__ = ["reading_order", "row_order"]


def reading_order(polygons: Sequence[Polygon]) -> list[int]:
    """Indices of the lines' boxes, in pixels of the page turned upright, in reading order; each exactly once.

    Columns are read one after the other, tables and forms row by row, pages of vertical text from the right.
    """
    if len(polygons) < 2:
        return list(range(len(polygons)))
    lines = level(polygons)
    runs = find_blocks(lines)
    lines = plumb(lines, runs)
    likely = prose(lines, runs)
    return Cutter(lines, likely, neighbours(lines, likely)).order(np.arange(len(polygons)))


def row_order(polygons: Sequence[Polygon]) -> list[int]:
    """Indices of the lines row by row, each row from the left, even where there are columns; each exactly once."""
    return rows(level(polygons), np.arange(len(polygons))) if polygons else []
