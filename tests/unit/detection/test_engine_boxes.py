"""Boxes are found in a probability map where its text is, and nowhere else."""

import cv2
import numpy as np
import pytest

from ocr_engine.boxes import boxes_from_map, clockwise, part, sides, within


def map_with(*rectangles: tuple[int, int, int, int], level: float = 0.9) -> np.ndarray:
    """A map (96, 160) that is `level` inside the rectangles (left, top, right, bottom)."""
    probability = np.zeros((96, 160), np.float32)
    for left, top, right, bottom in rectangles:
        probability[top:bottom, left:right] = level
    return probability


def test_a_shrunken_line_grows_by_area_by_perimeter_on_every_side() -> None:
    quads, certainty = boxes_from_map(map_with((30, 40, 130, 50)))
    assert len(quads) == 1
    across, down = sides(quads)
    # the mask is thickened by a pixel to the bottom right; the corners of a contour are its outermost pixels' centres
    growth = 1.6 * 100 * 10 / 110
    assert across[0] == pytest.approx(100 + growth, abs=0.1)
    assert down[0] == pytest.approx(10 + growth, abs=0.1)
    assert quads[0].mean(axis=0) == pytest.approx((80, 45), abs=1)
    assert certainty[0] > 0.8


def test_a_part_of_a_box_leans_as_the_box_does() -> None:
    quad = np.array([(10, 10), (110, 30), (106, 50), (6, 30)], np.float32)
    assert part(quad, 0.0, 1.0) == pytest.approx(quad)
    assert part(quad, 0.25, 0.5) == pytest.approx(np.array([(35, 15), (60, 20), (56, 40), (31, 35)]))


def test_every_line_has_a_box_of_its_own() -> None:
    quads, _ = boxes_from_map(map_with((10, 10, 70, 18), (90, 10, 150, 18), (10, 60, 150, 70)))
    assert len(quads) == 3


def test_a_map_without_text_has_no_boxes() -> None:
    quads, certainty = boxes_from_map(np.zeros((64, 64), np.float32))
    assert quads.shape == (0, 4, 2)
    assert certainty.shape == (0,)


def test_specks_and_faint_regions_are_no_lines() -> None:
    probability = map_with((20, 20, 22, 22))
    probability[60:70, 20:140] = 0.4
    quads, _ = boxes_from_map(probability)
    assert len(quads) == 0


def test_faint_regions_are_had_by_those_who_ask_for_them() -> None:
    quads, certainty = boxes_from_map(map_with((20, 60, 140, 70), level=0.4), least=0.3)
    assert len(quads) == 1
    assert certainty[0] == pytest.approx(0.4, abs=0.1)


def test_a_leaning_line_keeps_its_angle() -> None:
    probability = np.zeros((200, 200), np.float32)
    cv2.fillPoly(probability, [cv2.boxPoints(((100, 100), (120, 12), 20)).astype(np.int32)], (0.9,))
    quads, _ = boxes_from_map(probability)
    (top_left, top_right, *_) = quads[0]
    angle = np.degrees(np.arctan2(top_right[1] - top_left[1], top_right[0] - top_left[0]))
    assert angle == pytest.approx(20, abs=1.5)


def test_corners_start_top_left_whatever_their_order() -> None:
    corners = np.array([(50, 30), (10, 10), (50, 10), (10, 30)], np.float32)
    assert clockwise(corners).tolist() == [[10, 10], [50, 10], [50, 30], [10, 30]]


def leaning(left: float, right: float, thickness: float) -> np.ndarray:
    """A box (4, 2) around the part of a line that falls by half of its way, between two places along it."""
    along, across = np.array((2, 1)) / np.sqrt(5), np.array((-1, 2)) / np.sqrt(5) * thickness / 2
    ends = (left * along - across, right * along - across, right * along + across, left * along + across)
    return np.array(ends, np.float32)


@pytest.mark.parametrize(
    ("left", "right", "inside"), [(20, 60, True), (-4, 60, True), (-20, 60, False), (60, 120, False), (-50, 150, False)]
)
def test_a_part_of_a_box_is_within_it_but_for_its_rims(left: float, right: float, inside: bool) -> None:
    assert within(leaning(left, right, 12)[None], leaning(0, 100, 10)[None]).tolist() == [inside]


def test_what_is_beside_a_leaning_box_is_not_within_it() -> None:
    beside = leaning(20, 60, 10) + np.array((16, -8), np.float32)
    other = leaning(0, 100, 10)
    assert (beside.min(axis=0) > other.min(axis=0)).all()
    assert (beside.max(axis=0) < other.max(axis=0)).all()
    assert within(np.stack((beside, leaning(20, 60, 10))), other[None]).tolist() == [False, True]


def test_a_box_is_within_one_of_the_others_and_not_within_two_together() -> None:
    halves = np.stack((leaning(0, 50, 10), leaning(50, 100, 10)))
    assert within(np.stack((leaning(60, 90, 10), leaning(20, 80, 10))), halves).tolist() == [True, False]


def test_nothing_is_within_nothing() -> None:
    none = np.zeros((0, 4, 2), np.float32)
    assert within(leaning(0, 50, 10)[None], none).tolist() == [False]
    assert within(none, leaning(0, 50, 10)[None]).shape == (0,)
