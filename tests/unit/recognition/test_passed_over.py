"""Print in which nothing was read beside what was is told by its ink."""

import numpy as np
import pytest

from ocr_engine.crops import Cuts
from ocr_engine.recognition.ctc import Reading
from ocr_engine.scripts.unread import passed_over

HEIGHT, LETTER, PITCH = 40, 14, 20
"""Pixels of a line, and of its letters."""


def line(print_: str) -> np.ndarray:
    """A page (H, W, 3) of one line: `x` is a letter, `_` a rule, `.` a dot, `#` a block as high as the line."""
    page = np.full((HEIGHT, PITCH * len(print_), 3), 255, np.uint8)
    heights = {"x": (10, 30), "_": (32, 34), ".": (28, 31), "#": (0, HEIGHT)}
    for i, sign in enumerate(print_):
        if sign in heights:
            top, bottom = heights[sign]
            page[top:bottom, PITCH * i + 3 : PITCH * i + 3 + (PITCH if sign == "_" else LETTER)] = 0
    return page


def share(print_: str, read: str) -> float:
    """Of a line as printed, read as the letters of `read`, which stand where those of the print do."""
    kept = [(i, sign) for i, sign in enumerate(read) if sign != "-"]
    places = tuple((i + 0.5) / len(print_) for i, _ in kept)
    page = line(print_)
    height, width = page.shape[:2]
    quads = np.array([[(0, 0), (width, 0), (width, height), (0, height)]], np.float32)
    reading = Reading("".join(sign for _, sign in kept), 0.97, places, (0.97,) * len(kept))
    return float(passed_over(Cuts(page), quads, [reading])[0])


def test_letters_beside_figures_that_were_passed_over_are_found() -> None:
    assert share("xxxxxx x x xxxxxx", "-------4 x 405.62") == pytest.approx(7 / 17, abs=0.1)
    assert share("xxxxxx xxx xxxxx ", "-----------------") == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize(
    ("print_", "read"),
    [
        ("xxxxxx x x xxxxxx", "Butter 4 x 405.62"),
        ("xxxxxx       xxxx", "Butter       4.50"),
        ("xxxx ____________", "Name ------------"),
        ("xxxxxx ..........", "Butter ----------"),
        ("xxxxxx ##########", "Butter ----------"),
        ("xxxxxx        xx ", "Butter-----------"),
    ],
    ids=["read", "white", "rule", "dots", "bars", "mark"],
)
def test_what_is_white_or_no_letter_was_not_passed_over(print_: str, read: str) -> None:
    assert share(print_, read) == 0
