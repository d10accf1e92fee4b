"""The Hebrew letter yod where Tesseract reads it as an apostrophe, which it does all over a page in some faces."""

import re
from collections.abc import Sequence

import msgspec

from ocr_engine.recognition.ctc import Reading

HEBREW = "he"
MIN_STRAYS, MIN_STRAY_SHARE = 3, 0.03
"""Apostrophes behind a letter that close no quotation, on a page and by its words, from which they are taken for yods:
2 to 12 % on drawn pages whose yods were so misread, .2 % of the words in messages of programs."""

_WORD = re.compile("[\u05d0-\u05ea]+(?:['\"][\u05d0-\u05ea]+)*'*")
_QUOTED = re.compile(
    r"(?<![\u05d0-\u05ea'])(?:[\u05d4\u05d5\u05d1\u05db\u05dc\u05de\u05e9])?'[^']*[^\s']'(?![\u05d0-\u05ea])"
)
"""Between quotation marks, with a prefix of one letter before them or none."""
_STRAY = re.compile("(?<=[\u05d0\u05d1\u05d3-\u05d5\u05d7-\u05e4\u05e7-\u05ea])'+")
"""Behind all letters but gimel, zayin and tsadi, which a geresh makes those of foreign words."""
_YOD = "\u05d9"


def put_right(readings: Sequence[Reading]) -> list[Reading]:
    """The readings of a page in Hebrew, with yods for apostrophes where there are too many of these."""
    found = [_strays(reading.text) for reading in readings]
    words = sum(len(_WORD.findall(reading.text)) for reading in readings)
    count = sum(map(len, found))
    if count < MIN_STRAYS or count < MIN_STRAY_SHARE * words:
        return list(readings)
    return [
        msgspec.structs.replace(reading, text=_with_yods(reading.text, strays))
        for reading, strays in zip(readings, found, strict=True)
    ]


def _strays(text: str) -> list[int]:
    quoted = {i for match in _QUOTED.finditer(text) for i in range(*match.span()) if text[i] == "'"}
    return [i for match in _STRAY.finditer(text) for i in range(*match.span()) if i not in quoted]


def _with_yods(text: str, places: Sequence[int]) -> str:
    letters = list(text)
    for place in places:
        letters[place] = _YOD
    return "".join(letters)
