"""From crops of single lines to their text, each at the width that is asked for.

rapidocr pads every crop to at least 320 pixels and every batch to its widest member: 63 % of what its model is given
is padding. Here a crop's own width counts. A batch gains nothing but a few per cent on the narrowest crops, so only
crops of one width share one.
"""

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from ocr_engine.crops import Pixels, resize
from ocr_engine.models.files import Normalisation
from ocr_engine.models.session import Session
from ocr_engine.models.tensors import fill
from ocr_engine.recognition import lookalikes

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


SPACE_PROBABILITY = 0.2
"""From here on a gap is a space, even where the model prefers to say nothing: word F1 0.951 becomes 0.952."""
FIRST_EAST_ASIAN = "\u2e80"
"""From here on scripts set no spaces between words."""


class Reading(Struct, frozen=True):
    """What stands in a crop."""

    text: str
    confidence: float
    """0 to 1: mean probability of the characters."""
    places: tuple[float, ...] = ()
    """Where each character stands along the text: its middle, 0 at the left to 1 at the right."""
    certainty: tuple[float, ...] = ()
    """0 to 1: the probability of each character."""
    corner: int = 0
    """Which corner of its box, counted clockwise from the top left, is the text's own top left."""

    def confidence_of(self, first: int, last: int) -> float:
        """0 to 1: mean probability of the characters from `first` up to `last`."""
        part = self.certainty[first:last]
        return sum(part) / len(part) if part else self.confidence


NOTHING = Reading("", 0.0)


class Recogniser:
    """Reads crops of lines. `characters` are the model's classes after the blank and before the space, in its order."""

    def __init__(self, session: Session, normalisation: Normalisation, characters: Sequence[str]) -> None:
        self._session = session
        self._normalisation = normalisation
        # class 0 is CTC's blank, and the space comes last (rapidocr CTCLabelDecode)
        self._characters = ["", *characters, " "]
        self._classes = {character: i for i, character in enumerate(self._characters)}

    def read(self, crops: Sequence[Pixels], widths: Sequence[int]) -> list[Reading]:
        """The text of each upright crop (H, W, 3), `widths` pixels wide when 48 high, in the order given."""
        widths = [min(width, MAX_WIDTH) for width in widths]
        readings = [NOTHING] * len(crops)
        for width, members in _batches(widths):
            batch = np.zeros((len(members), 3, LINE_HEIGHT, width), np.float32)
            for row, i in zip(batch, members, strict=True):
                # what is right of the crop stays 0, the middle grey of training
                own = max(1, widths[i])
                fill(row[:, :, :own], resize(crops[i], own, LINE_HEIGHT), self._normalisation)
            for i, scores in zip(members, self._session.run(batch), strict=True):
                readings[i] = self._decode(scores, width / max(1, widths[i]))
        return readings

    def _decode(self, scores: NDArray[np.float32], share: float) -> Reading:
        """CTC, best path (Graves 2006): the likeliest class of each step, repetitions and blanks dropped.

        `share` is the width of all steps by that of the crop.
        """
        best = scores.argmax(axis=1)
        starts = (best != 0) & np.concatenate(([True], best[1:] != best[:-1]))
        if not starts.any():
            return NOTHING
        places = np.flatnonzero(starts)
        confidence = float(scores[places, best[places]].mean())
        self._let_words_decide(scores, best, places)
        text = [self._characters[best[places[0]]]]
        where = [float(places[0])] * len(text[0])
        certainty = [float(scores[places[0], best[places[0]]])] * len(text[0])
        for before, place in pairwise(places.tolist()):
            character = self._characters[best[place]]
            between = scores[before + 1 : place]
            if self._space_was_missed(text[-1], character, between):
                text.append(" ")
                where.append((before + place) / 2)
                certainty.append(float(between[:, -1].max()))
            text.append(character)
            where += [place] * len(character)
            certainty += [float(scores[place, best[place]])] * len(character)
        along = tuple((step + 0.5) / len(best) * share for step in where)
        return Reading("".join(text), confidence, along, tuple(certainty))

    def _let_words_decide(self, scores: NDArray[np.float32], best: NDArray[np.intp], places: NDArray[np.intp]) -> None:
        """Put letters in the place of digits that look like them, where the rest of the word is letters."""
        for i, letters in lookalikes.doubtful([self._characters[best[place]] for place in places]):
            known = [self._classes[letter] for letter in letters if letter in self._classes]
            likeliest = max(known, key=lambda letter: float(scores[places[i], letter]), default=None)
            if likeliest is not None and scores[places[i], likeliest] >= lookalikes.LETTER_PROBABILITY:
                best[places[i]] = likeliest

    @staticmethod
    def _space_was_missed(left: str, right: str, between: NDArray[np.float32]) -> bool:
        """Whether two characters are words apart, by the scores (steps, classes) of the gap between them."""
        if not len(between) or max(left, right) >= FIRST_EAST_ASIAN or " " in (left, right):
            return False
        return float(between[:, -1].max()) >= SPACE_PROBABILITY


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
