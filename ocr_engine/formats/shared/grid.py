"""A table's cells as a full grid."""

from ocr_engine.result import OcrBlock, OcrCell


def grid_of(block: OcrBlock) -> list[list[str]]:
    """The texts of a table's cells by rows and columns; one that spans several stands in its uppermost left one."""
    grid = [[""] * block.columns for _ in range(block.rows)]
    for cell in block.cells:
        grid[cell.row][cell.column] = cell.text
    return grid


def owners_of(block: OcrBlock) -> list[list[OcrCell | None]]:
    """Which cell each place of a table belongs to, by rows and columns; None where it has none."""
    owners: list[list[OcrCell | None]] = [[None] * block.columns for _ in range(block.rows)]
    for cell in block.cells:
        for row in owners[cell.row : cell.row + cell.row_span]:
            row[cell.column : cell.column + cell.column_span] = [cell] * cell.column_span
    return owners
