"""Letterspaced print is read as one row, with blanks between all of its letters or between its words only."""

from collections.abc import Sequence

import numpy as np
import pytest
from PIL import Image, ImageDraw

from ocr_engine.crops import Pixels
from ocr_engine.recognition.ctc import Reading
from ocr_engine.rejoining import spaced

WIDE, HIGH = 12, 20
"""Pixels of a letter."""


def page_with(text: str, gap: int) -> tuple[Pixels, list[int]]:
    """A line of blocks as letters, `gap` pixels apart and as much and a letter more at blanks; where each begins."""
    begins = []
    x = 40
    for sign in text:
        begins.append(x)
        x += WIDE + gap
        if sign == " ":
            begins[-1] = -1
    page = Image.new("RGB", (x + 60, 80), "white")
    pen = ImageDraw.Draw(page)
    for sign, begin in zip(text, begins, strict=True):
        if sign != " ":
            pen.rectangle((begin, 30, begin + WIDE - 1, 30 + HIGH - 1), outline="black", width=3)
    return np.asarray(page)[..., ::-1].copy(), begins


def box(left: int, right: int) -> list[tuple[int, int]]:
    return [(left, 24), (right, 24), (right, 56), (left, 56)]


def told(text: str, gap: int, parts: Sequence[tuple[int, int, str]], anew: str = "") -> list[str]:
    """What is read of a line in boxes from one letter up to another, and what of all of it, set closely."""
    page, begins = page_with(text, gap)
    quads = np.array([box(begins[first] - 4, begins[last - 1] + WIDE + 4) for first, last, _ in parts], np.float32)
    readings = [Reading(read, 0.99, (), (0.99,) * len(read)) for _, _, read in parts]
    boxes, right = spaced.put_right(
        page, quads, readings, lambda crops: [Reading(anew, 0.99, (), (0.99,) * len(anew)) for _ in crops]
    )
    assert len(boxes) == len(right)
    assert all(not reading.places or len(reading.places) == len(reading.text) for reading in right)
    return [reading.text for reading in right]


def test_typed_blanks_stand_between_all_letters_of_a_row_in_several_boxes() -> None:
    assert told("45001732", 24, [(0, 3, "4 50"), (3, 4, "0"), (4, 8, "1 7 3 2")]) == ["4 5 0 0 1 7 3 2"]


def test_letters_that_are_set_apart_are_words() -> None:
    assert told("SUM 9950", 12, [(0, 8, "S UM 99 5 0")]) == ["SUM 9950"]


def test_a_row_is_read_anew_where_a_sign_was_lost_or_is_beside_its_box() -> None:
    assert told("TOTAL9", 24, [(0, 5, "T O T L")], anew="TOTAL9") == ["T O T A L 9"]


def test_a_nought_among_letters_is_one_of_them() -> None:
    assert told("NOTE", 24, [(0, 4, "N 0 T E")]) == ["N O T E"]


@pytest.mark.parametrize(
    ("text", "gap", "read"),
    [("TOTAL9", 5, "TOTAL9"), ("1234", 50, "1 2 3 4"), ("TOTAL", 24, "T O T A L S U")],
)
def test_usual_print_cells_of_tables_and_what_says_more_stay(text: str, gap: int, read: str) -> None:
    assert told(text, gap, [(0, len(text), read)], anew=text) == [read]


def test_cells_in_strokes_are_none() -> None:
    page, begins = page_with("TOTALS", 24)
    for begin in begins:
        page[20:60, begin - 8 : begin - 6] = 0
    quads = np.array([box(begins[0] - 4, begins[-1] + WIDE + 4)], np.float32)
    readings = [Reading("TOTALS", 0.99, (), (0.99,) * 6)]
    assert spaced.put_right(page, quads, readings, lambda crops: readings * len(crops))[1] == readings
