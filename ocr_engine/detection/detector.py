"""One look of the detection model at a page or a part of it: which lines it shows, and which it only hints at."""

import math

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from ocr_engine.boxes import BOX_PROBABILITY, SPECK_PROBABILITY, Quads, boxes_from_map, heights, specks
from ocr_engine.crops import Pixels, resize
from ocr_engine.models.catalogue import Normalisation
from ocr_engine.models.session import Session
from ocr_engine.models.tensors import fill

STRIDE = 32
"""The model halves its input five times: its sides are multiples of this."""
MAX_LOOK_PIXELS = 2_000_000
"""Of any look, however absurd the page: its sides are at least STRIDE, so a line of 12 million pixels, which is a file
of some kB, would be a look of 384 million."""
SMALL_PRINT = 12.0
"""Height of a box, in pixels of the look, under which lines begin to be missed or to merge: letters of 8 pixels."""
SHADOW_PROBABILITY = 0.3
"""Mean probability of a box that is no text yet, but reason enough to look more closely."""


class Look(Struct, frozen=True):
    """What a look at a page found."""

    quads: Quads
    """Boxes (n, 4, 2) of the lines, in the page's pixels."""
    small: Quads
    """Those, and shadows of others, whose print was too small for the scale."""
    blurs: Quads
    """Shadows of print that is not small: of nothing mostly, sometimes of lines that are set too closely."""
    specks: NDArray[np.float32]
    """Points (n, 2) where text is and no box: dots mostly, or all that is left of print that is much too small."""
    certain: NDArray[np.uint8]
    """1 for each pixel (rows, columns) of the look that is surely text, else 0."""
    pixel: NDArray[np.float32]
    """Width and height (2,) of a pixel of the look in pixels of the page."""
    scale: float
    """Pixels of the look by pixels of the page."""


class Detector:
    """Runs a DB model of the PP-OCR family (differentiable binarization: Liao et al., AAAI 2020)."""

    def __init__(self, session: Session, normalisation: Normalisation) -> None:
        self._session = session
        self._normalisation = normalisation

    def look(self, page: Pixels, scale: float) -> Look:
        """At a page, or a part of one, (H, W, 3), at `scale` pixels of the look by pixel of the page."""
        height, width = page.shape[:2]
        scale = min(scale, math.sqrt(MAX_LOOK_PIXELS / (height * width)), MAX_LOOK_PIXELS / STRIDE / max(height, width))
        rows = max(STRIDE, round(height * scale / STRIDE) * STRIDE)
        columns = max(STRIDE, round(width * scale / STRIDE) * STRIDE)
        batch = np.empty((1, 3, rows, columns), np.float32)
        fill(batch[0], resize(page, columns, rows), self._normalisation)
        probability = self._session.run(batch)[0, 0]
        quads, certainty = boxes_from_map(probability, SHADOW_PROBABILITY)
        sure = certainty >= BOX_PROBABILITY
        certain = (probability > SPECK_PROBABILITY).astype(np.uint8)
        small = heights(quads) < SMALL_PRINT
        to_page = np.array((width / columns, height / rows), np.float32)
        return Look(
            quads=quads[sure] * to_page,
            small=quads[small] * to_page,
            blurs=quads[~sure & ~small] * to_page,
            specks=specks(certain, quads) * to_page,
            certain=certain,
            pixel=to_page,
            scale=scale,
        )

    def look_at(
        self, page: Pixels, low: NDArray[np.float32], high: NDArray[np.float32], rim: float, scale: float
    ) -> Quads:
        """Boxes (n, 4, 2), in pixels of the page, in its part between two corners (x, y) and `rim` pixels around it."""
        left, top = np.maximum(np.floor(low - rim), 0).astype(int).tolist()
        right, bottom = np.ceil(high + rim).astype(int).tolist()
        return self.look(page[top:bottom, left:right], scale).quads + np.array((left, top), np.float32)
