"""Pictures that show text as a mirror does, or a window from behind: read turned over, and never surely."""

import re
from collections.abc import Sequence

import cv2
import msgspec
import numpy as np

from ocr_engine.boxes import Quads, sides
from ocr_engine.crops import Pixels, cut, turn
from ocr_engine.options import ReadOptions
from ocr_engine.recognition.ctc import Reading
from ocr_engine.recognition.reading import Reader
from ocr_engine.result import OcrBlock, OcrLine, OcrPage, Polygon, Rotation

SAMPLE_LINES = 3
"""Of the longest lines, that are read turned over."""
SURE_OF_MIRROR = 0.94
"""Mean confidence of them from which a page is a mirror's: Russian and Greek turned over have .5 to .9."""
MIN_OF_FIRST = 0.85
"""Confidence of the longest of them under which the others are not read."""
MIRROR_LEAD = 0.12
"""By which it is ahead of the page as it stands."""
FEW_LINES, FEW_LETTERS = 3, 24
"""Of a sign at most, whose letters in a mirror may be read as others: `EXIT` as `TIX3`, with .9."""
SURE_OF_SIGN, SIGN_LEAD = 0.98, 0.03
"""The same of a sign: of 301 lines of real pages by themselves, 17 of which are unsure, none is so sure in a mirror."""
_DIGIT = re.compile(r"\d")
_MIXED = re.compile(r"[^\W\d_]\d|\d[^\W\d_]")
SIGNS_OF_MIRROR = 4
"""Letters that they have together at least: a few of them look alike in a mirror."""
MAX_BELIEVED = 0.5
"""Confidence that is left to what was read so."""
_TURNED: dict[Rotation, Rotation] = {0: 0, 90: 270, 180: 180, 270: 90}


def may_be_sign(readings: Sequence[Reading]) -> bool:
    """Whether a page has few letters, which are not quite sure or have digits among them: a mirror is held to it."""
    lines = [reading for reading in readings if reading.text]
    letters = sum(sum(map(str.isalnum, reading.text)) for reading in lines)
    is_strange = _sureness(lines) < SURE_OF_SIGN - SIGN_LEAD or _has_digits_in_words(lines)
    return 0 < len(lines) <= FEW_LINES and letters <= FEW_LETTERS and is_strange


def is_one(page: Pixels, quads: Quads, readings: Sequence[Reading], reader: Reader) -> bool:
    """Whether a page (H, W, 3) that is hard to read, in boxes (n, 4, 2), reads well in a mirror."""
    across, down = sides(quads)
    longest = [i for i in np.argsort(-across, kind="stable").tolist() if across[i] >= down[i]][:SAMPLE_LINES]
    crops = [turned_over(cut(page, quads[i])) for i in longest]
    # what hardly reads may have been turned the wrong way as well
    upright, upside_down = reader.read_once(crops[:1]), reader.read_once([turn(crop, 180) for crop in crops[:1]])
    if not crops or max(_sureness(upright), _sureness(upside_down)) < MIN_OF_FIRST:
        return False
    if _sureness(upside_down) > _sureness(upright):
        crops = [turn(crop, 180) for crop in crops]
    seen = reader.read(crops)
    letters = sum(sum(map(str.isalnum, reading.text)) for reading in seen)
    sure, before = _sureness(seen), _sureness([readings[i] for i in longest])
    least, lead = SURE_OF_MIRROR, MIRROR_LEAD
    if may_be_sign(readings):
        has_words_instead = _has_digits_in_words(readings) and not any(map(_DIGIT.search, (each.text for each in seen)))
        least, lead = SURE_OF_SIGN, 0.0 if has_words_instead else SIGN_LEAD
    return letters >= SIGNS_OF_MIRROR and sure >= max(least, before + lead)


def _has_digits_in_words(readings: Sequence[Reading]) -> bool:
    return any(_MIXED.search(reading.text) for reading in readings)


def _sureness(readings: Sequence[Reading]) -> float:
    return float(np.mean([reading.confidence for reading in readings])) if readings else 0.0


def turned_over(pixels: Pixels) -> Pixels:
    """The picture as a mirror shows it."""
    return np.ascontiguousarray(cv2.flip(pixels, 1), np.uint8)


def options_of(options: ReadOptions) -> ReadOptions:
    """The same of the picture that was turned over."""
    return options if options.rotate is None else msgspec.structs.replace(options, rotate=_TURNED[options.rotate])


def shown(page: OcrPage) -> OcrPage:
    """What was read of a page that was turned over, where the picture shows it, and doubted."""
    return msgspec.structs.replace(
        page,
        rotation=_TURNED[page.rotation],
        lines=tuple(_line(line, page.width) for line in page.lines),
        blocks=tuple(_block(block, page.width) for block in page.blocks),
        warnings=(*page.warnings, "mirrored"),
    )


def _line(line: OcrLine, width: int) -> OcrLine:
    return msgspec.structs.replace(
        line,
        confidence=min(MAX_BELIEVED, line.confidence),
        polygon=_flipped(line.polygon, width),
        words=tuple(
            msgspec.structs.replace(
                word, confidence=min(MAX_BELIEVED, word.confidence), polygon=_flipped(word.polygon, width)
            )
            for word in line.words
        ),
    )


def _block(block: OcrBlock, width: int) -> OcrBlock:
    cells = tuple(msgspec.structs.replace(cell, polygon=_flipped(cell.polygon, width)) for cell in block.cells)
    return msgspec.structs.replace(block, cells=cells)


def _flipped(polygon: Polygon, width: int) -> Polygon:
    """Corners clockwise from the picture's top left."""
    a, b, c, d = ((round(width - x, 1), y) for x, y in polygon)
    return b, a, d, c
