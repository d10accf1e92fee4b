"""A word that lies across two boxes that overlap is read at once; cells that stand closely stay two."""

import numpy as np
import pytest

from ocr_engine.recognition.ctc import Reading
from ocr_engine.rejoining import overlapping

PITCH = 20
"""Pixels of a character."""


def line(text: str, confidence: float = 0.99) -> Reading:
    places = tuple((i + 0.5) / len(text) for i in range(len(text)))
    return Reading(text, confidence, places, (confidence,) * len(text))


def told(parts: list[tuple[int, int, str]], whole: Reading) -> list[str]:
    """What becomes of boxes from one character to another of a row that says `whole` when it is read at once."""
    boxes = [[(PITCH * a, 0), (PITCH * b, 0), (PITCH * b, 30), (PITCH * a, 30)] for a, b, _ in parts]
    page = np.full((40, 800, 3), 255, np.uint8)
    quads, readings = overlapping.put_right(
        page, np.array(boxes, np.float32), [line(text) for _, _, text in parts], lambda crops: [whole] * len(crops)
    )
    assert len(quads) == len(readings)
    return [reading.text for reading in readings]


def test_a_number_that_two_boxes_share_is_read_at_once() -> None:
    assert told([(0, 7, "NET 2.1"), (6, 12, "044.18")], line("NET 2,044.18")) == ["NET 2,044.18"]


def test_a_letter_that_two_boxes_share_is_read_once() -> None:
    assert told([(0, 9, "CASH 05 E"), (8, 12, "EMP")], line("CASH 05 EMP")) == ["CASH 05 EMP"]


def test_so_is_a_row_in_many_pieces() -> None:
    assert told([(0, 2, "TO"), (1, 4, "TA"), (3, 6, "AL:")], line("TOTAL:")) == ["TOTAL:"]


@pytest.mark.parametrize(
    ("parts", "whole"),
    [
        ([(0, 4, "EMP"), (3, 8, "0041")], line("EMP 0041")),
        ([(0, 5, "TOTAL"), (6, 9, "9.5")], line("TOTAL9.5")),
        ([(0, 5, "TOTAL"), (4, 9, "49.5")], line("TOTA49.5", 0.6)),
        ([(0, 5, "TOTAL"), (4, 9, "49.5")], line("§§Ð")),
        ([(0, 5, "不增不減"), (4, 9, "是故空")], line("不增不減是故空")),
    ],
    ids=["a blank between", "apart", "unsure", "another text", "Chinese"],
)
def test_what_is_no_word_in_two_boxes_stays(parts: list[tuple[int, int, str]], whole: Reading) -> None:
    assert told(parts, whole) == [text for _, _, text in parts]
