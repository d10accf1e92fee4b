"""Boxes are cut out straight, and what is found on a turned page is found where a viewer shows it."""

import numpy as np
import pytest

from ocr_engine.crops import (
    MIN_LEVEL_PIXELS,
    PALE_LEVELS,
    cut,
    enlarged,
    full_contrast,
    is_tall,
    resize,
    turn,
    turn_back,
)
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


def shades(*levels: int) -> np.ndarray:
    """A grey page, a band for each of the levels."""
    return np.repeat(np.array(levels, np.uint8), 10)[:, None, None].repeat(40, axis=1).repeat(3, axis=2)


@pytest.mark.parametrize("levels", [(0, 9, 17), (238, 247, 255), (100, 109, 117)])
def test_the_levels_of_a_pale_page_are_spread(levels: tuple[int, ...]) -> None:
    spread = full_contrast(shades(*levels))
    assert spread[::10, 0, 0].tolist() == [0, 135, 255]
    assert spread.dtype == np.uint8
    assert (spread == spread[:, :1, :1]).all()


def test_a_page_of_enough_levels_is_left_as_it_is() -> None:
    wide, narrow = shades(100, 100 + PALE_LEVELS), shades(100, 99 + PALE_LEVELS)
    assert full_contrast(wide) is wide
    assert set(full_contrast(narrow).ravel().tolist()) == {0, 255}


def test_a_page_of_one_level_is_left_as_it_is() -> None:
    for level in (0, 128, 255):
        page = shades(level)
        assert full_contrast(page) is page


def test_a_few_specks_make_no_contrast() -> None:
    specked = shades(0, 17)
    specked[0, : MIN_LEVEL_PIXELS - 1] = 255
    spread = full_contrast(specked)
    assert spread[10:].min() == 255
    assert spread[1:10].max() == 0
    assert spread[0, 0, 0] == 255  # brighter than white there is nothing
    specked[0, :MIN_LEVEL_PIXELS] = 255
    assert full_contrast(specked) is specked


@pytest.mark.parametrize("colour", range(3))
def test_print_that_differs_in_one_colour_only_is_no_pale_page(colour: int) -> None:
    page = np.full((20, 40, 3), 40, np.uint8)
    page[:10, :, colour], page[10:, :, colour] = 255, 150
    assert full_contrast(page) is page


def test_an_enlarged_page_shows_the_same() -> None:
    pixels = np.asarray(np.linspace(0, 255, 40)[None, :, None].repeat(20, axis=0).repeat(3, axis=2), np.uint8)
    large = enlarged(pixels, 2.0)
    assert large.shape == (40, 80, 3)
    assert np.abs(resize(large, 40, 20).astype(int) - pixels).max() <= 1
