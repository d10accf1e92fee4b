"""How far a page is turned, by the evidence of all its lines.

A classifier that judges single lines is wrong on some, and what it turns wrongly is lost. So its judgements are only
votes: a page turns as a whole, and stays as it is when hardly a vote is for turning it. Else the recogniser decides by
reading lines both ways: on blurred and noisy print up to half of the votes are wrong, while the recogniser is five
times as sure of what stands upright.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ocr_engine.boxes import Quads, sides
from ocr_engine.crops import Pixels, cut, is_tall, resize, turn
from ocr_engine.models.files import Normalisation
from ocr_engine.models.session import Session
from ocr_engine.models.tensors import fill
from ocr_engine.recognition.reading import Reader
from ocr_engine.result import Rotation

INPUT_HEIGHT, INPUT_WIDTH = 48, 192
"""Pixels: the classifier's input."""
MAX_VOTERS = 12
"""Lines that are asked; more cost time and hardly ever change the answer."""
MAX_DISSENT = 0.1
"""Share of the voters, of at least `QUORUM`, that may be for turning a page that stays as it is, unread."""
QUORUM = 4
MAX_LINES_READ = 3
"""Lines, at most, that are read both ways."""
DECISIVE_LEAD = 12.0
"""Characters, each counted by the confidence in it, that one way must be ahead for no more lines to be read."""

MIN_LEAD_TO_UPEND = 0.25
"""As many of them must a page on its head be ahead by: a single T reads as well either way, and pages stand upright."""


class AngleClassifier:
    """Tells upright crops of lines from those that stand on their head."""

    def __init__(self, session: Session, normalisation: Normalisation) -> None:
        self._session = session
        self._normalisation = normalisation

    def upside_down(self, crops: Sequence[Pixels]) -> NDArray[np.float32]:
        """Probability (n,) that each crop stands on its head, by the middle of its text.

        rapidocr squeezes the whole line into the classifier's input, which makes it wrong on long ones.
        """
        batch = np.zeros((len(crops), 3, INPUT_HEIGHT, INPUT_WIDTH), np.float32)
        for row, crop in zip(batch, crops, strict=True):
            middle = _middle(crop)
            width = min(INPUT_WIDTH, max(1, -(-INPUT_HEIGHT * middle.shape[1] // middle.shape[0])))
            fill(row[:, :, :width], resize(middle, width, INPUT_HEIGHT), self._normalisation)
        return self._session.run(batch)[:, 1]


class Orienter:
    """Decides by how much a page has to be turned."""

    def __init__(self, classifier: AngleClassifier, reader: Reader) -> None:
        self._classifier = classifier
        self._reader = reader

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
        voters = voters[np.argsort(-length, kind="stable")][:MAX_VOTERS]
        crops = [cut(page, quads[i]) for i in voters]
        if sideways:
            crops = [turn(crop, 270) for crop in crops]
        if sideways:
            return 90 if self._on_their_head(crops, 0.0) else 270
        return 180 if self._on_their_head(crops, MIN_LEAD_TO_UPEND) else 0

    def _on_their_head(self, crops: Sequence[Pixels], doubt: float) -> bool:
        votes = self._classifier.upside_down(crops) > 0.5
        if len(votes) >= QUORUM and votes.mean() <= MAX_DISSENT:
            return False
        ahead = 0.0
        for crop in crops[:MAX_LINES_READ]:
            ahead += self._sureness(turn(crop, 180)) - self._sureness(crop)
            if abs(ahead) >= DECISIVE_LEAD:
                break
        return ahead > doubt

    def _sureness(self, crop: Pixels) -> float:
        """How much was read, each character counted by the confidence in it."""
        (reading,) = self._reader.read_upright([crop])
        return reading.confidence * len(reading.text)


def _middle(crop: Pixels) -> Pixels:
    """As much of a longer line as fills the classifier's input undistorted."""
    height, width = crop.shape[:2]
    part = min(width, max(1, INPUT_WIDTH * height // INPUT_HEIGHT))
    start = (width - part) // 2
    return crop[:, start : start + part]
