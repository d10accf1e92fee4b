"""Tables by their rules: each word goes into the cell that its middle is in."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence

from ocr_engine.result import OcrBlock, OcrCell
from ocr_engine.structure.cells import Placed, text_of
from ocr_engine.structure.frame import Box, Frame, Item, Word
from ocr_engine.structure.rules import Grid

MIN_WORDS_WITHIN = 0.5
"""Share of a line's words in a table, from which the line belongs to it."""
Cell = tuple[int, int]


def ruled_tables(grids: Sequence[Grid], items: Sequence[Item], frame: Frame) -> list[OcrBlock]:
    """The tables of these grids in which there is text; of grids within each other the outer one takes it."""
    tables: list[OcrBlock] = []
    taken: set[int] = set()
    for grid in sorted(grids, key=lambda grid: -_area(grid)):
        table = _table(grid, [item for item in items if item.index not in taken], frame)
        if table is not None:
            tables.append(table)
            taken.update(table.lines)
    return tables


def _table(grid: Grid, items: Sequence[Item], frame: Frame) -> OcrBlock | None:
    words: dict[Cell, list[Placed]] = {}
    lines: list[int] = []
    for item in items:
        inside = [(cell, word, blank) for word, blank in _words(item) if (cell := _cell(grid, word)) is not None]
        if item.words and len(inside) >= MIN_WORDS_WITHIN * len(item.words):
            lines.append(item.index)
            for cell, word, blank in inside:
                words.setdefault(cell, []).append(Placed(item.index, word, blank))
    spans = list(_spans(grid))
    filled = [span for span in spans if any(cell in words for cell in _covered(span))]
    if len(filled) < 2 or len({column for _, column, _, _ in filled}) < 2:
        return None
    cells = tuple(
        OcrCell(
            row,
            column,
            high,
            wide,
            text_of(sorted((each for cell in _covered(span) for each in words.get(cell, [])), key=_place)),
            frame.shown(Box(grid.down[column], grid.across[row], grid.down[column + wide], grid.across[row + high])),
        )
        for span in spans
        for row, column, high, wide in [span]
    )
    return OcrBlock(kind="table", lines=tuple(lines), cells=cells, ruled=True)


def _words(item: Item) -> Iterator[tuple[Word, bool]]:
    """The line's words, and whether a blank stands before each."""
    at = 0
    for word in item.words:
        found = max(at, item.text.find(word.text, at))
        yield word, found > at
        at = found + len(word.text)


def _place(placed: Placed) -> tuple[int, float]:
    return placed.line, placed.word.box.left


def _cell(grid: Grid, word: Word) -> Cell | None:
    row, column = bisect_right(grid.across, word.box.y) - 1, bisect_right(grid.down, word.box.x) - 1
    inside = 0 <= row < len(grid.across) - 1 and 0 <= column < len(grid.down) - 1
    return (row, column) if inside else None


def _spans(grid: Grid) -> Iterator[tuple[int, int, int, int]]:
    """Row, column, and how many of each every cell takes, row by row: rectangles within which there is no rule."""
    rows, columns = grid.open_below.shape
    taken: set[Cell] = set()
    for row in range(rows):
        for column in range(columns):
            if (row, column) in taken:
                continue
            wide = 1
            while column + wide < columns and grid.open_right[row, column + wide - 1]:
                wide += 1
            high = 1
            while row + high < rows and _goes_on(grid, row + high, column, wide):
                high += 1
            span = (row, column, high, wide)
            taken.update(_covered(span))
            yield span


def _goes_on(grid: Grid, row: int, column: int, wide: int) -> bool:
    """Whether the cells of a row belong to those above: no rule parts them, nor one from the next."""
    open_above = grid.open_below[row - 1, column : column + wide].all()
    return bool(open_above and grid.open_right[row, column : column + wide - 1].all())


def _covered(span: tuple[int, int, int, int]) -> Iterator[Cell]:
    row, column, high, wide = span
    return ((r, c) for r in range(row, row + high) for c in range(column, column + wide))


def _area(grid: Grid) -> float:
    return (grid.across[-1] - grid.across[0]) * (grid.down[-1] - grid.down[0])
