"""Where the lines of text are on a page."""

import cv2
import numpy as np
from numpy.typing import NDArray

from ocr_engine.boxes import Quads, boxes_from_map
from ocr_engine.session import Session

STRIDE = 32
"""The model halves its input five times: sides are multiples of this."""
LONG_SIDE = 1280
"""Pixels: larger pages are shrunk to this for detection."""
MEAN, STD = 0.5, 0.5
"""Normalisation of pixels in 0 to 1, as the rapidocr wheel configures the models that it carries."""


class Detector:
    """Finds lines with a DB model of the PP-OCR family."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def detect(self, page: NDArray[np.uint8]) -> Quads:
        """Boxes (n, 4, 2) of the lines on a page (H, W, 3) BGR, in its pixels."""
        height, width = page.shape[:2]
        scale = min(1.0, LONG_SIDE / max(height, width))
        quads = boxes_from_map(self._probability(page, scale))
        map_height, map_width = _input_size(height, width, scale)
        return quads * np.array((width / map_width, height / map_height), np.float32)

    def _probability(self, page: NDArray[np.uint8], scale: float) -> NDArray[np.float32]:
        height, width = _input_size(*page.shape[:2], scale)
        resized = cv2.resize(page, (width, height))
        batch = np.ascontiguousarray(resized.transpose(2, 0, 1)[None], np.float32)
        batch *= 1 / (255 * STD)
        batch -= MEAN / STD
        return self._session.run(batch)[0, 0]


def _input_size(height: int, width: int, scale: float) -> tuple[int, int]:
    return (
        max(STRIDE, round(height * scale / STRIDE) * STRIDE),
        max(STRIDE, round(width * scale / STRIDE) * STRIDE),
    )
