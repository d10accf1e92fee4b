"""A page's lines and words as level boxes: turned upright, and turned back by the page's skew."""

from collections.abc import Sequence

import cv2
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from ocr_engine.crops import Pixels
from ocr_engine.formats.shared.places import words_of
from ocr_engine.result import OcrLine, Polygon, Rotation

STEADY_LINE = 4.0
"""Lines this many times as long as high tell the page's skew."""
MAX_SKEW = 0.2
"""Radians: what leans more stands askew on a page that does not."""


class Box(Struct, frozen=True):
    """A level box in pixels."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        return self.right - self.left

    @property
    def height(self) -> float:
        return self.bottom - self.top

    @property
    def x(self) -> float:
        return (self.left + self.right) / 2

    @property
    def y(self) -> float:
        return (self.top + self.bottom) / 2

    def around(self, other: "Box") -> "Box":
        """The smallest box around both."""
        return Box(
            min(self.left, other.left),
            min(self.top, other.top),
            max(self.right, other.right),
            max(self.bottom, other.bottom),
        )


class Word(Struct, frozen=True):
    """A word and its level box."""

    text: str
    box: Box


class Item(Struct, frozen=True):
    """A line, level; `index`: which of the page's."""

    index: int
    row: int
    text: str
    box: Box
    words: tuple[Word, ...]


class Frame:
    """From the picture as a viewer shows it to the level page, and back."""

    def __init__(self, lines: Sequence[OcrLine], width: int, height: int, rotation: Rotation) -> None:
        self._quarters = _quarter_turns(width, height, rotation)
        self.width, self.height = (height, width) if rotation in (90, 270) else (width, height)
        self.skew = self._skew(lines)
        """Radians by which the upright page's text leans, clockwise."""
        cos, sin = np.cos(-self.skew), np.sin(-self.skew)
        self._level = np.array([[cos, -sin], [sin, cos]])

    def items(self, lines: Sequence[OcrLine]) -> list[Item]:
        """The lines on the level page, without those of low confidence."""
        sure = [(i, line, words_of(line)) for i, line in enumerate(lines) if not line.low_confidence]
        # all at once: a page has hundreds of words
        polygons = [each for _, line, words in sure for each in (line.polygon, *(word.polygon for word in words))]
        boxes = iter(self._boxes(polygons) if polygons else ())
        return [
            Item(i, line.row or -i - 1, line.text, next(boxes), tuple(Word(word.text, next(boxes)) for word in words))
            for i, line, words in sure
        ]

    def shown(self, box: Box) -> Polygon:
        """Where a level box stands in the picture as a viewer shows it; none outside of it."""
        corners = np.array([(box.left, box.top), (box.right, box.top), (box.right, box.bottom), (box.left, box.bottom)])
        upright = np.clip(corners @ self._level, 0, (self.width, self.height))
        matrix, offset = self._quarters
        a, b, c, d = ((round(float(x), 1), round(float(y), 1)) for x, y in (upright - offset) @ matrix)
        return a, b, c, d

    def level(self, picture: Pixels) -> Pixels:
        """The upright page turned level, in shades of grey, at its own size: (H, W)."""
        grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
        if abs(self.skew) * self.width < 2:
            return np.asarray(grey, np.uint8)
        matrix = np.hstack([self._level, np.zeros((2, 1))])
        size = (grey.shape[1], grey.shape[0])
        return np.asarray(cv2.warpAffine(grey, matrix, size, borderMode=cv2.BORDER_REPLICATE), np.uint8)

    def _boxes(self, polygons: Sequence[Polygon]) -> list[Box]:
        corners = np.sort((self._upright(polygons) @ self._level.T).reshape(-1, 4, 2), axis=1)
        # the middle of each side: a box that leans a little grows neither wider nor higher
        low, high = (corners[:, 0] + corners[:, 1]) / 2, (corners[:, 2] + corners[:, 3]) / 2
        return [Box(*each) for each in np.concatenate((low, np.maximum(high, low + 1)), axis=1).tolist()]

    def _upright(self, polygons: Sequence[Polygon]) -> NDArray[np.float64]:
        """All their corners (4 n, 2)."""
        matrix, offset = self._quarters
        return np.asarray(np.array(polygons, np.float64).reshape(-1, 2) @ matrix.T + offset)

    def _skew(self, lines: Sequence[OcrLine]) -> float:
        if not lines:
            return 0.0
        corners = self._upright([line.polygon for line in lines]).reshape(-1, 4, 2)
        along, down = corners[:, 1] - corners[:, 0], corners[:, 3] - corners[:, 0]
        angles = np.arctan2(along[:, 1], along[:, 0])
        long = np.hypot(*along.T) > STEADY_LINE * np.hypot(*down.T)
        steady = angles[long & (np.abs(angles) < MAX_SKEW)]
        return float(np.median(steady)) if len(steady) else 0.0


def _quarter_turns(width: int, height: int, rotation: Rotation) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Matrix (2, 2) and offset (2,) that turn points of the picture upright."""
    match rotation:
        case 0:
            return np.array([[1.0, 0], [0, 1]]), np.array([0.0, 0])
        case 90:
            return np.array([[0.0, -1], [1, 0]]), np.array([float(height), 0])
        case 180:
            return np.array([[-1.0, 0], [0, -1]]), np.array([float(width), height])
        case 270:
            return np.array([[0.0, 1], [-1, 0]]), np.array([0.0, width])
