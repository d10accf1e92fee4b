"""A page in the making: print with the tight box of each word's ink, then turned, worn and compressed."""

import io
import math
import random
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
from msgspec import Struct
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from benchmarks.accuracy.polygons import Shape
from benchmarks.accuracy.truth import Cell

WIDTH, HEIGHT = 1240, 1754
"""A4 at 150 dpi."""
HAND_DRAWN = (-0.5, 4.5)
"""Pixels by which each side of a box that people drew lies outside of the ink, for print of 18 to 24."""
FAMILIES = ("Carlito", "Caladea", "DejaVuSans", "DejaVuSerif", "LiberationSans", "LiberationSerif", "LiberationMono")
FOLDERS = ("/usr/share/fonts", "/usr/local/share/fonts")
Font = ImageFont.FreeTypeFont
Box = tuple[float, float, float, float]


class Word(Struct, frozen=True):
    """A word of the truth, and its ink."""

    text: str
    shape: Shape


@cache
def fonts() -> tuple[Path, ...]:
    """Regular faces of free families that are installed, always in one order; none where none is."""
    found = {path.stem: path for folder in FOLDERS for path in sorted(Path(folder).rglob("*.ttf"))}
    named = (found.get(f"{family}-Regular", found.get(family)) for family in FAMILIES)
    return tuple(path for path in named if path)


class Sheet:
    """White paper, and what is printed on it; lengths in pixels."""

    def __init__(self, seed: str, size: tuple[int, int] = (WIDTH, HEIGHT)) -> None:
        self.lot = random.Random(seed)
        self.lines: list[str] = []
        self.words: list[Word] = []
        self.pairs: list[tuple[str, str]] = []
        self.tables: list[list[Cell]] = []
        self._image = Image.new("L", size, 255)
        self.pen = ImageDraw.Draw(self._image)

    def font(self, size: float) -> Font:
        """A face by lot; Pillow's own where no family is installed."""
        if not fonts():
            face = ImageFont.load_default(size)
            assert isinstance(face, Font)
            return face
        return ImageFont.truetype(self.lot.choice(fonts()), size)

    def line(self, text: str, x: float, base: float, font: Font, *, alone: bool = True) -> float:
        """Prints a line from its left end on its base line; its right end. `alone`: it is a line of the truth."""
        at, boxes = x, []
        for word in text.split():
            self.pen.text((round(at), round(base)), word, font=font, fill=20, anchor="ls")
            left, top, right, bottom = _ink(font, word)
            boxes.append((round(at) + left, round(base) + top, round(at) + right, round(base) + bottom))
            at += font.getlength(word + " ")
        self.words += [Word(word, _corners(box)) for word, box in zip(text.split(), boxes, strict=True)]
        if alone:
            self.lines.append(text)
        return at - font.getlength(" ")

    def row(self, cells: Sequence[tuple[str, float]], base: float, font: Font) -> None:
        """Prints cells on one base line, from their left ends, or up to their right ones where these are negative."""
        for text, x in cells:
            self.line(text, x if x >= 0 else -x - font.getlength(text), base, font, alone=False)
        self.lines.append(" ".join(text for text, _ in cells if text))

    def sideways(self, text: str, x: float, y: float, font: Font, quarter: int) -> None:
        """Prints a line that runs up (`quarter` 1) or down (3) from a place in the margin."""
        wide, high = math.ceil(font.getlength(text)) + 20, math.ceil(3 * font.size)
        strip = Sheet(text, (wide, high))
        strip.line(text, 10, 2 * font.size, font)
        turned = strip._image.rotate(90 * quarter, expand=True)
        self._image.paste(turned, (round(x), round(y)))
        for word in strip.words:
            around = [(py, wide - px) if quarter == 1 else (high - py, px) for px, py in word.shape]
            self.words.append(Word(word.text, tuple((round(x) + px, round(y) + py) for px, py in around)))
        self.lines.append(text)

    def loosen(self) -> None:
        """Gives each word of the truth a box as people draw it, on forms (FUNSD): some pixels off its ink."""
        loosened = []
        for word in self.words:
            (left, top), _, (right, bottom), _ = word.shape
            off = [self.lot.uniform(*HAND_DRAWN) for _ in range(4)]
            loosened.append(Word(word.text, _corners((left - off[0], top - off[1], right + off[2], bottom + off[3]))))
        self.words = loosened

    def turn(self, degrees: float) -> None:
        """Turns all that is printed clockwise about the middle of the paper, which stays as large."""
        self._image = self._image.rotate(-degrees, Image.Resampling.BICUBIC, fillcolor=255)
        cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
        x0, y0 = WIDTH / 2, HEIGHT / 2

        def there(x: float, y: float) -> tuple[float, float]:
            return x0 + (x - x0) * cos - (y - y0) * sin, y0 + (x - x0) * sin + (y - y0) * cos

        self.words = [Word(word.text, tuple(there(x, y) for x, y in word.shape)) for word in self.words]

    def jpeg(self) -> bytes:
        """The page as a scanner gives it: a little blurred, grained and compressed."""
        blurred = self._image.filter(ImageFilter.GaussianBlur(self.lot.choice((0, 0.4, 0.8))))
        grain = np.random.default_rng(self.lot.randrange(2**32)).normal(
            0, self.lot.choice((0, 3, 8)), blurred.size[::-1]
        )
        pixels = np.clip(np.asarray(blurred, np.float64) * 0.95 + grain, 0, 255).astype(np.uint8)
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, "JPEG", quality=self.lot.choice((60, 80, 92)), dpi=(150, 150))
        return file.getvalue()


def _ink(font: Font, word: str) -> Box:
    """Of what is drawn of a word, from its origin on the base line; Pillow's own box has the bearings, too."""
    mask, (x, y) = font.getmask2(word, anchor="ls")
    left, top, right, bottom = mask.getbbox() or (0, 0, *mask.size)
    return x + left, y + top, x + right, y + bottom


def _corners(box: Box) -> Shape:
    left, top, right, bottom = box
    return (left, top), (right, top), (right, bottom), (left, bottom)
