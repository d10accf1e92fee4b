"""Fractions in one sign are told by their ink, whatever was read in their place."""

from collections.abc import Sequence

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from ocr_engine.crops import Pixels
from ocr_engine.recognition.ctc import Reading
from ocr_engine.recognition.fields import fraction_ink

SIZE = 32


def line(before: str, fraction: str, after: str) -> tuple[Pixels, list[float]]:
    """A line (H, W, 3) with `1/2` drawn as one sign, and where each character stands, that sign being one."""
    font, small = ImageFont.load_default(SIZE), ImageFont.load_default(round(0.6 * SIZE))
    image = Image.new("RGB", (900, 2 * SIZE), "white")
    pen = ImageDraw.Draw(image)
    x, base, middles = 12.0, 1.4 * SIZE, list[float]()

    def write(text: str) -> None:
        nonlocal x
        for character in text:
            pen.text((x, base), character, "black", font, "ls")
            wide = pen.textlength(character, font)
            middles.append(x + wide / 2)
            x += wide

    write(before)
    upper, lower = fraction.split("/")
    pen.text((x, base - 0.32 * SIZE), upper, "black", small, "ls")
    wide = pen.textlength(upper, small)
    foot, head = x + 0.75 * wide, x + 0.75 * wide + 0.38 * SIZE
    pen.line((foot, base, head, base - 0.72 * SIZE), "black", 3)
    pen.text((head - 0.05 * SIZE, base), lower, "black", small, "ls")
    end = head + pen.textlength(lower, small)
    middles.append((x + end) / 2)
    x = end
    write(after)
    width = round(x + 12)
    return np.asarray(image)[:, :width, ::-1].copy(), [middle / width for middle in middles]


def put_right(page: Pixels, reading: Reading, told: str) -> tuple[Reading, int]:
    """The reading of a page of one line, and how many crops were read, each of them as `told`."""
    height, width = page.shape[:2]
    quads = np.array([[(0, 0), (width, 0), (width, height), (0, height)]], np.float32)
    count = 0

    def read(crops: Sequence[Pixels]) -> list[Reading]:
        nonlocal count
        count += len(crops)
        return [Reading(told, 0.9)] * len(crops)

    return fraction_ink.put_right(page, quads, [reading], read)[0], count


def read_as(told: str, places: Sequence[float], before: int) -> Reading:
    """The reading of such a line in which `told` stands for the fraction behind so many characters."""
    at = places[before]
    where = (*places[:before], *(at + 0.002 * i for i in range(len(told))), *places[before + 1 :])
    return Reading("Add " + told + " cup, ½ l", 0.9, where, (0.9,) * len(where))


@pytest.mark.parametrize("told", ["½", "%", "3", "3/4", "34", "½4", "", "²½"])
@pytest.mark.parametrize("fraction", ["3/4", "1/3", "7/8"])
def test_what_was_read_in_a_fractions_place_gives_way(told: str, fraction: str) -> None:
    page, places = line("Add ", fraction, " cup, ½ l")
    right, _ = put_right(page, read_as(told, places, 4), fraction)
    assert right.text == f"Add {fraction_ink.SIGNS[fraction]} cup, ½ l"
    assert len(right.places) == len(right.certainty) == len(right.text)
    assert list(right.places) == sorted(right.places)


def test_what_reads_as_no_fraction_stays() -> None:
    page, places = line("Add ", "0/0", " cup, ½ l")
    reading = read_as("%", places, 4)
    assert put_right(page, reading, "0/0")[0] == reading


def test_the_ink_is_asked_only_where_the_text_hints_at_fractions() -> None:
    page, places = line("Add ", "3/4", " cup, x l")
    text = "Add 3 cup, x l"
    reading = Reading(text, 0.9, tuple(places), (0.9,) * len(text))
    assert put_right(page, reading, "3/4") == (reading, 0)


def test_letters_and_numbers_in_a_line_are_no_fractions() -> None:
    font = ImageFont.load_default(SIZE)
    text = "½ AVWMNXYZ xvwzk 1/2 3/4 17% 4711"
    image = Image.new("RGB", (900, 2 * SIZE), "white")
    pen = ImageDraw.Draw(image)
    pen.text((12, 1.4 * SIZE), text[2:], "black", font, "ls")
    width = round(24 + pen.textlength(text[2:], font))
    page = np.asarray(image)[:, :width, ::-1].copy()
    places = tuple((i + 0.5) / len(text) for i in range(len(text)))
    assert put_right(page, Reading(text, 0.9, places, (0.9,) * len(text)), "V")[0].text == text


@pytest.mark.parametrize(
    ("told", "right"), [("Add ½ I cream", "Add ½ l cream"), ("¾ 1", "¾ l"), ("½ I. R.", "½ I. R.")]
)
def test_a_litre_behind_a_fraction_is_small(told: str, right: str) -> None:
    page = np.full((40, 200, 3), 255, np.uint8)
    assert put_right(page, Reading(told, 0.9), "")[0].text == right


def test_what_looks_like_a_fraction_is_read_once_also_at_the_lines_end() -> None:
    image = Image.new("RGB", (700, 2 * SIZE), "white")
    ImageDraw.Draw(image).text((12, 1.4 * SIZE), "Half %", "black", ImageFont.load_default(SIZE), "ls")
    reading = Reading("Half %", 0.9, tuple(np.linspace(0.02, 0.2, 6).tolist()), (0.9,) * 6)
    right, count = put_right(np.asarray(image)[:, :, ::-1].copy(), reading, "0/0")
    assert (right.text, count) == ("Half %", 1)


@pytest.mark.parametrize(("hint", "texts"), [("3/4", ["Add ¾ cup", "Add ¾ cup"]), ("0/0", ["Add % cup", "Add 3 cup"])])
def test_lines_that_hint_at_nothing_are_looked_at_where_another_has_a_fraction(hint: str, texts: list[str]) -> None:
    page, places = line("Add ", "3/4", " cup")
    height, width = page.shape[:2]
    quad = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)
    quads = np.stack((quad, quad + np.array([0, height], np.float32)))
    readings = [Reading(f"Add {told} cup", 0.9, tuple(places), (0.9,) * len(places)) for told in "%3"]
    told = iter([hint, "3/4"])
    right = fraction_ink.put_right(
        np.concatenate((page, page)), quads, readings, lambda crops: [Reading(next(told), 0.9) for _ in crops]
    )
    assert [reading.text for reading in right] == texts
