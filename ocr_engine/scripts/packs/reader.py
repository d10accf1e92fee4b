"""A model pack as a reader of single lines."""

import re
from collections.abc import Iterator

import msgspec
import numpy as np

from ocr_engine.crops import Pixels
from ocr_engine.errors import EngineError
from ocr_engine.models.catalogue import Normalisation
from ocr_engine.models.files import ModelFile
from ocr_engine.models.session import open_session
from ocr_engine.options import EngineOptions
from ocr_engine.recognition.ctc import Reading
from ocr_engine.recognition.recogniser import MIN_WIDTH, Recogniser, natural_width
from ocr_engine.scripts.packs.manifest import PACK_LINE_HEIGHT, Pack

_TO_THE_RIGHT = re.compile(r"[a-zA-Z0-9 :*./%+-]+|.", re.DOTALL)
"""Latin words and numbers, which run to the right in any line, and single letters (PaddleOCR `pred_reverse`)."""


class PackReader:
    """Reads lines with the recogniser of a pack. Not for several threads at once."""

    def __init__(self, pack: Pack, options: EngineOptions, right_to_left: bool) -> None:
        """Opens the model. Raises EngineError where it cannot be, or does not fit its character list."""
        file = ModelFile(role="recognition", path=pack.path, sha256=pack.sha256, name=pack.path.name)
        session = open_session(file, options)
        classes = session.run(np.zeros((1, 3, PACK_LINE_HEIGHT, MIN_WIDTH), np.float32)).shape[-1]
        if classes != len(pack.characters) + 2:
            raise EngineError(f"pack {pack.name!r}: {classes} classes for {len(pack.characters)} characters")
        self._recogniser: Recogniser | None = Recogniser(session, session, Normalisation(), pack.characters)
        self._right_to_left = right_to_left

    def read(self, crop: Pixels, border: int) -> Reading:
        """See LineReader; these models are trained without paper around the line."""
        del border
        assert self._recogniser is not None
        (reading,) = self._recogniser.read([crop], [natural_width(crop)])
        # the letter models know nothing of its script
        reading = msgspec.structs.replace(reading, doubts=())
        return as_read(reading) if self._right_to_left else reading

    def close(self) -> None:
        """See LineReader."""
        self._recogniser = None


def as_read(reading: Reading) -> Reading:
    """A line that was taken down from left to right, in the order in which it is read from the right."""
    order = list(_from_the_right(reading.text))
    return msgspec.structs.replace(
        reading,
        text="".join(reading.text[i] for i in order),
        places=tuple(reading.places[i] for i in order),
        certainty=tuple(reading.certainty[i] for i in order),
    )


def _from_the_right(text: str) -> Iterator[int]:
    for found in reversed([*_TO_THE_RIGHT.finditer(text)]):
        yield from range(*found.span())
