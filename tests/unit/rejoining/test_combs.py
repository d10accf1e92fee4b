"""Comb fields are found by their strokes and are one word; tables, and what stands beside a comb, are left alone."""

import random
from collections.abc import Sequence

import numpy as np
import pytest
from msgspec import Struct
from PIL import Image, ImageDraw, ImageFont

from ocr_engine.crops import Pixels
from ocr_engine.recognition.ctc import Reading
from ocr_engine.rejoining import combs
from tests.readings import evenly


class Form(Struct, frozen=True):
    """A row of cells drawn by lot, a letter in each."""

    page: Pixels
    quads: np.ndarray
    """Boxes of the letters, as a detector gives them."""
    readings: list[Reading]
    unit: float
    strokes: list[int]


def form(seed: int, word: str, *, rows: int = 1, lidded: bool = True) -> Form:
    lot = random.Random(seed)
    size = lot.randint(18, 32)
    font = ImageFont.load_default(size)
    wide, high, left, top = round(size * lot.uniform(0.9, 1.4)), round(size * lot.uniform(1.3, 1.7)), 30, 30
    image = Image.new("RGB", (2 * left + wide * len(word), 2 * top + high * rows), "white")
    pen = ImageDraw.Draw(image)
    colour = lot.choice([(180, 40, 40), (0, 0, 0), (120, 120, 120)])
    boxes, readings = [], []
    strokes = [left + i * wide for i in range(len(word) + 1)]
    for row in range(rows):
        y = top + row * high
        for stroke in strokes:
            pen.line((stroke, y if lidded else y + high // 2, stroke, y + high), fill=colour)
        pen.line((left, y + high, strokes[-1], y + high), fill=colour)
        if lidded:
            pen.line((left, y, strokes[-1], y), fill=colour)
        for i, sign in enumerate(word):
            if sign != " ":
                pen.text((strokes[i] + wide / 2, y + high / 2), sign, (0, 0, 120), font, "mm")
                x = strokes[i] + wide / 2
                boxes.append((x - 0.5 * size, y + 0.1 * high, x + 0.5 * size, y + 0.9 * high))
                readings.append(evenly(sign))
    quads = np.array([[(a, b), (c, b), (c, d), (a, d)] for a, b, c, d in boxes], np.float32)
    return Form(np.asarray(image)[..., ::-1].copy(), quads, readings, 1.3 * size, strokes)


@pytest.mark.parametrize("lidded", [True, False])
@pytest.mark.parametrize("seed", range(12))
def test_a_comb_is_found_with_its_strokes(seed: int, lidded: bool) -> None:
    drawn = form(seed, "DE89370400440532", lidded=lidded)
    [comb] = combs.find(drawn.page, drawn.unit)
    assert comb.strokes == pytest.approx(drawn.strokes, abs=1)


@pytest.mark.parametrize("seed", range(12, 18))
def test_grids_of_more_rows_are_none(seed: int) -> None:
    drawn = form(seed, "12345678", rows=4)
    assert combs.find(drawn.page, drawn.unit) == []


@pytest.mark.parametrize("seed", range(20, 24))
def test_its_letters_are_one_word_in_one_box(seed: int) -> None:
    drawn = form(seed, "KB 417")

    def read(crops: Sequence[Pixels]) -> list[Reading]:
        return [evenly("KB4１7") for _ in crops]

    quads, [reading] = combs.put_right(drawn.page, drawn.quads, drawn.readings, read)
    assert (len(quads), reading.text) == (1, "KB 417")
    cells = np.array(drawn.strokes[:-1]) + (drawn.strokes[1] - drawn.strokes[0]) / 2
    across = quads[0, 0, 0] + np.array(reading.places) * (quads[0, 1, 0] - quads[0, 0, 0])
    assert across == pytest.approx(cells, abs=2)


def test_letters_are_read_alone_where_they_are_not_as_many_as_the_cells() -> None:
    drawn = form(1, "KBXW")

    def read(crops: Sequence[Pixels]) -> list[Reading]:
        return [evenly("KBXVV")] if len(crops) == 1 else [evenly(sign) for sign in "KBXW"]

    assert [each.text for each in combs.put_right(drawn.page, drawn.quads, drawn.readings, read)[1]] == ["KBXW"]


def test_a_box_that_holds_more_than_the_comb_stays() -> None:
    drawn = form(2, "417022")
    quads = drawn.quads[:1].copy()
    quads[0, 1:3, 0] = drawn.quads[-1, 1, 0] + 400
    quads[0, [0, 3], 0] -= 400
    readings = [evenly("I 4 1 7 0 2 2 m")]
    assert combs.put_right(drawn.page, quads, readings, lambda crops: [evenly("417022")] * len(crops))[1] == readings


def test_pages_without_letters_that_stand_alone_are_not_looked_at() -> None:
    drawn = form(3, "417022")
    readings = [evenly("Total 417,022")] * len(drawn.readings)
    assert combs.put_right(drawn.page, drawn.quads, readings, lambda crops: [])[1] == readings
