"""Tables without rules, by cells that stand below each other.

Rows of at least two cells, closely below each other, with white spaces that run down through (nearly) all of them: what
lies between two such spaces is a column. Prose shows no such spaces, and its columns share no rows.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise
from statistics import median

from msgspec import Struct

from ocr_engine.result import OcrBlock, OcrCell
from ocr_engine.structure.cells import Placed, around, text_of
from ocr_engine.structure.frame import Box, Frame, Item

# Lengths are multiples of the median height of the lines in question.
CELL_GAP = 1.3
"""White space between two words of one line that parts cells."""
MAX_ROW_SPACE = 2.0
"""Most white space between two rows of one table."""
MIN_COLUMN_GAP = 0.5
"""Least width of the white space between two columns."""
MIN_ROWS = 3
"""Rows with several cells that make a table of two columns; one less where there are more columns."""
MAX_CROSSING = 0.2
"""Share of such rows that may cross the space between two columns: their cells span them."""
MIN_FILLED = 0.3
"""Share of the rows that have something in a column, for it to be one."""
MIN_REGULAR = 0.6
"""Share of the rows that cross no space between columns."""
MAX_WRAP_SPACE = 0.6
"""Most white space above the second line of a cell."""


class Cell(Struct):
    """Words that stand closely together in a row."""

    words: list[Placed]
    box: Box


class Row(Struct):
    """The cells of one row, from the left."""

    cells: list[Cell]
    box: Box


def aligned_tables(items: Sequence[Item], frame: Frame) -> list[OcrBlock]:
    """The tables that these lines, in reading order, make."""
    found = []
    for stretch in _stretches([_row(list(members)) for _, members in groupby(items, key=lambda item: item.row)]):
        rows = _trimmed(stretch)
        if rows and (columns := _columns(rows)):
            found.append(_table(rows, columns, frame))
    return found


def _row(members: Sequence[Item]) -> Row:
    cells = [cell for item in sorted(members, key=lambda item: item.box.left) for cell in _cells(item)]
    return Row(cells, around(cell.box for cell in cells))


def _cells(item: Item) -> Iterator[Cell]:
    """The line, cut where its words stand far apart."""
    gap = CELL_GAP * item.box.height
    words: list[Placed] = []
    at = 0
    for word in item.words:
        place = max(at, item.text.find(word.text, at))
        if words and word.box.left - words[-1].word.box.right > gap:
            yield Cell(words, around(each.word.box for each in words))
            words = []
        words.append(Placed(item.index, word, place > at))
        at = place + len(word.text)
    yield Cell(words, around(each.word.box for each in words) if words else item.box)


def _stretches(rows: Sequence[Row]) -> Iterator[list[Row]]:
    """Rows closely below each other, of which no two in succession have a single cell."""
    stretch: list[Row] = []
    for row in rows:
        lone = len(row.cells) < 2
        if stretch and (_apart(stretch[-1], row) or (lone and len(stretch[-1].cells) < 2)):
            yield stretch
            stretch = []
        stretch.append(row)
    if stretch:
        yield stretch


def _apart(above: Row, below: Row) -> bool:
    height = min(above.box.height, below.box.height)
    space = below.box.top - above.box.bottom
    return space > MAX_ROW_SPACE * height or space < -height


def _trimmed(rows: Sequence[Row]) -> list[Row]:
    """Without rows of a single cell at both ends: a heading above, a remark below."""
    several = [i for i, row in enumerate(rows) if len(row.cells) > 1]
    return list(rows[several[0] : several[-1] + 1]) if several else []


def _columns(rows: Sequence[Row]) -> list[tuple[float, float]]:
    """Left and right end of each column; none where there is no table."""
    several = [row for row in rows if len(row.cells) > 1]
    if len(several) < 2:
        return []
    unit = median(row.cells[0].box.height for row in several)
    columns = _covered(several, MIN_COLUMN_GAP * unit)
    filled = [column for column in columns if _share(several, column) >= MIN_FILLED]
    regular = sum(all(_column(cell, columns)[1] == 1 for cell in row.cells) for row in several) / len(several)
    enough = len(several) >= MIN_ROWS - (len(filled) > 2)
    return columns if enough and len(filled) > 1 and regular >= MIN_REGULAR else []


def _covered(rows: Sequence[Row], least: float) -> list[tuple[float, float]]:
    """Where across the page cells stand in more than a few of the rows, with spaces of `least` pixels between."""
    changes = sorted(
        (place, change)
        for row in rows
        for cell in row.cells
        for place, change in ((cell.box.left, 1), (cell.box.right, -1))
    )
    few = int(MAX_CROSSING * len(rows))
    found: list[tuple[float, float]] = []
    depth, begun = 0, 0.0
    for place, change in changes:
        if depth <= few < depth + change:
            begun = place
        elif depth + change <= few < depth:
            if found and begun - found[-1][1] < least:
                begun = found.pop()[0]
            found.append((begun, place))
        depth += change
    return found


def _share(rows: Sequence[Row], column: tuple[float, float]) -> float:
    left, right = column
    return sum(any(cell.box.left < right and cell.box.right > left for cell in row.cells) for row in rows) / len(rows)


def _column(cell: Cell, columns: Sequence[tuple[float, float]]) -> tuple[int, int]:
    """The first column that a cell reaches into, and how many; the nearest one where it reaches into none."""
    into = [i for i, (left, right) in enumerate(columns) if cell.box.left < right and cell.box.right > left]
    if into:
        return into[0], into[-1] - into[0] + 1
    distances = [max(left - cell.box.right, cell.box.left - right) for left, right in columns]
    return distances.index(min(distances)), 1


def _table(rows: Sequence[Row], columns: Sequence[tuple[float, float]], frame: Frame) -> OcrBlock:
    texts: list[dict[tuple[int, int], list[Cell]]] = []
    for above, row in pairwise([None, *rows]):
        assert row is not None
        placed: dict[tuple[int, int], list[Cell]] = {}
        for cell in row.cells:
            placed.setdefault(_column(cell, columns), []).append(cell)
        if above is not None and texts and _goes_on(above, row, placed, texts[-1]):
            for place, cells in placed.items():
                texts[-1][place].extend(cells)
        else:
            texts.append(placed)
    told = tuple(
        OcrCell(
            number,
            column,
            1,
            wide,
            text_of([word for cell in members for word in cell.words]),
            frame.shown(around(cell.box for cell in members)),
        )
        for number, placed in enumerate(texts)
        for (column, wide), members in sorted(placed.items())
    )
    lines = dict.fromkeys(word.line for row in rows for cell in row.cells for word in cell.words)
    return OcrBlock(kind="table", lines=tuple(lines), cells=told)


def _goes_on(
    above: Row, row: Row, placed: dict[tuple[int, int], list[Cell]], before: dict[tuple[int, int], list[Cell]]
) -> bool:
    """Whether a row is the second line of one cell above it."""
    if len(placed) != 1 or row.box.top - above.box.bottom > MAX_WRAP_SPACE * row.box.height:
        return False
    ((place, _),) = placed.items()
    return place in before and (place[0] > 0 or row.cells[0].words[0].word.text[:1].islower())
