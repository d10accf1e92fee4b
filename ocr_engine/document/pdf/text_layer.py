"""The text that a PDF's page carries, where it may be believed: real characters that cover the page's ink, and only it.

What this cannot find out is whether the characters are the right ones: no flag in a file tells a font whose mapping
lies. Who takes the text has to read some of it and compare.
"""

import ctypes
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c
from numpy.typing import NDArray

from ocr_engine.crops import Pixels
from ocr_engine.document.written import WrittenLine

MAX_CHARACTERS = 30_000
"""Characters of a page that is taken from its text; with more it is read. A newspaper page has 20 000."""
MAX_UNMAPPED = 0.01
"""Share of the characters for which PDFium knows no Unicode."""
MIN_INK_COVERED = 0.98
"""Share of the page's ink that stands in the characters' boxes. Of sound pages 0.996 and more did; where an old OCR
layer lies on a chart 0.2."""
MIN_INKED = 0.95
"""Share of the boxes with ink in them: what is written where nothing is seen is not what is seen."""
INK = 64
"""Levels from the paper's, of the page's commonest, by which ink differs."""
INK_RIM = 0.1
"""Share of a box's height, and at least MIN_RIM pixels, by which ink may stand out of it."""
MIN_RIM = 2.0
RULE_LENGTH, RULE_THICKNESS = 0.25, 0.04
"""Inches: what is longer and thinner is a rule of a table or under a heading, no letter."""
WIDE_GAP = 1.5
"""By the height of a line: from where on what follows is a line of its own, in another column or cell."""
MAX_OFF_LEVEL = 0.8
"""By the height of a line: how far the middle of a character, a comma's even, may stand from that of the line."""
LOOKED_BACK = 8
"""Characters by which the height of a line is told."""
MIN_RUN, FEW = 2.0, 20
"""Characters of a line on average, on a page of more than a few: where they stand one by one, text runs up or down."""
HYPHENS = "\x02\ufffe"
"""What PDFium gives for a hyphen at a line's end."""
PARTS_OF_A_PIXEL = 64
"""Parts of a pixel in which PDFium is asked for places."""


@dataclass(frozen=True, slots=True)
class Character:
    """One character and its box in pixels."""

    text: str
    left: float
    top: float
    right: float
    bottom: float


def believable_lines(page: pdfium.PdfPage, pixels: Pixels, dpi: float) -> list[WrittenLine]:
    """The page's own lines in the order of the file, or none where they are not to be believed; `pixels`: as drawn."""
    text = page.get_textpage()
    try:
        characters = [*_characters(page, text, pixels.shape[1], pixels.shape[0])]
    except Unbelievable:
        return []
    finally:
        text.close()
    seen = [each for each in characters if not each.text.isspace()]
    if not seen or not _covers(seen, pixels, dpi):
        return []
    lines = [_line(run) for run in _runs(characters)]
    return lines if len(seen) >= MIN_RUN * len(lines) or len(seen) <= FEW else []


class Unbelievable(Exception):
    """The text is not to be believed."""


def _characters(page: pdfium.PdfPage, text: pdfium.PdfTextPage, width: int, height: int) -> Iterator[Character]:
    """Every character, and a line break as `\\n` without a box. Raises Unbelievable."""
    count = pdfium_c.FPDFText_CountChars(text)
    if not 0 < count <= MAX_CHARACTERS:
        raise Unbelievable
    to_pixels = _to_pixels(page, width, height)
    unmapped = 0
    sides = [ctypes.c_double() for _ in range(4)]
    for index in range(count):
        code = pdfium_c.FPDFText_GetUnicode(text, index)
        if code in (10, 13):
            yield Character("\n", 0, 0, 0, 0)
            continue
        character = "-" if chr(code) in HYPHENS else chr(code)
        if unicodedata.category(character) in ("Cc", "Co", "Cs", "Cn") or character == "\ufffd":
            raise Unbelievable
        unmapped += pdfium_c.FPDFText_HasUnicodeMapError(text, index) == 1
        pdfium_c.FPDFText_GetCharBox(text, index, *sides)
        left, right, bottom, top = (side.value for side in sides)
        corners = np.array([(left, bottom, 1), (right, top, 1)]) @ to_pixels
        (x0, y0), (x1, y1) = corners.min(axis=0), corners.max(axis=0)
        if not (x0 >= -1 and y0 >= -1 and x1 <= width + 1 and y1 <= height + 1):
            raise Unbelievable
        yield Character(character, x0, y0, x1, y1)
    if unmapped > MAX_UNMAPPED * count:
        raise Unbelievable


def _to_pixels(page: pdfium.PdfPage, width: int, height: int) -> NDArray[np.float64]:
    """(3, 2): points, and a 1, to pixels; PDFium knows of the page's turn and crop box."""
    found = []
    for x, y in ((0, 0), (1000, 0), (0, 1000)):
        across, down = ctypes.c_int(), ctypes.c_int()
        place = (0, 0, width * PARTS_OF_A_PIXEL, height * PARTS_OF_A_PIXEL, 0, float(x), float(y), across, down)
        pdfium_c.FPDF_PageToDevice(page, *place)
        found.append((across.value / PARTS_OF_A_PIXEL, down.value / PARTS_OF_A_PIXEL))
    origin, along, up = np.array(found)
    return np.stack(((along - origin) / 1000, (up - origin) / 1000, origin))


def _covers(characters: Sequence[Character], pixels: Pixels, dpi: float) -> bool:
    """Whether the ink stands in the boxes, and the boxes have ink."""
    ink = _ink(pixels, dpi)
    sums = cv2.integral(ink)
    covered = np.zeros_like(ink)
    inked = 0
    for each in characters:
        rim = max(MIN_RIM, INK_RIM * (each.bottom - each.top))
        left, top = max(0, int(each.left - rim)), max(0, int(each.top - rim))
        right, bottom = int(each.right + rim) + 1, int(each.bottom + rim) + 1
        covered[top:bottom, left:right] = 1
        right, bottom = min(right, ink.shape[1]), min(bottom, ink.shape[0])
        inked += bool(sums[bottom, right] - sums[top, right] - sums[bottom, left] + sums[top, left])
    amount = int(ink.sum())
    is_covered = int((ink & covered).sum()) >= MIN_INK_COVERED * amount
    return amount > 0 and is_covered and inked >= MIN_INKED * len(characters)


def _ink(pixels: Pixels, dpi: float) -> NDArray[np.uint8]:
    """(height, width), 1 where something stands that is no rule."""
    grey = cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY)
    paper = int(np.bincount(grey.ravel(), minlength=256).argmax())
    ink = (cv2.absdiff(grey, np.full_like(grey, paper)) > INK).astype(np.uint8)
    length, thickness = max(3, round(RULE_LENGTH * dpi)), max(3, round(RULE_THICKNESS * dpi))
    rules = np.zeros_like(ink)
    for kernel, thick in (((1, length), (thickness, length)), ((length, 1), (length, thickness))):
        long, wide = (cv2.morphologyEx(ink, cv2.MORPH_OPEN, np.ones(size, np.uint8)) for size in (kernel, thick))
        rules[(long > 0) & (wide == 0)] = 1
    ink[rules > 0] = 0
    return ink


def _runs(characters: Sequence[Character]) -> Iterator[list[Character]]:
    """Characters that stand beside each other on one line; never empty, no white space at the ends."""
    run: list[Character] = []
    for each in characters:
        if run and (each.text == "\n" or not _continues(run, each)):
            yield from _trimmed(run)
            run = []
        if each.text != "\n":
            run.append(each)
    yield from _trimmed(run)


def _continues(run: Sequence[Character], following: Character) -> bool:
    if following.text.isspace():
        return True
    seen = [each for each in run[-LOOKED_BACK:] if not each.text.isspace()] or [run[-1]]
    top, bottom = min(each.top for each in seen), max(each.bottom for each in seen)
    height = max(bottom - top, following.bottom - following.top, 1.0)
    apart = abs((following.top + following.bottom) - (top + bottom)) / 2
    return -height <= following.left - seen[-1].right <= WIDE_GAP * height and apart <= MAX_OFF_LEVEL * height


def _trimmed(run: list[Character]) -> Iterator[list[Character]]:
    inked = [i for i, each in enumerate(run) if not each.text.isspace()]
    if inked:
        yield run[inked[0] : inked[-1] + 1]


def _line(run: Sequence[Character]) -> WrittenLine:
    seen = [each for each in run if not each.text.isspace()]
    left, right = min(each.left for each in seen), max(each.right for each in seen)
    width = max(right - left, 1.0)
    return WrittenLine(
        text="".join(each.text for each in run),
        left=left,
        top=min(each.top for each in seen),
        right=right,
        bottom=max(each.bottom for each in seen),
        places=tuple(min(max(((each.left + each.right) / 2 - left) / width, 0.0), 1.0) for each in run),
    )
