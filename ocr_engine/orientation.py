"""How far a page is turned, by the evidence of all its lines.

A classifier that judges single lines is wrong on some, and what it turns wrongly is lost. So its judgements are only
votes: a page turns as a whole, and where the vote is close the recogniser decides by reading some lines both ways.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from ocr_engine.boxes import Quads, sides
from ocr_engine.crops import Pixels, cut, is_tall, turn
from ocr_engine.recognition import Recogniser
from ocr_engine.result import Rotation
from ocr_engine.session import Session

SHAPE = (48, 192)
"""Height and width, pixels, of the classifier's input."""
VOTERS = 12
"""Lines that are asked; more cost time and hardly ever change the answer."""
CLEAR = 0.75
"""Share of the voters that must agree, of at least `QUORUM`, for the vote to stand unchecked."""
QUORUM = 4
SAMPLES = 3
"""Lines that are read both ways where the vote is not clear."""


class AngleClassifier:
    """Tells upright crops of lines from those that stand on their head."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def upside_down(self, crops: Sequence[Pixels]) -> NDArray[np.float32]:
        """Probability (n,) that each crop stands on its head."""
        return self._session.run(np.stack([_input(crop) for crop in crops]))[:, 1]


class Orienter:
    """Decides by how much a page has to be turned."""

    def __init__(self, classifier: AngleClassifier, recogniser: Recogniser) -> None:
        self._classifier = classifier
        self._recogniser = recogniser

    def turn_needed(self, page: Pixels, quads: Quads) -> Rotation:
        """Degrees clockwise by which the page must be turned for the lines in the boxes to stand upright."""
        if not len(quads):
            return 0
        across, down = sides(quads)
        tall = is_tall(quads)
        sideways = bool(down[tall].sum() > across[~tall].sum())
        voters = np.flatnonzero(tall == sideways)
        # of the lines that are long enough to say something the ones in the middle: neither specks nor merged lines
        length = np.maximum(across, down)[voters]
        voters = voters[np.argsort(-length, kind="stable")][:VOTERS]
        crops = [cut(page, quads[i]) for i in voters]
        if sideways:
            crops = [turn(crop, 270) for crop in crops]
        flipped = self._on_their_head(crops)
        if sideways:
            return 90 if flipped else 270
        return 180 if flipped else 0

    def _on_their_head(self, crops: Sequence[Pixels]) -> bool:
        votes = self._classifier.upside_down(crops) > 0.5
        share = float(votes.mean())
        if len(votes) >= QUORUM and max(share, 1 - share) >= CLEAR:
            return share > 0.5
        sample = crops[:SAMPLES]
        return self._sureness([turn(crop, 180) for crop in sample]) > self._sureness(sample)

    def _sureness(self, crops: Sequence[Pixels]) -> float:
        """How much was read, each character counted by the confidence in it."""
        return sum(reading.confidence * len(reading.text) for reading in self._recogniser.read(crops))


def _input(crop: Pixels) -> NDArray[np.float32]:
    """(3, 48, 192) in -1 to 1: the middle of a longer line, undistorted; rapidocr squeezes the whole line in."""
    height, width = SHAPE
    own = max(1, -(-height * crop.shape[1] // crop.shape[0]))
    if own > width:
        part = max(1, crop.shape[1] * width // own)
        start = (crop.shape[1] - part) // 2
        crop, own = crop[:, start : start + part], width
    resized = cv2.resize(crop, (own, height))
    padded = np.zeros((3, height, width), np.float32)
    padded[:, :, :own] = resized.transpose(2, 0, 1)
    padded[:, :, :own] *= 2 / 255
    padded[:, :, :own] -= 1
    return padded
