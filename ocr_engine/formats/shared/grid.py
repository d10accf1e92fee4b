"""A table's cells as a full grid."""

from ocr_engine.result import OcrBlock


def grid_of(block: OcrBlock) -> list[list[str]]:
    """The texts of a table's cells by rows and columns; one that spans several stands in its uppermost left one."""
    grid = [[""] * block.columns for _ in range(block.rows)]
    for cell in block.cells:
        grid[cell.row][cell.column] = cell.text
    return grid
