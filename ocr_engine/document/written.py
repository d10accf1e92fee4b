"""Lines of text that a document carries itself, and whether they say what is seen."""

import difflib
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

MIN_ALIKE = 0.9
"""Likeness of a line as it is written and as it was read. Of sound files 0.99 and more, where the mapping of a font
lies 0.06, in poor layers of an earlier OCR 0 or 1."""
TESTED_LINES = 3


@dataclass(frozen=True, slots=True)
class WrittenLine:
    """A line as the file says it, and where that stands on the page as it was drawn."""

    text: str
    left: float
    """Pixels."""
    top: float
    right: float
    bottom: float
    places: tuple[float, ...]
    """Where each character stands: its middle, 0 at the left to 1 at the right."""


def tested(lines: Sequence[WrittenLine]) -> list[WrittenLine]:
    """The lines that are to be read and compared: the longest of each third of the page."""
    third = -(-len(lines) // TESTED_LINES)
    parts = (lines[at : at + third] for at in range(0, len(lines), third))
    return [max(part, key=lambda line: len(line.text)) for part in parts]


def are_alike(written: str, read: str) -> bool:
    """Whether a line says what was read, white space and forms of letters aside: PDFium takes ligatures apart."""
    matcher = difflib.SequenceMatcher(None, _plain(written), _plain(read), autojunk=False)
    return matcher.ratio() >= MIN_ALIKE


def _plain(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).split())
