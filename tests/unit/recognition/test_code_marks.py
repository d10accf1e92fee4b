"""Underscores and backticks of program code are as many as are drawn, and stand where they are drawn."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from ocr_engine.recognition.ctc import Reading
from ocr_engine.recognition.fields import code_marks

PITCH, HIGH = 12, 14
"""Pixels from character to character, and of a letter's height."""


def draw_sign(pen: ImageDraw.ImageDraw, sign: str, x: int, top: int) -> None:
    middle, base = x + PITCH // 2, top + HIGH
    match sign:
        case " ":
            pass
        case "_":
            pen.rectangle((x, base + 2, x + PITCH - 1, base + 3), fill="black")
        case "`":
            pen.line((middle - 2, top, middle + 1, top + 3), "black", 2)
        case "'":
            pen.rectangle((middle - 1, top, middle, top + 6), fill="black")
        case "=":
            pen.line((x + 2, top + 7, x + 9, top + 7), "black", 2)
            pen.line((x + 2, top + 11, x + 9, top + 11), "black", 2)
        case _:
            pen.rectangle((x + 2, top + 3, x + 9, base - 1), outline="black", width=2)


def told(drawn: list[str], read: list[str], *, boxed: slice = slice(None)) -> tuple[list[str], list[float]]:
    """What becomes of lines that are drawn so and were read otherwise, `boxed` of each in its box, and its width."""
    page = Image.new("RGB", (40 + PITCH * max(map(len, drawn)), 40 * len(drawn) + 20), "white")
    pen = ImageDraw.Draw(page)
    quads: list[list[tuple[int, int]]] = []
    readings: list[Reading] = []
    for row, (text, wrong) in enumerate(zip(drawn, read, strict=True)):
        top = 20 + 40 * row
        for i, sign in enumerate(text):
            draw_sign(pen, sign, 20 + PITCH * i, top)
        begin, end, _ = boxed.indices(len(text))
        left, right = 20 + PITCH * begin - 4, 20 + PITCH * end + 4
        quads.append([(left, top - 5), (right, top - 5), (right, top + 22), (left, top + 22)])
        places = where(text, wrong)
        along = tuple((20 + PITCH * (place + 0.5) - left) / (right - left) for place in places)
        readings.append(Reading(wrong, 0.99, along, (0.99,) * len(wrong)))
    wide, right_ones = code_marks.put_right(np.asarray(page)[..., ::-1].copy(), np.array(quads, np.float32), readings)
    assert all(len(reading.places) == len(reading.text) == len(reading.certainty) for reading in right_ones)
    return [reading.text for reading in right_ones], np.ptp(wide[:, :, 0], axis=1).tolist()


def where(text: str, read: str) -> list[int]:
    """The columns of the characters that were read, as they follow each other in the text."""
    places: list[int] = []
    for sign in read:
        places.append(text.index(sign, places[-1] + 1 if places else 0))
    return places


WORDS = ["abcdefgh [ijklmnop]", "bcdefghij == abcd_efg", "cdefghijkl a_b = c"]


@pytest.mark.parametrize(
    ("drawn", "read"),
    [
        ("self.__dict__[a]", "self._dict_[a]"),
        ("a ___b = c_", "a _b = c"),
        ("echo `date -n` a", "echo date -n a"),
        ("a and ``bcd_e``", "a and bcd_e`"),
        ("if a == '__main__'", "if a == main_'"),
        ("for _ in abc", "for in abc"),
    ],
)
def test_lost_marks_of_code_are_told_by_their_ink(drawn: str, read: str) -> None:
    assert told([*WORDS, drawn], [*WORDS, read])[0] == [*WORDS, drawn]


def test_marks_beside_a_box_are_its_own_where_they_join_on() -> None:
    texts, widths = told([*WORDS, "__init__"], [*WORDS, "init"], boxed=slice(0, None))
    assert texts[-1] == "__init__"
    cut, narrow = told([*WORDS[:3], "__init__"], [*WORDS, "init"], boxed=slice(2, -2))
    assert cut[-1] == "__init__"
    assert narrow[-1] == pytest.approx(widths[-1], abs=PITCH)


@pytest.mark.parametrize("text", ["abc 'def' ghi", "a = 'b'", "abc_def = g"])
def test_what_was_read_right_stays(text: str) -> None:
    assert told([*WORDS, text], [*WORDS, text])[0] == [*WORDS, text]


def test_print_without_signs_of_code_is_left_alone() -> None:
    lines = ["abcdefgh ijklm", "bcdefghij abcd", "cdefghijk abcd", "ab_cdefgh", "ab__cdefg_"]
    assert told(lines, [*lines[:-1], "ab_cdefg_"])[0][-1] == "ab_cdefg_"
