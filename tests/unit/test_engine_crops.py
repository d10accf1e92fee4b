"""Boxes are cut out straight, and what is found on a turned page is found where a viewer shows it."""

import numpy as np
import pytest

from ocr_engine.crops import cut, is_tall, resize, turn, turn_back
from ocr_engine.result import Rotation

ROTATIONS: list[Rotation] = [0, 90, 180, 270]


def page(width: int = 90, height: int = 60) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 255, (height, width, 3), np.uint8)


def quad(left: float, top: float, right: float, bottom: float) -> np.ndarray:
    return np.array([(left, top), (right, top), (right, bottom), (left, bottom)], np.float32)


def test_a_level_box_is_cut_to_its_own_pixels() -> None:
    pixels = page()
    assert np.array_equal(cut(pixels, quad(10, 20, 50, 40)), pixels[20:40, 10:50])


def test_a_box_that_reaches_over_the_edge_is_filled_with_the_edge() -> None:
    crop = cut(page(), quad(-10, -5, 30, 15))
    assert crop.shape == (20, 40, 3)


def test_a_box_of_no_size_still_gives_a_pixel() -> None:
    assert cut(page(), quad(10, 10, 10, 10)).shape == (1, 1, 3)


def test_boxes_much_higher_than_wide_are_tall() -> None:
    assert is_tall(np.stack((quad(0, 0, 10, 40), quad(0, 0, 40, 10), quad(0, 0, 10, 12)))).tolist() == [
        True,
        False,
        False,
    ]


@pytest.mark.parametrize("rotation", ROTATIONS)
def test_a_box_on_a_turned_page_is_shown_where_its_pixels_were(rotation: Rotation) -> None:
    pixels = page()
    turned = turn(pixels, rotation)
    box = quad(12, 8, 40, 20)
    shown = turn_back(box[None], rotation, width=90, height=60)[0]
    # the first corner stays the text's own top left, so cutting by the shown corners gives the same, upright pixels
    assert np.array_equal(cut(pixels, shown.astype(np.float32)), cut(turned, box))


@pytest.mark.parametrize("rotation", ROTATIONS)
def test_turning_and_turning_on_to_a_full_circle_changes_nothing(rotation: Rotation) -> None:
    pixels = page()
    rest: dict[Rotation, Rotation] = {0: 0, 90: 270, 180: 180, 270: 90}
    assert np.array_equal(turn(turn(pixels, rotation), rest[rotation]), pixels)


def test_shrinking_counts_every_pixel() -> None:
    checks = np.tile(np.array([[0, 255], [255, 0]], np.uint8)[:, :, None], (16, 16, 3))
    assert set(resize(checks, 4, 4).ravel().tolist()) <= {127, 128}
