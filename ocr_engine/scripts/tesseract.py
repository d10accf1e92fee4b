"""Tesseract as a reader of single lines. Only here tesserocr is imported, and only where a page asks for it.

tesserocr's wheels carry libtesseract without OpenMP: one thread. What reads is the LSTM network alone, on a line that
is cut and straightened already; Tesseract's own search for lines is left out (page segmentation mode 7).
"""

import os
from collections.abc import Sequence
from typing import Any, Protocol

import cv2
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from ocr_engine.crops import Pixels, resize
from ocr_engine.errors import EngineError
from ocr_engine.recognition.ctc import NOTHING, Reading
from ocr_engine.scripts.data import TesseractData
from ocr_engine.scripts.languages import Language

TRAINED_HEIGHT = 36
"""Pixels that a line is scaled to: what the networks are trained on. 48 is worse for Arabic, and nothing is better."""
MAX_TESSERACT_WIDTH = 16_000
"""Pixels: a line of 1600 letters; Tesseract takes no picture that is wider than twice that."""
DARK_GROUND = 128
"""Level of grey under which a line's ground is dark; the networks know dark letters on a bright one."""
MIN_RAW_CONFIDENCE = 0.6
"""Of a crop that is read as it is where no line is found in it, which may be no text: Arabic lines have .75 to .86."""
_DIRECTION_MARKS = dict.fromkeys(map(ord, "\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"))
_SAME_LETTERS = (("\u0e4d\u0e32", "\u0e33"), ("\u00b5", "\u03bc"))
"""Thai am and Greek mu, of which Unicode has two forms and Tesseract's data the ones that nobody types."""


class LineReader(Protocol):
    """Reads lines of one language."""

    def read(self, crop: Pixels, border: int) -> Reading:
        """The text of a crop (H, W, 3) that stands upright, with so many pixels of paper around it."""

    def close(self) -> None:
        """Gives back the memory."""


class _Word(Struct, frozen=True):
    """A word, of some scripts a letter, as Tesseract tells it, in the order of the text."""

    letters: int
    left: int
    right: int
    confidence: float
    """0 to 1."""


class TesseractReader:
    """Reads lines of one language. Not for several threads at once."""

    def __init__(self, data: TesseractData, language: Language) -> None:
        """Loads the language's data, 10 to 30 MB. Raises EngineError where it is damaged."""
        # a libtesseract of another maker may have OpenMP, whose threads would fight with the other workers'
        os.environ.setdefault("OMP_THREAD_LIMIT", "1")
        import tesserocr

        self._right_to_left = language.script.right_to_left
        self._word = tesserocr.RIL.WORD
        self._one_line, self._raw_line = tesserocr.PSM.SINGLE_LINE, tesserocr.PSM.RAW_LINE
        try:
            self._api = tesserocr.PyTessBaseAPI(
                path=str(data.folder), lang=language.data, psm=self._one_line, oem=tesserocr.OEM.LSTM_ONLY
            )
        except RuntimeError as error:
            raise EngineError(f"Tesseract cannot open {data.file(language)}") from error
        # it talks to standard error otherwise
        self._api.SetVariable("debug_file", os.devnull)
        if language.script.unspaced:
            # each letter is a word to it; this keeps those apart only that stand apart
            self._api.SetVariable("preserve_interword_spaces", "1")

    def read(self, crop: Pixels, border: int) -> Reading:
        """See LineReader."""
        line = prepared(crop, border)
        reading = self._read(line, border)
        if reading.text:
            return reading
        # its search for a line finds none in some crops that are full of one
        self._api.SetPageSegMode(self._raw_line)
        try:
            reading = self._read(line, border)
        finally:
            self._api.SetPageSegMode(self._one_line)
        return reading if reading.confidence >= MIN_RAW_CONFIDENCE else NOTHING

    def _read(self, line: NDArray[np.uint8], border: int) -> Reading:
        height, width = line.shape
        self._api.SetImageBytes(line.tobytes(), width, height, 1, width)
        try:
            text = _plain(self._api.GetUTF8Text())
            return _reading(text, self._words(), width, border, self._right_to_left) if text else NOTHING
        finally:
            self._api.Clear()

    def close(self) -> None:
        """See LineReader."""
        self._api.End()

    def _words(self) -> list[_Word]:
        words: list[_Word] = []
        at: Any = self._api.GetIterator()
        while at is not None:
            # the letters of a word that runs to the left come as they stand, not as they are read: only counted here
            letters = 0 if at.Empty(self._word) else len("".join(_plain(at.GetUTF8Text(self._word)).split()))
            if letters:
                left, _, right, _ = at.BoundingBox(self._word)
                words.append(_Word(letters, left, right, min(1.0, max(0.0, at.Confidence(self._word) / 100))))
            if not at.Next(self._word):
                break
        return words


def prepared(crop: Pixels, border: int) -> NDArray[np.uint8]:
    """The line (H, W) as the networks know lines: grey, dark on bright, TRAINED_HEIGHT high, within so much paper."""
    height, width = crop.shape[:2]
    scaled = resize(crop, min(MAX_TESSERACT_WIDTH, max(1, round(TRAINED_HEIGHT * width / height))), TRAINED_HEIGHT)
    grey = cv2.cvtColor(scaled, cv2.COLOR_BGR2GRAY)
    ground = int(np.median(grey))
    if ground < DARK_GROUND:
        grey, ground = cv2.bitwise_not(grey), 255 - ground
    if border:
        grey = cv2.copyMakeBorder(grey, border, border, border, border, cv2.BORDER_CONSTANT, value=(ground,))
    return np.asarray(grey, np.uint8)


def _plain(text: str) -> str:
    text = " ".join(text.translate(_DIRECTION_MARKS).split())
    for unusual, usual in _SAME_LETTERS:
        text = text.replace(unusual, usual)
    return text


def _reading(text: str, words: Sequence[_Word], width: int, border: int, right_to_left: bool) -> Reading:
    """The line with the places and certainties of its letters, which Tesseract tells by the word."""
    if right_to_left and not any(letter.isascii() and letter.isalpha() for letter in text):
        # its boxes of neighbours change places now and then
        stand = sorted(words, key=lambda word: -(word.left + word.right))
        words = [_Word(word.letters, at.left, at.right, word.confidence) for word, at in zip(words, stand, strict=True)]
    known = ((_along(word, i, right_to_left), word.confidence) for word in words for i in range(word.letters))
    places, certainty = list[float](), list[float]()
    last = (width / 2, 0.0)
    for letter in text:
        # a space is where the letter before it is
        last = last if letter == " " else next(known, last)
        places.append(min(1.0, max(0.0, (last[0] - border) / max(1, width - 2 * border))))
        certainty.append(last[1])
    sure = [each for letter, each in zip(text, certainty, strict=True) if letter != " "]
    return Reading(text, sum(sure) / len(sure), tuple(places), tuple(certainty))


def _along(word: _Word, letter: int, right_to_left: bool) -> float:
    """The column where a letter of a word stands: numbers do run to the right, but all that matters is the word."""
    share = (letter + 0.5) / word.letters
    return word.left + (1 - share if right_to_left else share) * (word.right - word.left)
