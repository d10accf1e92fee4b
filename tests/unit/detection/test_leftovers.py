"""Of what a look took for text and no box holds, spots level with lines and shadows apart from them are read."""

import numpy as np
import pytest

from ocr_engine.detection.detector import Look
from ocr_engine.leftovers import MAX_LEFTOVERS, MIN_SHADOW_LETTERS, SURE_CONFIDENCE, shadows, spots, sure
from ocr_engine.recognition.ctc import NOTHING, Reading

ACROSS, DOWN = 2.0, 3.0
"""Pixels of the page by one of the look."""


def boxes(*rectangles: tuple[float, float, float, float]) -> np.ndarray:
    """Level boxes (n, 4, 2) of rectangles (left, top, right, bottom)."""
    corners = [[(left, top), (right, top), (right, bottom), (left, bottom)] for left, top, right, bottom in rectangles]
    return np.array(corners, np.float32).reshape(-1, 4, 2)


def seen(*marks: tuple[int, int, int, int], blurs: np.ndarray | None = None) -> Look:
    """A look (96, 160), surely text in the rectangles (left, top, right, bottom) of its pixels."""
    certain = np.zeros((96, 160), np.uint8)
    for left, top, right, bottom in marks:
        certain[top:bottom, left:right] = 1
    return Look(
        quads=boxes(),
        small=boxes(),
        blurs=boxes() if blurs is None else blurs,
        specks=np.zeros((0, 2), np.float32),
        certain=certain,
        pixel=np.array((ACROSS, DOWN), np.float32),
        scale=0.4,
    )


LINE = boxes((20, 120, 160, 159))
"""Around rows 40 to 53 of the look, up to its column 80."""


def test_a_spot_in_the_row_of_a_line_has_a_box_in_the_page_s_pixels() -> None:
    (found,) = spots(seen((100, 42, 104, 50)), LINE)
    growth = 1.6 * 4 * 8 / 12 / 2
    low, high = np.array((100 - growth, 42 - growth)), np.array((104 + growth, 50 + growth))
    expected = [low, (high[0], low[1]), high, (low[0], high[1])]
    assert found == pytest.approx(np.array(expected) * (ACROSS, DOWN), abs=0.01)


def test_what_a_box_holds_is_no_spot() -> None:
    look = seen((12, 42, 76, 50), (100, 42, 104, 50))
    assert spots(look, LINE).mean(axis=1).tolist() == [pytest.approx((102 * ACROSS, 46 * DOWN))]
    assert len(spots(look, np.concatenate((LINE, boxes((190, 120, 220, 159)))))) == 0
    assert look.certain[46, 50] == 1  # the look is as it was


@pytest.mark.parametrize("mark", [(100, 10, 104, 18), (100, 70, 104, 78)])
def test_a_spot_above_or_below_the_lines_is_none(mark: tuple[int, int, int, int]) -> None:
    assert len(spots(seen(mark), LINE)) == 0


def test_a_spot_on_a_page_without_lines_is_none() -> None:
    assert spots(seen((100, 42, 104, 50)), boxes()).shape == (0, 4, 2)


@pytest.mark.parametrize(("thickness", "found"), [(18, 0), (30, 1), (70, 1), (90, 0)])
def test_a_spot_is_of_the_print_that_it_is_level_with(thickness: int, found: int) -> None:
    # the spot's own box is some 36 pixels of the page high
    middle = 46 * DOWN
    assert (
        len(spots(seen((100, 42, 104, 50)), boxes((20, middle - thickness / 2, 160, middle + thickness / 2)))) == found
    )


@pytest.mark.parametrize(
    ("mark", "found"),
    [((100, 45, 101, 48), 0), ((100, 45, 130, 47), 0), ((100, 44, 101, 48), 1), ((100, 45, 103, 48), 1)],
    ids=["a speck", "a rule", "a stroke", "a dot"],
)
def test_specks_and_rules_are_no_spots(mark: tuple[int, int, int, int], found: int) -> None:
    assert len(spots(seen(mark), boxes((20, 46.5 * DOWN - 10, 160, 46.5 * DOWN + 10)))) == found


def test_spots_and_shadows_are_read_up_to_a_bound() -> None:
    many = [(x, y, x + 2, y + 4) for y in (40, 46) for x in range(90, 150, 4)]
    noise = [*many, *((x, y, x + 2, y + 4) for y in (34, 52) for x in range(90, 150, 4))]
    lines = boxes(*((20, (y + 2) * DOWN - 8, 160, (y + 2) * DOWN + 8) for y in (34, 40, 46, 52)))
    assert len(noise) > MAX_LEFTOVERS
    assert len(spots(seen(*noise), lines)) == MAX_LEFTOVERS
    blurs = boxes(*((x, 0, x + 2, 20) for x in range(0, 4 * MAX_LEFTOVERS, 3)))
    assert len(shadows(seen(blurs=blurs), boxes())) == MAX_LEFTOVERS


def test_a_shadow_that_shares_nothing_with_a_line_is_kept_as_it_is() -> None:
    blurs = boxes((20, 20, 120, 40), (200, 125, 300, 155))
    assert np.array_equal(shadows(seen(blurs=blurs), LINE), blurs)


@pytest.mark.parametrize(
    "blur",
    [(60, 130, 120, 150), (0, 60, 320, 220), (20, 120, 160, 159)],
    ids=["inside a line", "around a line", "a line"],
)
def test_the_shadow_of_a_line_that_is_found_is_none(blur: tuple[float, float, float, float]) -> None:
    assert len(shadows(seen(blurs=boxes(blur)), LINE)) == 0


def test_of_shadows_that_overlap_the_first_is_kept() -> None:
    blurs = boxes((20, 20, 120, 40), (30, 22, 110, 38), (130, 20, 200, 40))
    assert np.array_equal(shadows(seen(blurs=blurs), LINE), blurs[[0, 2]])


def test_a_look_without_shadows_has_none() -> None:
    assert shadows(seen(), LINE).shape == (0, 4, 2)


def test_only_what_is_sure_and_has_letters_or_digits_enough_is_text() -> None:
    word, few, doubtful = (
        Reading("bread", SURE_CONFIDENCE),
        Reading("br", 1.0),
        Reading("bread", SURE_CONFIDENCE - 0.01),
    )
    signs, digit = Reading("-.-.-", 1.0), Reading("1", 0.95)
    assert sure([word, few, doubtful, signs, digit], MIN_SHADOW_LETTERS) == [word, NOTHING, NOTHING, NOTHING, NOTHING]
    assert sure([word, few, doubtful, signs, digit], 1) == [word, few, NOTHING, NOTHING, digit]
    assert sure([], 1) == []
