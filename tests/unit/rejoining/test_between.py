"""Signs that stand between two boxes of a row are found by their ink, and the row is read at once."""

from collections.abc import Sequence

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from ocr_engine.boxes import Quads
from ocr_engine.crops import Pixels
from ocr_engine.recognition.ctc import Reading
from ocr_engine.rejoining import between
from tests.readings import evenly

SIZE = 28


def row(left: str, sign: str, right: str, *, apart: float = 0.4) -> tuple[Pixels, Quads]:
    """A row, and the boxes of what stands left and right on it."""
    font = ImageFont.load_default(SIZE)
    image = Image.new("RGB", (700, 80), "white")
    pen = ImageDraw.Draw(image)
    x, boxes = 20.0, []
    for i, text in enumerate((left, sign, right)):
        pen.text((x, 50), text, "black", font, "ls")
        end = x + pen.textlength(text, font)
        if i != 1:
            boxes.append([(x - 6, 20), (end + 6, 20), (end + 6, 60), (x - 6, 60)])
        x = end + apart * SIZE
    return np.asarray(image)[..., ::-1].copy(), np.array(boxes, np.float32)


def told(page: Pixels, quads: Quads, parts: list[str], at_once: Reading) -> tuple[list[str], int]:
    """The lines that come of it, and how many crops were read for that."""
    count = 0

    def read(crops: Sequence[Pixels]) -> list[Reading]:
        nonlocal count
        count += len(crops)
        return [at_once] * len(crops)

    boxes, readings = between.put_right(page, quads, [evenly(part) for part in parts], read)
    assert len(boxes) == len(readings)
    return [reading.text for reading in readings], count


@pytest.mark.parametrize("sign", [":", "=", "-", ".", ",", "_"])
def test_a_sign_between_boxes_comes_back(sign: str) -> None:
    page, quads = row("Cashier", sign, "123")
    text = f"Cashier {sign} 123"
    assert told(page, quads, ["Cashier", "123"], evenly(text)) == ([text], 1)


@pytest.mark.parametrize(
    "at_once", [evenly("Cashier 123"), evenly("Cashler : 123"), evenly("Cashier : 12"), evenly("Cashier : 123", 0.8)]
)
def test_a_row_that_says_no_more_or_other_letters_or_is_unsure_stays_apart(at_once: Reading) -> None:
    page, quads = row("Cashier", ":", "123")
    assert told(page, quads, ["Cashier", "123"], at_once)[0] == ["Cashier", "123"]


@pytest.mark.parametrize(("sign", "apart"), [("", 0.4), ("", 2.0), ("|", 0.4), (":", 4.0)])
def test_white_gaps_rules_and_wide_ones_are_not_read(sign: str, apart: float) -> None:
    page, quads = row("Cashier", sign, "123", apart=apart)
    assert told(page, quads, ["Cashier", "123"], evenly("Cashier : 123")) == (["Cashier", "123"], 0)


def test_other_rows_are_left_alone() -> None:
    page, quads = row("Cashier", ":", "123")
    below = quads[:1] + np.array((0, 60), np.float32)
    lines, _ = told(page, np.concatenate((quads, below)), ["Cashier", "123", "Total"], evenly("Cashier : 123"))
    assert lines == ["Total", "Cashier : 123"]
