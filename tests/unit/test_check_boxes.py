"""Check boxes are found with their state, and letters, tables and comb fields are none."""

import itertools
from collections.abc import Callable
from typing import Literal

import numpy as np
import pytest

from ocr_engine import check_boxes
from ocr_engine.check_boxes import CheckBox, box
from tests.readings import evenly
from tests.unit.check_forms import form, without


def overlap(box: CheckBox, true: tuple[int, int, int, int, bool]) -> float:
    """Intersection by union."""
    width = min(box.right, true[2]) - max(box.left, true[0])
    height = min(box.bottom, true[3]) - max(box.top, true[1])
    both = max(0, width) * max(0, height)
    return both / ((true[2] - true[0]) * (true[3] - true[1]) + (box.right - box.left) * (box.bottom - box.top) - both)


def test_of_the_boxes_of_forms_drawn_by_lot_nearly_all_are_found_with_their_state_and_no_others() -> None:
    true = found = right = false = 0
    for seed in range(2000, 2030):
        drawn = form(seed)
        boxes = check_boxes.find(drawn.page, drawn.lines)
        pairs = [(box, each) for each in drawn.boxes for box in boxes if overlap(box, each) > 0.5]
        true, found = true + len(drawn.boxes), found + len(pairs)
        right += sum(box.checked == each[4] for box, each in pairs)
        false += len(boxes) - len(pairs)
    assert found >= 0.95 * true, (found, true)
    assert right >= 0.99 * found, (right, found)
    assert false <= 0.01 * true, false


@pytest.mark.parametrize("kind", ["table", "comb"])
def test_cells_of_tables_and_of_comb_fields_are_none(kind: Literal["table", "comb"]) -> None:
    for seed in range(20):
        page = without(seed, kind)
        assert check_boxes.find(page.page, page.lines) == []


def line(left: int, right: int) -> np.ndarray:
    return np.array([(left, 0), (right, 0), (right, 40), (left, 40)], np.float32)


def told(box: tuple[int, int], text: str, certainty: float = 0.95) -> list[tuple[str, list[float]]]:
    """What a line of 400 pixels becomes with a box between two places, and where it lies."""
    found = CheckBox(box[0], 8, box[1], 32, checked=True, confidence=0.9)
    quads, readings, supports = check_boxes.told(
        [found], line(0, 400)[None], [evenly(text, 0.9, certainty=certainty)], ["read"]
    )
    assert len(quads) == len(readings) == len(supports)
    return [
        (each.text, [float(quad[:, 0].min()), float(quad[:, 0].max())])
        for quad, each in zip(quads, readings, strict=True)
    ]


def test_what_was_read_in_a_box_gives_way_and_the_line_around_it_stays() -> None:
    assert told((0, 40), "X Married.") == [("Married.", [40, 400]), ("☑", [0, 40])]
    assert told((160, 200), "Yes 口 No o") == [("Yes", [0, 160]), ("No o", [200, 400]), ("☑", [160, 200])]
    assert told((0, 400), "X") == [("☑", [0, 400])]


def test_a_letter_in_a_word_or_one_that_was_surely_read_is_no_box() -> None:
    assert told((0, 40), "Divorced..") == [("Divorced..", [0, 400])]
    assert told((0, 40), "@ 6 percent") == [("@ 6 percent", [0, 400])]


def looks_at(squares: int, monkeypatch: pytest.MonkeyPatch) -> int:
    """How often two boxes are compared on a page of so many by so many squares."""
    page = np.full((24 * squares, 28 * squares, 3), 255, np.uint8)
    for y, x in itertools.product(range(squares), repeat=2):
        page[24 * y + 5 : 24 * y + 19, 28 * x + 7 : 28 * x + 21] = 20
        page[24 * y + 7 : 24 * y + 17, 28 * x + 9 : 28 * x + 19] = 255
    lines = np.array([[(0, 0), (28 * squares, 0), (28 * squares, 14), (0, 14)]], np.float32)
    looks = 0

    def counted(compare: Callable[..., bool]) -> Callable[..., bool]:
        def looked(*boxes: object) -> bool:
            nonlocal looks
            looks += 1
            return compare(*boxes)

        return looked

    with monkeypatch.context() as patched:
        for name in ("_is_within", "_is_next"):
            patched.setattr(box, name, counted(getattr(box, name)))
        assert len(check_boxes.find(page, lines)) == squares * squares
    return looks


def test_a_page_of_squares_costs_by_their_number_not_by_its_square(monkeypatch: pytest.MonkeyPatch) -> None:
    assert looks_at(16, monkeypatch) < 6 * looks_at(8, monkeypatch)  # of four times as many
