"""Tables are told by their rules, wherever the page is turned; prose is no table."""

import cv2
import numpy as np

from ocr_engine.result import OcrLine, Polygon
from ocr_engine.structure import find_blocks

TEXTS = [["City", "People"], ["Lisbon", "545"], ["Vienna", ""]]


def box(left: float, top: float, right: float, bottom: float) -> Polygon:
    return (left, top), (right, top), (right, bottom), (left, bottom)


def test_cells_are_those_that_rules_part_and_an_empty_one_is_told() -> None:
    page = np.full((300, 500, 3), 255, np.uint8)
    for y in (40, 100, 160, 220):
        cv2.line(page, (40, y), (440, y), (0, 0, 0), 2)
    for x in (40, 240, 440):
        cv2.line(page, (x, 40), (x, 220), (0, 0, 0), 2)
    lines = [
        OcrLine(
            text=text,
            confidence=0.9,
            polygon=box(60 + 200 * c, 56 + 60 * r, 60 + 200 * c + 12 * len(text), 84 + 60 * r),
            row=r + 1,
        )
        for r, row in enumerate(TEXTS)
        for c, text in enumerate(row)
        if text
    ]
    (table,) = find_blocks(lines, 500, 300, 0, page)
    assert table.ruled
    assert [(cell.row, cell.column, cell.text) for cell in table.cells] == [
        (r, c, text) for r, row in enumerate(TEXTS) for c, text in enumerate(row)
    ]


def test_prose_is_paragraphs_each_line_in_one() -> None:
    lines = [
        OcrLine(text="words " * 9 + "end.", confidence=0.9, polygon=box(40, top, right, top + 24), row=row)
        for row, (top, right) in enumerate([(40, 440), (70, 440), (100, 200), (160, 440), (190, 300)], 1)
    ]
    blocks = find_blocks(lines, 500, 300, 0)
    assert [(block.kind, block.lines) for block in blocks] == [("paragraph", (0, 1, 2)), ("paragraph", (3, 4))]


def test_a_page_without_lines_has_no_blocks() -> None:
    assert find_blocks([], 10, 10, 0) == ()
