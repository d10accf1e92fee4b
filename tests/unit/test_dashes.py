"""Lone dashes in columns of numbers are found, and rules, hyphens and minus signs are none."""

import random

import numpy as np
import pytest
from msgspec import Struct
from PIL import Image, ImageDraw, ImageFont

from ocr_engine.recognition.ctc import Reading
from ocr_engine.structure import dashes
from tests.readings import evenly

RULES = ("none", "lines", "dashed", "totals")


class Accounts(Struct, frozen=True):
    """A table of accounts by lot."""

    page: np.ndarray
    quads: np.ndarray
    """Boxes of its lines, as a detector gives them: not of its dashes."""
    readings: list[Reading]
    dashes: list[tuple[float, float]]
    """Their middles."""


def accounts(seed: int) -> Accounts:
    lot = random.Random(seed)
    size = lot.randint(16, 40)
    font = ImageFont.load_default(size)
    rows, columns, pitch = lot.randint(7, 12), lot.randint(2, 4), lot.uniform(1.4, 2.0) * size
    width, height = round((9 + 7 * columns) * size), round((rows + 2) * pitch)
    image = Image.new("RGB", (width, height), "white")
    pen = ImageDraw.Draw(image)
    boxes, readings = [], []
    middles: list[tuple[float, float]] = []
    rules, long, thick = lot.choice(RULES), lot.uniform(0.4, 1.0) * size, max(1, size // 14)
    for row in range(rows):
        base = (row + 1.5) * pitch
        cells = [(lot.choice(("Self-employed", "Net assets - total", "Write-offs", "Other income")), size, False)]
        for column in range(columns):
            amount = f"{lot.choice(('', '', '-', '- '))}{lot.randint(1, 999)},{lot.randint(0, 999):03}"
            end, middle = (15 + 7 * column) * size, base - 0.3 * size
            if row and lot.random() < 0.25:
                pen.rectangle((end - long, middle, end, middle + thick - 1), fill=(20, 20, 20))
                middles.append((end - long / 2, middle + thick / 2))
            else:
                cells.append((amount, end, True))
        for text, x, to_the_left in cells:
            left, _, right, _ = pen.textbbox((x, base), text, font=font, anchor="rs" if to_the_left else "ls")
            pen.text((x, base), text, font=font, fill=(20, 20, 20), anchor="rs" if to_the_left else "ls")
            rim = 0.3 * size
            boxes.append((left - rim, base - 0.75 * size - rim, right + rim, base + rim))
            readings.append(evenly(text))
        below = base + 0.35 * size
        if rules == "lines":
            pen.line((size, below, width - size, below), fill=(60, 60, 60), width=2)
        elif rules == "dashed":
            for x in range(size, width - size, size):
                pen.line((x, below, x + size // 2, below), fill=(60, 60, 60), width=2)
        elif rules == "totals":
            for _, x, to_the_left in cells:
                if to_the_left:
                    pen.line((x - 3 * size, below, x, below), fill=(60, 60, 60), width=2)
    quads = np.array([[(a, b), (c, b), (c, d), (a, d)] for a, b, c, d in boxes], np.float32)
    grain = np.random.default_rng(seed).normal(0, lot.choice((0, 4, 8)), (height, width, 1))
    page = np.clip(np.asarray(image, np.float64) + grain, 0, 255).astype(np.uint8)
    return Accounts(page, quads, readings, middles)


def test_of_the_dashes_of_tables_drawn_by_lot_nearly_all_are_found_and_nothing_else() -> None:
    true = hit = false = 0
    for seed in range(40):
        drawn = accounts(seed)
        quads, _ = dashes.found(drawn.page, drawn.quads, drawn.readings)
        low, high = quads.min(axis=1), quads.max(axis=1)
        held = [((low < middle) & (high > middle)).all(axis=1).any() for middle in drawn.dashes]
        true, hit = true + len(held), hit + sum(held)
        false += len(quads) - sum(held)
    assert true > 200
    assert hit >= 0.95 * true, (hit, true)
    assert false == 0


def test_a_dash_is_told_from_a_hyphen_and_stands_in_its_cell() -> None:
    drawn = accounts(3)
    quads, readings = dashes.found(drawn.page, drawn.quads, drawn.readings)
    assert {reading.text for reading in readings} <= {dashes.DASH, dashes.HYPHEN}
    assert all(0.7 < reading.confidence <= 1 for reading in readings)
    assert len(quads) == len(readings) == len(drawn.dashes)


def test_where_nothing_is_a_number_nothing_is_a_dash() -> None:
    drawn = accounts(3)
    words = [evenly("Other income") for _ in drawn.readings]
    assert len(dashes.found(drawn.page, drawn.quads, words)[0]) == 0


@pytest.mark.parametrize("lines", [0, 5])
def test_a_page_with_few_lines_or_none_has_no_dashes(lines: int) -> None:
    drawn = accounts(3)
    quads, readings = dashes.found(drawn.page, drawn.quads[:lines], drawn.readings[:lines])
    assert quads.shape == (0, 4, 2)
    assert readings == []


def test_a_page_of_strokes_has_no_dashes() -> None:
    drawn = accounts(3)
    page = drawn.page.copy()
    page[::12, :] = 255
    for top in range(4, page.shape[0], 12):
        for left in range(0, page.shape[1], 12):
            page[top : top + 2, left : left + 7] = 0
    assert len(dashes.found(page, drawn.quads, drawn.readings)[0]) == 0
