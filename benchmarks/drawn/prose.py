"""Pages of running prose by language, known to the letter: `python -m benchmarks draw --prose FOLDER`.

The prose is not ours: a folder of it holds one UTF-8 file a language, `de.txt`, a paragraph a line.
"""

import io
import math
import random
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import numpy as np
from msgspec import Struct
from PIL import Image, ImageDraw, ImageFilter, ImageFont

SIZES = (13, 22)
"""Pixels of an em: print of 6 points at 150 dpi up to 10 points at 160."""
WIDTHS = (620, 1150)
"""Pixels of a page's lines."""
LINES = (11, 15)
TIGHT_SHARE = 0.1
TIGHT_SPACES = (0.12, 0.17)
"""Of an em, between the words of tight pages; fonts have 0.22 to 0.3."""
WORN_SHARE = 0.4
MAX_LEAN = 0.6
"""Degrees, of worn pages."""
UNKNOWN = "\uffff"
"""No font has it."""

Font = ImageFont.FreeTypeFont


class ProsePage(Struct, frozen=True):
    """A page of prose: its lines, what kind of page it is, and the picture with its suffix."""

    lines: list[str]
    kind: str
    picture: bytes
    suffix: str


def faces(folders: Sequence[Path]) -> list[Path]:
    """All faces in some folders, in one order whatever the folders are."""
    found = {path.name: path for folder in folders for path in folder.rglob("*.[ot]tf")}
    return [found[name] for name in sorted(found)]


def page(paragraphs: Sequence[str], fonts: Sequence[Path], seed: str) -> ProsePage:
    """A page of some of the paragraphs, in a font by lot that has all their letters. Raises LookupError without one."""
    lot = random.Random(seed)
    size, width, count = lot.randint(*SIZES), lot.randint(*WIDTHS), lot.randint(*LINES)
    tight = lot.random() < TIGHT_SHARE
    worn = lot.random() < WORN_SHARE
    chosen = lot.sample(paragraphs, min(len(paragraphs), 4 * count))
    font = _font(fonts, frozenset("".join(chosen)), size, lot)
    space = round(size * lot.uniform(*TIGHT_SPACES), 2) if tight else font.getlength(" ")
    lines = [line for paragraph in chosen for line in _wrapped(paragraph, font, width, space)][:count]
    pitch = math.ceil(size * lot.uniform(1.2, 1.6))
    margin = 2 * size
    paper = Image.new("L", (width + 2 * margin, pitch * count + 2 * margin), lot.randint(235, 255))
    pen = ImageDraw.Draw(paper)
    ink = lot.randint(0, 60)
    for number, line in enumerate(lines):
        base = margin + pitch * number + size
        if not tight:
            pen.text((margin, base), line, font=font, fill=ink, anchor="ls")
            continue
        at = float(margin)
        for word in line.split():
            pen.text((round(at), base), word, font=font, fill=ink, anchor="ls")
            at += font.getlength(word) + space
    kind = "tight" if tight else "worn" if worn else "plain"
    return ProsePage(lines, kind, *(_scanned(paper, lot) if worn else _saved(paper)))


def _font(fonts: Sequence[Path], letters: frozenset[str], size: int, lot: random.Random) -> Font:
    for path in lot.sample(fonts, len(fonts)):
        if all(_has(path, letter) for letter in letters if not letter.isspace()):
            return ImageFont.truetype(path, size)
    raise LookupError("no font has all letters of the prose")


@cache
def _has(path: Path, letter: str) -> bool:
    font = ImageFont.truetype(path, 24)
    return bytes(font.getmask(letter)) != bytes(font.getmask(UNKNOWN))


def _wrapped(paragraph: str, font: Font, width: int, space: float) -> Iterator[str]:
    line: list[str] = []
    for word in paragraph.split():
        if line and sum(map(font.getlength, [*line, word])) + space * len(line) > width:
            yield " ".join(line)
            line = []
        line.append(word)
    yield " ".join(line)


def _scanned(paper: Image.Image, lot: random.Random) -> tuple[bytes, str]:
    turned = paper.rotate(lot.uniform(-MAX_LEAN, MAX_LEAN), Image.Resampling.BICUBIC, fillcolor=245)
    blurred = turned.filter(ImageFilter.GaussianBlur(lot.uniform(0.2, 0.8)))
    grain = np.random.default_rng(lot.randrange(2**32)).normal(0, lot.uniform(0, 10), blurred.size[::-1])
    pixels = np.clip(np.asarray(blurred, np.float64) + grain, 0, 255).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=lot.randint(45, 85), dpi=(150, 150))
    return file.getvalue(), ".jpg"


def _saved(paper: Image.Image) -> tuple[bytes, str]:
    file = io.BytesIO()
    paper.save(file, "PNG")
    return file.getvalue(), ".png"
