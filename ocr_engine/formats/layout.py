"""Text as it stands on the page, as people know it from `pdftotext -layout`: columns of cells aligned by blanks.

What is one row stands on one line; what is read one after the other, such as columns of prose, stays so. A row's cells
are set by their left edges, numbers by their right ones, and edges that are one on the page are one in the text.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from statistics import median

from msgspec import Struct

from ocr_engine.formats.shared.places import box_of, upright
from ocr_engine.formats.source import Source
from ocr_engine.result import OcrLine, OcrPage

MAX_BLANKS = 60
"""Characters that a text begins at, at most: a lone page number at the right."""
SAME_CELL_EDGE = 0.6
"""Edges that differ by less, in heights of a line, are one."""
MIN_GAP = 2
"""Blanks between two cells."""
BLANK_LINE = 1.1
"""White space above a row, in heights of a line, that is shown as an empty line."""
_NUMBER = re.compile(r"[^\w]*(?:[A-Z]{1,3}\s?)?[\d][\d\s.,:/%-]*[^\w]*[A-Z]{0,2}[^\w]*")


class _Cell(Struct):
    """A line, upright; `at` is the first character it is set from, told last."""

    text: str
    left: float
    right: float
    top: float
    bottom: float
    at: int = 0

    @property
    def height(self) -> float:
        return self.bottom - self.top

    @property
    def length(self) -> int:
        """Characters of a terminal: East Asian ones are two wide."""
        return sum(2 if unicodedata.east_asian_width(each) in "WF" else 1 for each in self.text)


def write(pages: Iterable[OcrPage], source: Source) -> Iterator[str]:
    """Page by page, apart by a form feed."""
    for number, page in enumerate(pages):
        if number:
            yield "\f"
        yield "".join(f"{line}\n" for line in _lines(page))


def _lines(page: OcrPage) -> Iterator[str]:
    rows = [[_cell(line, page) for line in row] for row in page.rows]
    above: _Cell | None = None
    for region in _regions(rows):
        _set(region)
        for row in region:
            if above is not None and not 0 <= row[0].top - above.bottom < BLANK_LINE * row[0].height:
                yield ""
            above = row[0]
            yield _written(row)


def _cell(line: OcrLine, page: OcrPage) -> _Cell:
    box = box_of([upright(line.polygon, page)]) if page.rotation else box_of([line.polygon])
    return _Cell(line.text, box.left, box.right, box.top, box.bottom)


def _regions(rows: Sequence[list[_Cell]]) -> Iterator[list[list[_Cell]]]:
    """Rows that stand below each other: the next column begins a new one."""
    region: list[list[_Cell]] = []
    for row in rows:
        if region and row[0].top < region[-1][0].top - 0.5 * row[0].height:
            yield region
            region = []
        region.append(row)
    if region:
        yield region


def _set(region: Sequence[list[_Cell]]) -> None:
    """Gives every cell of a region its first character."""
    cells = [cell for row in region for cell in row]
    pitch = median((cell.right - cell.left) / max(1, cell.length) for cell in cells) or 1.0
    origin = min(cell.left for cell in cells)
    near = SAME_CELL_EDGE * median(cell.height for cell in cells)
    before = {id(cell): left for row in region for left, cell in zip([None, *row], row, strict=False)}
    for numbers, edge in _edges(cells, near):
        begins = [(cell, _room(before[id(cell)])) for cell in edge]
        if numbers:
            at = round((median(cell.right for cell in edge) - origin) / pitch)
            at = max(at, *(room + cell.length for cell, room in begins))
        else:
            at = min(MAX_BLANKS, round((min(cell.left for cell in edge) - origin) / pitch))
            at = max(at, *(room for _, room in begins), 0)
        for cell in edge:
            cell.at = at - cell.length if numbers else at


def _room(left: _Cell | None) -> int:
    """The first character that is free behind the cell on the left."""
    return left.at + left.length + MIN_GAP if left is not None else 0


def _edges(cells: Sequence[_Cell], near: float) -> Iterator[tuple[bool, list[_Cell]]]:
    """Cells that share an edge, from the left of the page; numbers, which share their right one, are told by True.

    Whatever stands left of a cell in its row comes before it.
    """
    found: list[tuple[bool, float, list[_Cell]]] = []
    for cell in sorted(cells, key=_anchor):
        number = _is_number(cell)
        known = next((e for e in reversed(found) if e[0] == number and abs(e[1] - _anchor(cell)) < near), None)
        if known:
            known[2].append(cell)
        else:
            found.append((number, _anchor(cell), [cell]))
    yield from ((number, edge) for number, _, edge in found)


def _anchor(cell: _Cell) -> float:
    return cell.right if _is_number(cell) else cell.left


def _is_number(cell: _Cell) -> bool:
    return _NUMBER.fullmatch(cell.text) is not None


def _written(row: Sequence[_Cell]) -> str:
    line, length = "", 0
    for cell in row:
        blanks = max(cell.at - length, MIN_GAP if line else 0)
        line += " " * blanks + cell.text
        length += blanks + cell.length
    return line
