"""Signs that look alike are told by the shapes of the page's own print, in monospaced serials and code only."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from ocr_engine.recognition.ctc import Reading
from ocr_engine.recognition.fields import twins

PITCH, HIGH = 14, 24
"""Pixels from character to character, and of a capital's height."""


def draw_sign(pen: ImageDraw.ImageDraw, sign: str, x: int, top: int, *, alike: bool) -> None:
    """A sign as a plain font has it: zeros are narrower than `O` and dotted, ones have a flag and a foot."""
    middle = x + PITCH // 2
    match "0" if alike and sign == "O" else "1" if alike and sign == "l" else sign:
        case "0":
            pen.ellipse((x + 2, top, x + 10, top + HIGH - 1), outline="black", width=2)
            pen.rectangle((middle - 2, top + 10, middle, top + 13), fill="black")
        case "O":
            pen.ellipse((x + 1, top, x + 12, top + HIGH - 1), outline="black", width=2)
        case "1":
            pen.line((middle, top, middle, top + HIGH - 1), "black", 2)
            pen.line((middle, top + 1, middle - 4, top + 5), "black", 2)
        case "l":
            pen.line((middle, top, middle, top + HIGH - 2), "black", 2)
            pen.line((middle - 4, top + 1, middle, top + 1), "black", 2)
            pen.line((middle - 4, top + HIGH - 2, middle + 5, top + HIGH - 2), "black", 2)
        case " " | "-" | "." | "_" | "=":
            pass
        case _:
            # any other: a frame that is no shape of theirs
            pen.rectangle((x + 2, top + 6, x + 11, top + HIGH - 1), outline="black", width=2)


def told(drawn: list[str], read: list[str], *, alike: bool = False, pitch: float = PITCH) -> list[str]:
    """What becomes of lines that are drawn so, and were read otherwise."""
    page = Image.new("RGB", (40 + PITCH * max(map(len, drawn)), 60 * len(drawn)), "white")
    pen = ImageDraw.Draw(page)
    quads, readings = [], []
    for row, (text, wrong) in enumerate(zip(drawn, read, strict=True)):
        top = 18 + 60 * row
        for i, sign in enumerate(text):
            draw_sign(pen, sign, 20 + PITCH * i, top, alike=alike)
        right = 20 + PITCH * len(text)
        quads.append([(14, top - 12), (right + 6, top - 12), (right + 6, top + 36), (14, top + 36)])
        lengths = np.cumsum([pitch if i % 2 else 2 * PITCH - pitch for i in range(len(text))]) - PITCH / 2
        places = tuple(float((6 + length) / (right - 8)) for length in lengths)
        readings.append(Reading(wrong, 0.99, places, (0.99,) * len(wrong)))
    right_ones = twins.put_right(np.asarray(page)[..., ::-1].copy(), np.array(quads, np.float32), readings)
    return [reading.text for reading in right_ones]


SERIALS = ["ORDERS 40507", "BOOKNO 90380", "OB07-KLO0-9QO2", "POOO-TOOL"]
READ = ["ORDERS 40507", "BOOKNO 90380", "0B07-KL00-9Q02", "P0O0-T00L"]


def test_a_serial_has_the_signs_that_are_drawn() -> None:
    assert told(SERIALS, READ) == SERIALS


def test_an_alias_is_no_number() -> None:
    drawn = ["sales.value 47210", "mailed_file 31186", "SUM-l.qty = l1", "for l in ll"]
    read = ["sales.value 47210", "mailed_file 31186", "SUM-1.qty = 11", "for 1 in 11"]
    assert told(drawn, read) == drawn


def test_an_alias_is_told_where_no_number_shows_how_a_one_is_drawn() -> None:
    drawn = ["sales.value file", "mailed_file sale", "SUM-l.qty = l1", "for l in ll"]
    read = ["sales.value file", "mailed_file sale", "SUM-1.qty = 11", "for 1 in 11"]
    assert told(drawn, read) == drawn


@pytest.mark.parametrize(("sure", "alike"), [(SERIALS[:2], True), (["XXXXXX XXXXX", "XXXXXX 92384"], False)])
def test_where_the_font_draws_them_alike_or_shows_neither_all_stays(sure: list[str], alike: bool) -> None:
    assert told([*sure, *SERIALS[2:]], [*sure, *READ[2:]], alike=alike)[2:] == READ[2:]


def test_print_that_is_not_monospaced_is_left_alone() -> None:
    assert told(SERIALS, READ, pitch=0.4 * PITCH) == READ


def test_a_word_of_letters_gets_no_digit() -> None:
    drawn = ["ORDERS 40507", "BOOKNO 90380", "SERIAL N0. XXXXXXX"]
    read = ["ORDERS 40507", "BOOKNO 90380", "SERIAL NO. XXXXXXX"]
    assert told(drawn, read) == read
