"""Dotted leaders of lists of contents are cut off from what they lead to, and other dots are left alone."""

import random

import numpy as np
import pytest
from msgspec import Struct
from PIL import Image, ImageDraw, ImageFont

from ocr_engine.detection import leaders

TITLES = ("Preface", "The long road south", "Winter quarters", "Return", "Letters home", "Glossary", "Index")


class Contents(Struct, frozen=True):
    """A list with leaders, drawn by lot."""

    page: np.ndarray
    quads: np.ndarray
    """A box for each line, as a detector gives it, leader and number included."""
    titles: list[tuple[float, float]]
    """Where each begins and ends."""
    ends: list[tuple[float, float]]
    """Where what the leader leads to does."""


def contents(seed: int, ends: list[str], *, boxed: bool = True) -> Contents:
    lot = random.Random(seed)
    size = lot.randint(16, 32)
    font = ImageFont.load_default(size)
    dots = lot.choice((".", ". ", " . "))
    width, pitch = lot.randint(26, 40) * size, lot.uniform(1.4, 2.0) * size
    image = Image.new("RGB", (width, round((len(ends) + 2) * pitch)), "white")
    pen = ImageDraw.Draw(image)
    boxes, titles, numbers = [], [], []
    for row, (title, end) in enumerate(zip(TITLES, ends, strict=True)):
        base, left, right = (row + 1.5) * pitch, 2.0 * size, width - 2.0 * size
        begin = right - pen.textlength(end, font)
        after = left + pen.textlength(title, font) + size * lot.uniform(0.2, 0.5)
        count = int((begin - 0.2 * size - after) / pen.textlength(dots, font))
        pen.text((left, base), title, "black", font, "ls")
        pen.text((after, base), count * dots, "black", font, "ls")
        pen.text((begin, base), end, "black", font, "ls")
        titles.append((left, left + pen.textlength(title, font)))
        numbers.append((begin, right))
        rim = 0.3 * size
        stop = right if boxed else after + 4 * size
        boxes.append((left - rim, base - 0.75 * size - rim, stop + rim, base + rim))
    quads = np.array([[(a, b), (c, b), (c, d), (a, d)] for a, b, c, d in boxes], np.float32)
    return Contents(np.asarray(image)[..., ::-1].copy(), quads, titles, numbers)


NUMBERS = ["v", "1", "17", "46", "103", "188", "211"]


@pytest.mark.parametrize("seed", range(12))
def test_a_leader_is_cut_out_of_its_line(seed: int) -> None:
    drawn = contents(seed, NUMBERS)
    texts = [f"{title} ... . {number}" for title, number in zip(TITLES, NUMBERS, strict=True)]
    parts = leaders.torn(drawn.page, drawn.quads, texts)
    assert sorted(parts) == [-1, *range(len(TITLES))]
    for i in range(len(TITLES)):
        lengths = [(float(part[0, 0]), float(part[1, 0])) for part in parts[i]]
        assert len(lengths) == 2, i
        slack = 0.1 * float(np.ptp(drawn.quads[i, :, 1])) + 2
        wanted = [*drawn.titles[i], *drawn.ends[i]]
        assert [*lengths[0], *lengths[1]] == pytest.approx(wanted, abs=slack)


@pytest.mark.parametrize("seed", range(20, 24))
def test_what_a_leader_leads_to_is_boxed_where_no_box_holds_it(seed: int) -> None:
    drawn = contents(seed, NUMBERS, boxed=False)
    numbered = [f"{title} . {number}" for title, number in zip(TITLES, NUMBERS, strict=True)]
    # three of them lead to a number that is in a box
    quads = drawn.quads.copy()
    quads[:5, 1:3, 0] = drawn.page.shape[1] - 5
    texts = [*numbered[:5], "Glossary .", "Index ."]
    found = leaders.torn(drawn.page, quads, texts)[-1]
    assert [(float(quad[0, 0]) + float(quad[1, 0])) / 2 for quad in found] == pytest.approx(
        [sum(end) / 2 for end in drawn.ends[5:]], abs=3
    )


@pytest.mark.parametrize("seed", range(30, 34))
def test_dots_that_lead_to_no_numbers_of_pages_stay(seed: int) -> None:
    ends = ["$ 4,120", "$ 17", "(36,776)", "$ 1,408", "none", "n/a", "yes"]
    drawn = contents(seed, ends)
    assert leaders.torn(drawn.page, drawn.quads, [f"{t} . . {end}" for t, end in zip(TITLES, ends, strict=True)]) == {}


def test_dots_under_words_are_no_leader() -> None:
    font = ImageFont.load_default(24)
    image = Image.new("RGB", (600, 300), "white")
    pen = ImageDraw.Draw(image)
    texts, boxes = [], []
    for row in range(5):
        text = f"underlined by dots {row + 3}"
        pen.text((40, 40 + 48 * row), text, "black", font, "ls")
        for x in range(40, 300, 8):
            pen.rectangle((x, 44 + 48 * row, x + 1, 45 + 48 * row), fill="black")
        texts.append(text + " ..")
        boxes.append([(34, 14 + 48 * row), (320, 14 + 48 * row), (320, 50 + 48 * row), (34, 50 + 48 * row)])
    assert leaders.torn(np.asarray(image), np.array(boxes, np.float32), texts) == {}


def test_numbers_of_pages_are_small_where_their_ink_is() -> None:
    font = ImageFont.load_default(24)
    image = Image.new("RGB", (200, 200), "white")
    pen = ImageDraw.Draw(image)
    boxes = []
    for row, text in enumerate(("v", "X", "17")):
        pen.text((40, 40 + 48 * row), text, "black", font, "ls")
        boxes.append([(34, 18 + 48 * row), (90, 18 + 48 * row), (90, 48 + 48 * row), (34, 48 + 48 * row)])
    page, quads = np.asarray(image), np.array(boxes, np.float32)
    assert leaders.spelt(page, quads, ["V", "X", "17"]) == ["v", "X", "17"]
    assert leaders.spelt(page, quads[:2], ["V", "X"]) == ["V", "X"]
