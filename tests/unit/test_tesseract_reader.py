"""Tesseract as a reader of lines: a crop in which it finds no line is read as it is, where that is sure."""

import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from ocr_engine.scripts.data import TesseractData
from ocr_engine.scripts.languages import named
from ocr_engine.scripts.tesseract import TesseractReader

SINGLE_LINE, RAW_LINE = 7, 13


class Word:
    """The only one of a line."""

    def __init__(self, confidence: float) -> None:
        self._confidence = confidence

    def Empty(self, _level: object) -> bool:
        return False

    def GetUTF8Text(self, _level: object) -> str:
        return "слово"

    def BoundingBox(self, _level: object) -> tuple[int, int, int, int]:
        return 10, 5, 90, 30

    def Confidence(self, _level: object) -> float:
        return self._confidence

    def Next(self, _level: object) -> bool:
        return False


class Api:
    """Stands in for Tesseract: it finds no line, and reads one where it is told not to look for any."""

    def __init__(self, confidence: float) -> None:
        self.mode = SINGLE_LINE
        self._confidence = confidence

    def SetVariable(self, _name: str, _value: str) -> None:
        pass

    def SetImageBytes(self, *_image: object) -> None:
        pass

    def SetPageSegMode(self, mode: int) -> None:
        self.mode = mode

    def GetUTF8Text(self) -> str:
        return "слово\n" if self.mode == RAW_LINE else ""

    def GetIterator(self) -> Word | None:
        return Word(self._confidence) if self.mode == RAW_LINE else None

    def Clear(self) -> None:
        pass


@pytest.mark.parametrize(("confidence", "text"), [(86.0, "слово"), (40.0, "")], ids=["a line", "noise"])
def test_a_crop_in_which_no_line_is_found_is_read_as_it_is(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, confidence: float, text: str
) -> None:
    api = Api(confidence)
    binding = SimpleNamespace(
        RIL=SimpleNamespace(WORD=3),
        PSM=SimpleNamespace(SINGLE_LINE=SINGLE_LINE, RAW_LINE=RAW_LINE),
        OEM=SimpleNamespace(LSTM_ONLY=1),
        PyTessBaseAPI=lambda **_options: api,
    )
    monkeypatch.setitem(sys.modules, "tesserocr", binding)
    (russian,) = named(["ru"])
    reader = TesseractReader(TesseractData(tmp_path), russian)
    for _ in range(2):
        assert reader.read(np.full((40, 100, 3), 255, np.uint8), 0).text == text
        assert api.mode == SINGLE_LINE
