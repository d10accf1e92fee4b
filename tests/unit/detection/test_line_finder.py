"""A page is looked at coarsely, and closely only where its print is small."""

import random

import msgspec
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from ocr_engine.boxes import sides
from ocr_engine.detection.detector import STRIDE, Detector
from ocr_engine.detection.line_finder import (
    COARSE_PIXELS,
    FINE_PIXELS,
    MAX_MAGNIFICATION,
    FinePrint,
    Glance,
    LineFinder,
    magnification,
)
from ocr_engine.models.catalogue import Normalisation


class Ink:
    """A session that takes dark pixels for text, as a DB model does: in the middle of each line."""

    note = ""
    input_shape = (None, 3, None, None)

    def __init__(self) -> None:
        self.shapes: list[tuple[int, ...]] = []

    def run(self, batch: np.ndarray) -> np.ndarray:
        self.shapes.append(batch.shape)
        return np.where(batch[:, :1] < 0, np.float32(0.95), np.float32(0.0))

    def release(self) -> None:
        """It keeps nothing."""


def page(width: int, height: int, *lines: tuple[int, int, int, int]) -> np.ndarray:
    """White, with bars of ink (left, top, right, bottom)."""
    pixels = np.full((height, width, 3), 255, np.uint8)
    for left, top, right, bottom in lines:
        pixels[top:bottom, left:right] = 0
    return pixels


def detect(pixels: np.ndarray) -> tuple[np.ndarray, list[tuple[int, ...]]]:
    session = Ink()
    finder = LineFinder(Detector(session, Normalisation()))
    return finder.refine(pixels, finder.glance(pixels)), session.shapes


def middles(quads: np.ndarray) -> list[tuple[float, float]]:
    return sorted(tuple(quad.mean(axis=0).tolist()) for quad in quads)


def test_a_small_page_is_not_blown_up() -> None:
    quads, shapes = detect(page(320, 96, (20, 40, 300, 60)))
    assert shapes == [(1, 3, 96, 320)]
    assert len(quads) == 1


def test_a_large_page_of_large_print_is_looked_at_once_and_shrunken() -> None:
    quads, shapes = detect(page(4000, 3000, (200, 400, 3600, 600), (200, 900, 3600, 1100)))
    assert len(shapes) == 1
    assert shapes[0][2] * shapes[0][3] == pytest.approx(COARSE_PIXELS, rel=0.1)
    assert middles(quads) == [pytest.approx((1900, 500), abs=10), pytest.approx((1900, 1000), abs=10)]


def test_small_print_on_a_large_page_is_looked_at_closely_and_alone() -> None:
    pixels = page(4000, 3000, (200, 400, 3600, 600), (400, 2500, 900, 2518), (400, 2550, 900, 2568))
    quads, shapes = detect(pixels)
    assert len(shapes) > 1
    assert all(shape[2] * shape[3] < COARSE_PIXELS for shape in shapes[1:])
    assert middles(quads) == [
        pytest.approx((650, 2509), abs=6),
        pytest.approx((650, 2559), abs=6),
        pytest.approx((1900, 500), abs=10),
    ]


def test_a_page_full_of_small_print_is_looked_at_in_bands_and_every_line_is_found_once() -> None:
    lines = [(100, top, 3900, top + 14) for top in range(100, 2900, 60)]
    quads, shapes = detect(page(4000, 3000, *lines))
    assert len(shapes) > 2
    assert all(shape[2] * shape[3] <= FINE_PIXELS * 1.1 for shape in shapes)
    assert [round(y) for _, y in sorted(middles(quads), key=lambda middle: middle[1])] == pytest.approx(
        [(top + bottom) / 2 for _, top, _, bottom in lines], abs=5
    )


def test_sides_of_the_input_are_what_the_model_can_halve() -> None:
    for width, height in ((1, 1), (17, 28), (1000, 33), (2481, 3507)):
        _, shapes = detect(page(width, height))
        assert all(side % STRIDE == 0 and side >= STRIDE for shape in shapes for side in shape[2:])


def test_a_page_without_text_has_no_boxes() -> None:
    quads, shapes = detect(page(640, 480))
    assert quads.shape == (0, 4, 2)
    assert len(shapes) == 1


def test_boxes_are_as_large_as_their_lines() -> None:
    quads, _ = detect(page(640, 480, (100, 200, 500, 230)))
    across, down = sides(quads)
    growth = 1.6 * 400 * 30 / 430
    assert across[0] == pytest.approx(400 + growth, rel=0.02)
    assert down[0] == pytest.approx(30 + growth, rel=0.05)


class Blind(Ink):
    """A session that sees no text at all."""

    def run(self, batch: np.ndarray) -> np.ndarray:
        self.shapes.append(batch.shape)
        return np.zeros_like(batch[:, :1])


def fine_print(background: np.ndarray) -> np.ndarray:
    """A block of lines of small print on a large page."""
    image = Image.fromarray(background)
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(14)
    for y in range(1000, 1500, 20):
        draw.text((1000, y), "the quick brown fox jumps over a lazy dog " * 2, font=font, fill=(0, 0, 0))
    return np.asarray(image)


def test_print_of_which_a_look_shows_nothing_is_known_by_its_letters_and_looked_at_alone() -> None:
    session = Blind()
    finder = LineFinder(Detector(session, Normalisation()))
    pixels = fine_print(page(4000, 3000))
    glance = finder.glance(pixels)
    assert glance.fine is not None
    assert glance.fine.scale > 2 * glance.look.scale
    glanced = len(session.shapes)
    finder.refine(pixels, glance)
    closely = sum(shape[2] * shape[3] for shape in session.shapes[glanced:])
    assert 0 < closely < 4000 * 3000 * glance.fine.scale**2 / 2


def test_a_large_photo_is_not_looked_at_closely_for_a_few_shapes_like_letters() -> None:
    grain = np.random.default_rng(1).integers(0, 256, (3000, 4000, 3), np.uint8)
    assert LineFinder(Detector(Blind(), Normalisation())).glance(fine_print(grain // 2 + 127)).fine is None


def bars(height: int, count: int, top: int = 20) -> list[tuple[int, int, int, int]]:
    """Lines of that height, one below the other. Their boxes are higher, by 1.6 times that."""
    return [(20, y, 320, y + height) for y in range(top, top + 40 * count, 40)]


def magnified(pixels: np.ndarray) -> float:
    return magnification(LineFinder(Detector(Ink(), Normalisation())).glance(pixels))


@pytest.mark.parametrize(("height", "times"), [(3, MAX_MAGNIFICATION), (5, MAX_MAGNIFICATION), (7, 1.0), (12, 1.0)])
def test_a_small_page_of_tiny_print_is_enlarged(height: int, times: float) -> None:
    assert magnified(page(640, 480, *bars(height, 8))) == times


def test_the_most_of_the_print_decides_whether_a_page_is_enlarged() -> None:
    assert magnified(page(640, 480, *bars(5, 7), *bars(16, 2, 330))) == MAX_MAGNIFICATION
    assert magnified(page(640, 480, *bars(16, 7), *bars(3, 2, 330))) == 1
    assert magnified(page(640, 480, *bars(16, 5), *bars(3, 4, 280))) == 1


@pytest.mark.parametrize("height", [8, 20, 60])
def test_a_page_that_is_looked_at_shrunken_is_not_enlarged(height: int) -> None:
    assert magnified(page(1000, 600, *bars(4, 8))) == MAX_MAGNIFICATION
    assert magnified(page(4000, 3000, *bars(height, 4))) == 1


def test_a_page_without_text_is_not_enlarged() -> None:
    assert magnified(page(640, 480)) == 1


def with_fragment(glance: Glance, left: float, top: float, right: float, bottom: float) -> Glance:
    """The glance as if it had shown one more box."""
    fragment = np.array([[(left, top), (right, top), (right, bottom), (left, bottom)]], np.float32)
    look = msgspec.structs.replace(glance.look, quads=np.concatenate((glance.look.quads, fragment)))
    return msgspec.structs.replace(glance, look=look)


def test_a_fragment_of_a_line_that_a_closer_look_shows_whole_is_dropped() -> None:
    pixels = page(4000, 3000, (200, 400, 3600, 600), (400, 2500, 900, 2518), (400, 2550, 900, 2568))
    finder = LineFinder(Detector(Ink(), Normalisation()))
    glance = with_fragment(finder.glance(pixels), 700, 2470, 890, 2550)
    assert middles(finder.refine(pixels, glance)) == [
        pytest.approx((650, 2509), abs=6),
        pytest.approx((650, 2559), abs=6),
        pytest.approx((1900, 500), abs=10),
    ]


def test_a_fragment_of_a_line_among_fine_print_is_dropped_and_what_stands_apart_is_kept() -> None:
    lines = [(400, y, 1200, y + 14) for y in range(2000, 2400, 60)]
    pixels = page(4000, 3000, *lines, (200, 400, 3600, 600))
    finder = LineFinder(Detector(Ink(), Normalisation()))
    # beside the sample, so that only the line that it is a part of speaks against it
    sample = np.array([[(400, 2000), (700, 2000), (700, 2400), (400, 2400)]], np.float32)
    glance = with_fragment(finder.glance(pixels), 900, 1977, 1200, 2037)
    glance = msgspec.structs.replace(glance, fine=FinePrint(sample, 0.8))
    assert [round(y) for _, y in sorted(middles(finder.refine(pixels, glance)), key=lambda middle: middle[1])] == [
        pytest.approx(500, abs=10),
        *(pytest.approx(top + 7, abs=5) for _, top, _, _ in lines),
    ]


@pytest.mark.parametrize("seed", range(4))
def test_lines_that_the_first_look_took_for_one_among_small_print_are_found_one_by_one(seed: int) -> None:
    lot = random.Random(seed)
    lines, top = [(900, 100, 3000, 116), (900, 2800, 3000, 2816)], 200
    while top < 2600:
        left, right, high = lot.randint(200, 900), lot.randint(2200, 3800), lot.randint(15, 18)
        for _ in range(lot.randint(1, 3)):
            lines.append((left, top, right, top + high))
            top += high + lot.randint(7, 8)
        top += lot.randint(60, 120)
    pixels = page(4000, 3000, *lines)
    finder = LineFinder(Detector(Ink(), Normalisation()))
    glance = finder.glance(pixels)
    assert len(glance.look.quads) < len(lines)
    found = sorted(y for _, y in middles(finder.refine(pixels, glance)))
    assert found == pytest.approx(sorted((top + bottom) / 2 for _, top, _, bottom in lines), abs=5)


def test_large_print_among_small_is_left_as_the_first_look_showed_it() -> None:
    letters = [(200 + 400 * k, 1000, 500 + 400 * k, 1400) for k in range(9)]
    lines = [(300, y, 3600, y + 16) for y in (400, 460, 2000, 2060)]
    found = detect(page(4000, 3000, *letters, *lines))[0]
    assert len(found) == len(letters) + len(lines)
