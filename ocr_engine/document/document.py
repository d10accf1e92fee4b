"""What every file of pages can do once it is open."""

from dataclasses import dataclass
from typing import Protocol

from ocr_engine.crops import Pixels
from ocr_engine.result import DocumentInfo


@dataclass(frozen=True, slots=True)
class PageImage:
    """What a page looks like."""

    pixels: Pixels
    """As a viewer shows it: (height, width, 3), BGR."""
    dpi: float = 0.0
    """Pixels an inch of paper; 0 where nobody knows."""
    warnings: tuple[str, ...] = ()
    """Of result.PAGE_WARNINGS."""


class Document(Protocol):
    """An open file of pages. For one thread at a time."""

    info: DocumentInfo

    def is_large(self, number: int) -> bool:
        """Whether decoding the page may take so much memory that what is kept for speed should be given back first."""

    def draw(self, number: int) -> PageImage:
        """The page, from 1, in any order. Raises OcrError where this page cannot be drawn; others may well be."""

    def close(self) -> None:
        """Lets go of the file. Twice is harmless."""
