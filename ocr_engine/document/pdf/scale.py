"""How finely a page is drawn: a scan at its own resolution, print so that its smallest letters can be read."""

import bisect
import itertools
import math
from dataclasses import dataclass

from ocr_engine.document.pdf.contents import Contents, Picture
from ocr_engine.errors import TooManyPixels
from ocr_engine.image.header import USUAL_COST

Box = tuple[float, float, float, float]

POINTS_AN_INCH = 72
"""An inch."""
MIN_DPI, USUAL_DPI, MAX_DPI = 200.0, 200.0, 300.0
"""Of pages with print that is drawn: at least, where its size is not known, and at most."""
LETTER_PIXELS = 10.0
"""Height of a letter's em. Serif letters of 8.3 pixels were read without an error, of 6.7 with 2 % of them wrong."""
SMALLER_LETTERS_SHARE = 0.02
"""Share of a page's letters that may be smaller than those by which it is drawn: superscripts, marks of layout."""
SIZES = (1.0, 400.0)
"""Points of what may be a letter's size; fonts with a scale of their own (Type 3) say others."""
WHOLE_PAGE = 0.95
"""Part of the page from which a picture is the page."""
MIN_PART = 0.05
"""Part of the page from which a picture's resolution matters for a page with print of its own."""
MAX_STRETCH = 0.02
"""Difference of a picture's resolutions both ways up to which it is taken pixel by pixel."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """The bitmap that a page is drawn into."""

    width: int
    height: int
    dpi: float
    """Pixels an inch, along the finer way."""


def drawing_of(
    contents: Contents, box: Box, size: tuple[float, float], quarter_turns: int, max_pixels: int, name: str
) -> Drawing:
    """How to draw a page.

    `box`: left, bottom, right, top of what is shown, in the page's own points; `size`: width and height in points as a
    viewer shows them, after `quarter_turns` clockwise; `name`: what an error calls the page.
    Raises TooManyPixels where one of its pictures has more than `max_pixels`.
    """
    for picture in contents.pictures:
        if picture.width * picture.height > max_pixels:
            raise TooManyPixels(
                f"{name} holds a picture of {picture.width} x {picture.height} pixels; the limit is {max_pixels}"
            )
        if picture.width * picture.height * picture.cost > max_pixels * USUAL_COST:
            raise TooManyPixels(
                f"{name} holds a picture of {picture.width} x {picture.height} pixels, of a kind that takes "
                f"{picture.cost:g} bytes of memory each; the limit is {int(max_pixels * USUAL_COST / picture.cost)}"
            )
    x, y = _pixels_a_point(contents, box)
    if quarter_turns % 2:
        x, y = y, x
    # a page of no size is drawn as one of a letter's, as PDFium shows it; one of miles as large as is allowed
    width, height = (max(side, 1e-3) for side in size)
    share = min(1.0, math.sqrt(max_pixels / (width * x * height * y)))
    across, down = max(1, round(width * x * share)), max(1, round(height * y * share))
    if across * down > max_pixels:  # a line of a page, or the rounding
        across, down = min(across, max_pixels // down or 1), min(down, max_pixels)
    return Drawing(across, down, round(max(across / width, down / height) * POINTS_AN_INCH, 2))


def _pixels_a_point(contents: Contents, box: Box) -> tuple[float, float]:
    """Along the page's own axes."""
    seen = [picture for picture in contents.pictures if _part(picture, box) >= MIN_PART]
    is_print = bool(contents.letters) or not contents.is_whole
    if seen and not is_print and not contents.drawn:
        if len(contents.pictures) == 1 and _part(seen[0], box) >= WHOLE_PAGE:
            x, y = seen[0].pixels_a_point()
            if abs(x - y) <= MAX_STRETCH * max(x, y):
                return x, y
        finest = _finest(seen)
        # small pictures on an empty page say nothing of how finely the whole is to be drawn
        covered = sum(_part(picture, box) for picture in seen) >= WHOLE_PAGE
        dpi = finest if covered else min(max(finest, MIN_DPI), MAX_DPI)
    else:
        dpi = max(_print_dpi(contents), min(_finest(seen), MAX_DPI) if seen else 0)
    return dpi / POINTS_AN_INCH, dpi / POINTS_AN_INCH


def _print_dpi(contents: Contents) -> float:
    """By the smallest letters."""
    letters = sorted((size, count) for size, count in contents.letters if SIZES[0] <= size <= SIZES[1])
    if not letters or not contents.is_whole:
        return USUAL_DPI
    counts = list(itertools.accumulate(count for _, count in letters))
    smallest, _ = letters[bisect.bisect_left(counts, SMALLER_LETTERS_SHARE * counts[-1])]
    return min(max(POINTS_AN_INCH * LETTER_PIXELS / smallest, MIN_DPI), MAX_DPI)


def _finest(pictures: list[Picture]) -> float:
    return max(max(picture.pixels_a_point()) for picture in pictures) * POINTS_AN_INCH


def _part(picture: Picture, box: Box) -> float:
    """Of the page that the picture covers."""
    left, bottom, right, top = picture.box()
    width = max(0.0, min(right, box[2]) - max(left, box[0]))
    height = max(0.0, min(top, box[3]) - max(bottom, box[1]))
    return width * height / max((box[2] - box[0]) * (box[3] - box[1]), 1e-6)
