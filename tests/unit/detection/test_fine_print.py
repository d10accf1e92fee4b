"""The height of letters is told by their shapes; what has no letters has none."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from ocr_engine.detection.fine_print import FULL_BY_BODY_HEIGHT, MIN_SAMPLE_LETTERS, SAMPLE_SIDE, letter_heights

WORDS = "the quick brown fox jumps over a lazy dog while more words stand here in small print "


def printed(size: int, ink: int = 0, paper: int = 255) -> np.ndarray:
    """A page full of lines of that size, in pixels."""
    page = Image.new("L", (4 * SAMPLE_SIDE, 3 * SAMPLE_SIDE), paper)
    draw, font = ImageDraw.Draw(page), ImageFont.load_default(size)
    for number, y in enumerate(range(10, page.height - size, round(1.4 * size))):
        draw.text((10, y), (WORDS[number:] + WORDS) * 3, font=font, fill=ink)
    return np.asarray(page.convert("RGB"))


@pytest.mark.parametrize("size", [12, 18, 30, 48])
@pytest.mark.parametrize(("ink", "paper"), [(0, 255), (255, 0), (150, 200)])
def test_letters_are_as_high_as_they_were_drawn(size: int, ink: int, paper: int) -> None:
    samples = [(corners, height) for corners, height in letter_heights(printed(size, ink, paper)) if height]
    assert len(samples) >= 6
    _, top, _, bottom = ImageFont.load_default(size).getbbox("x")
    expected = FULL_BY_BODY_HEIGHT * (bottom - top)
    assert np.median([height for _, height in samples]) == pytest.approx(expected, abs=FULL_BY_BODY_HEIGHT * 1.5)
    for corners, _ in samples:
        assert (corners[2] - corners[0]).tolist() == [SAMPLE_SIDE, SAMPLE_SIDE]


def test_print_is_found_where_it_is() -> None:
    page = np.full((10 * SAMPLE_SIDE, 10 * SAMPLE_SIDE, 3), 255, np.uint8)
    page[6 * SAMPLE_SIDE : 8 * SAMPLE_SIDE, 2 * SAMPLE_SIDE : 4 * SAMPLE_SIDE] = printed(20)[
        : 2 * SAMPLE_SIDE, : 2 * SAMPLE_SIDE
    ]
    corners = np.array([corners for corners, height in letter_heights(page) if height])
    assert len(corners)
    assert corners.min(axis=(0, 1)) == pytest.approx((2 * SAMPLE_SIDE, 6 * SAMPLE_SIDE), abs=SAMPLE_SIDE)
    assert corners.max(axis=(0, 1)) == pytest.approx((4 * SAMPLE_SIDE, 8 * SAMPLE_SIDE), abs=SAMPLE_SIDE)


def nothing() -> np.ndarray:
    return np.full((3 * SAMPLE_SIDE, 3 * SAMPLE_SIDE, 3), 255, np.uint8)


def noise() -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (4 * SAMPLE_SIDE, 4 * SAMPLE_SIDE, 3), np.uint8)


def slope() -> np.ndarray:
    return np.tile(np.linspace(0, 255, 3 * SAMPLE_SIDE).astype(np.uint8)[:, None, None], (1, 3 * SAMPLE_SIDE, 3))


def halftone() -> np.ndarray:
    page = nothing()
    for y in range(0, page.shape[0], 12):
        for x in range(0, page.shape[1], 12):
            cv2.rectangle(page, (x, y), (x + 6, y + 6), (0, 0, 0), -1)
    return page


def stripes() -> np.ndarray:
    page = nothing()
    page[::20] = 0
    return page


def clouds() -> np.ndarray:
    blurred = cv2.GaussianBlur(noise(), (0, 0), 12)
    return np.asarray(cv2.normalize(blurred, blurred, 0, 255, cv2.NORM_MINMAX))


def one_word() -> np.ndarray:
    page = Image.fromarray(nothing())
    ImageDraw.Draw(page).text((20, 20), "x" * (MIN_SAMPLE_LETTERS - 1), font=ImageFont.load_default(20), fill=0)
    return np.asarray(page)


@pytest.mark.parametrize("draw", [nothing, noise, slope, halftone, stripes, clouds, one_word])
def test_what_is_no_print_has_no_letters(draw: Callable[[], np.ndarray]) -> None:
    assert [height for _, height in letter_heights(draw()) if height] == []


@pytest.mark.parametrize("size", [(1, 1), (1, 5000), (SAMPLE_SIDE - 1, SAMPLE_SIDE - 1)])
def test_what_is_smaller_than_a_sample_has_none(size: tuple[int, int]) -> None:
    assert [*letter_heights(np.zeros((*size, 3), np.uint8))] == []
