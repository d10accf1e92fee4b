"""One line in another script, read in the crops that suit it."""

from collections.abc import Iterable

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from ocr_engine.crops import Pixels, cut, is_tall, turn
from ocr_engine.recognition.ctc import NOTHING, Reading
from ocr_engine.scripts.languages import Script
from ocr_engine.scripts.tesseract import LineReader

SURE_OF_LINE = 0.85
"""Confidence below which a line is read again in other crops: five drawn pages of Persian .936 instead of .922, of Thai
.982 instead of .971."""
OTHER_CROPS = (0.05, 5), (0.15, 0)
"""Margin, by the line's height, and border, in pixels, of those crops."""


class Box(Struct, frozen=True):
    """Where a line stands."""

    page: Pixels
    quad: NDArray[np.float32]
    """(4, 2)"""
    upside_down: bool = False

    def crop(self, margin: float) -> Pixels:
        """The line, level and upright, a share of its height higher at each side."""
        crop = cut(self.page, with_margin(self.quad, margin))
        if is_tall(self.quad[None])[0]:
            crop = turn(crop, 270)
        return turn(crop, 180) if self.upside_down else crop


def read_once(reader: LineReader, box: Box, script: Script) -> Reading:
    """The line in the crop that suits most lines of the script."""
    return reader.read(box.crop(script.margin), script.border)


def read_well(reader: LineReader, box: Box, script: Script) -> Reading:
    """The line in that crop, and in others where it is not read surely."""
    best = NOTHING
    for margin, border in ((script.margin, script.border), *OTHER_CROPS):
        best = surest((best, reader.read(box.crop(margin), border)))
        if best.confidence >= SURE_OF_LINE:
            break
    return best


def surest(readings: Iterable[Reading]) -> Reading:
    """The one of most confidence."""
    return max(readings, key=lambda reading: reading.confidence)


def own_share(text: str, script: Script) -> float:
    """Share of the letters, and of the marks over and under them, that are of the script."""
    letters = [character for character in text if character.isalpha() or script.holds(character)]
    return sum(map(script.holds, letters)) / len(letters) if letters else 0.0


def with_margin(quad: NDArray[np.float32], share: float) -> NDArray[np.float32]:
    """The box (4, 2) of a line, level or not, grown by a share of its height at both sides of it."""
    across, down = quad[1] - quad[0], quad[3] - quad[0]
    if is_tall(quad[None])[0]:
        rim = share * across
        return np.asarray((quad[0] - rim, quad[1] + rim, quad[2] + rim, quad[3] - rim), np.float32)
    rim = share * down
    return np.asarray((quad[0] - rim, quad[1] - rim, quad[2] + rim, quad[3] + rim), np.float32)


def middle(quad: NDArray[np.float32], ratio: float) -> NDArray[np.float32]:
    """The box (4, 2) of a line, level or not, at most so many times as long as high: its middle."""
    tall = bool(is_tall(quad[None])[0])
    corners = np.roll(quad, -1, axis=0) if tall else quad
    along = corners[1] - corners[0], corners[2] - corners[3]
    length, height = float(np.linalg.norm(along[0])), float(np.linalg.norm(corners[3] - corners[0]))
    rim = max(0.0, 0.5 - 0.5 * ratio * height / max(1.0, length))
    upper, lower = rim * along[0], rim * along[1]
    cut = np.asarray((corners[0] + upper, corners[1] - upper, corners[2] - lower, corners[3] + lower), np.float32)
    return np.roll(cut, 1, axis=0) if tall else cut
