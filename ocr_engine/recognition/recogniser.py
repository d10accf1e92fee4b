"""From crops of single lines to their text, each at the width that is asked for.

rapidocr pads every crop to at least 320 pixels and every batch to its widest member: 63 % of what its model is given
is padding. Here a crop's own width counts. A batch gains nothing but a few per cent on the narrowest crops, so only
crops of one width share one.
"""

import math
from collections.abc import Sequence

import numpy as np

from ocr_engine.crops import Pixels, resize
from ocr_engine.models.catalogue import Normalisation
from ocr_engine.models.line_scores import LineScores
from ocr_engine.models.session import LineSession
from ocr_engine.models.tensors import fill
from ocr_engine.recognition.ctc import Decoder, Reading

LINE_HEIGHT = 48
"""Pixels: the height of a line that the PP-OCR recognition models are trained on."""
MAX_WIDTH = 9600
"""Pixels: some 400 letters. Attention grows with the square of the width: a line of 6000 letters took 4 GB."""
WIDTH_STEP = 16
"""Widths are rounded up to this: two steps of the model's output, and few enough shapes."""
MIN_WIDTH = 128
"""Pixels that the model is given at least, empty ones behind the text included: without them `%` is read as 8 or 96.
Of 128 such cells 112 are right without, 123 with them, 126 where they are not squeezed, too; 320 would do no more."""
BATCH_WIDTH = 640
"""Pixels: widths of a batch's crops together. Wider ones only cost memory: from 240 on a batch is no faster."""


class Recogniser:
    """Reads crops of lines. `characters` are the model's classes after the blank and before the space, in its order."""

    def __init__(
        self, session: LineSession, quick: LineSession, normalisation: Normalisation, characters: Sequence[str]
    ) -> None:
        """`quick` is the same model, computing less exactly, or once more `session`."""
        self._session = session
        self._quick = quick
        self._normalisation = normalisation
        self._decoder = Decoder(characters)

    def read(self, crops: Sequence[Pixels], widths: Sequence[int], *, exactly: bool = False) -> list[Reading]:
        """The text of each upright crop (H, W, 3), `widths` pixels wide when 48 high, in the order given."""
        session = self._session if exactly else self._quick
        widths = [min(width, MAX_WIDTH) for width in widths]
        scores: dict[int, tuple[LineScores, float]] = {}
        for width, members in _batches(widths):
            batch = np.zeros((len(members), 3, LINE_HEIGHT, width), np.float32)
            for row, i in zip(batch, members, strict=True):
                # what is right of the crop stays 0, the middle grey of training
                own = max(1, widths[i])
                fill(row[:, :, :own], resize(crops[i], own, LINE_HEIGHT), self._normalisation)
            for i, line in zip(members, session.lines(batch), strict=True):
                scores[i] = line, width / max(1, widths[i])
        # all at the end: between two runs of the model, each of which empties the caches, it takes twice as long
        return [self._decoder.decoded(*scores[i]) for i in range(len(crops))]


def natural_width(crop: Pixels) -> int:
    """Width of a crop that is scaled to 48 pixels of height."""
    height, width = crop.shape[:2]
    return max(1, math.ceil(LINE_HEIGHT * float(width) / float(height)))


def _batches(widths: Sequence[int]) -> list[tuple[int, list[int]]]:
    """Rounded width and members of each batch; together every index once."""
    by_width: dict[int, list[int]] = {}
    for i, width in enumerate(widths):
        by_width.setdefault(max(MIN_WIDTH, -(-width // WIDTH_STEP) * WIDTH_STEP), []).append(i)
    batches = []
    # the widest first: what comes after it fits into the memory that it leaves
    for width, members in sorted(by_width.items(), reverse=True):
        most = max(1, BATCH_WIDTH // width)
        batches += [(width, members[at : at + most]) for at in range(0, len(members), most)]
    return batches
