"""From crops of single lines to their text.

A crop is recognised at its own width. rapidocr pads every crop to at least 320 pixels and every batch to its widest
member: 63 % of what its model is given is padding.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from ocr_engine.session import Session

HEIGHT = 48
"""Pixels: the height of a line that the PP-OCR recognition models are trained on."""
WIDTH_STEP = 32
"""Widths are rounded up to this, so that few shapes occur and crops can share a batch."""
BATCH_PIXELS = HEIGHT * 2048
"""Most pixels in a batch: bounds the memory of a run."""


class Reading(Struct, frozen=True):
    """What stands in a crop."""

    text: str
    confidence: float
    """0 to 1: mean probability of the characters."""


class Recogniser:
    """Reads crops of lines. `characters` are the model's classes after the blank, in its order."""

    def __init__(self, session: Session, characters: Sequence[str]) -> None:
        self._session = session
        # class 0 is CTC's blank; the space comes last (rapidocr CTCLabelDecode)
        self._characters = ["", *characters, " "]

    def read(self, crops: Sequence[NDArray[np.uint8]]) -> list[Reading]:
        """The text of each crop (H, W, 3) BGR, upright, in the order given."""
        readings = [Reading("", 0.0)] * len(crops)
        for width, members in self._buckets(crops):
            scores = self._session.run(np.stack([_input(crops[i], width) for i in members]))
            for i, line in zip(members, scores, strict=True):
                readings[i] = self._decode(line)
        return readings

    @staticmethod
    def _buckets(crops: Sequence[NDArray[np.uint8]]) -> list[tuple[int, list[int]]]:
        by_width: dict[int, list[int]] = {}
        for i, crop in enumerate(crops):
            by_width.setdefault(-(-_width(crop) // WIDTH_STEP) * WIDTH_STEP, []).append(i)
        buckets = []
        for width, members in sorted(by_width.items()):
            most = max(1, BATCH_PIXELS // (HEIGHT * width))
            buckets += [(width, members[at : at + most]) for at in range(0, len(members), most)]
        return buckets

    def _decode(self, scores: NDArray[np.float32]) -> Reading:
        """CTC, best path (Graves 2006): the likeliest class of each step, repetitions and blanks dropped."""
        best = scores.argmax(axis=1)
        starts = (best != 0) & np.concatenate(([True], best[1:] != best[:-1]))
        if not starts.any():
            return Reading("", 0.0)
        text = "".join(self._characters[i] for i in best[starts])
        return Reading(text, float(scores[starts, best[starts]].mean()))


def _width(crop: NDArray[np.uint8]) -> int:
    """Width of the crop when it is `HEIGHT` high."""
    return max(1, -(-HEIGHT * crop.shape[1] // crop.shape[0]))


def _input(crop: NDArray[np.uint8], width: int) -> NDArray[np.float32]:
    """(3, HEIGHT, width) in -1 to 1; what is right of the crop is 0, as in training."""
    own = min(_width(crop), width)
    resized = cv2.resize(crop, (own, HEIGHT))
    padded = np.zeros((3, HEIGHT, width), np.float32)
    padded[:, :, :own] = resized.transpose(2, 0, 1)
    padded[:, :, :own] *= 2 / 255
    padded[:, :, :own] -= 1
    return padded
