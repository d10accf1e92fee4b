"""What a recogniser may have read, for tests of what is made of it."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ocr_engine.models.line_scores import LineScores, of_all
from ocr_engine.recognition.ctc import Doubt, Reading


def evenly(
    text: str, confidence: float = 0.99, *, certainty: float | None = None, doubts: Sequence[Doubt] = ()
) -> Reading:
    """Of a line all whose characters are as wide; each as certain as the whole unless that is said."""
    places = tuple((i + 0.5) / len(text) for i in range(len(text)))
    each = confidence if certainty is None else certainty
    return Reading(text, confidence, places, (each,) * len(text), doubts=tuple(doubts))


def line_of(scores: NDArray[np.float32]) -> LineScores:
    """A line by its scores (steps, classes)."""
    return of_all(scores[None])[0]
