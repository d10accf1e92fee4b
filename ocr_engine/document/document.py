"""What every file of pages can do once it is open."""

from typing import Protocol

from ocr_engine.document.written import WrittenLine
from ocr_engine.image.page_image import PageImage
from ocr_engine.result import DocumentInfo


class Document(Protocol):
    """An open file of pages. For one thread at a time."""

    info: DocumentInfo

    def is_large(self, number: int) -> bool:
        """Whether decoding the page may take so much memory that what is kept for speed should be given back first."""

    def draw(self, number: int) -> PageImage:
        """The page, from 1, in any order. Raises OcrError where this page cannot be drawn; others may well be."""

    def written_lines(self, number: int, shown: PageImage) -> list[WrittenLine]:
        """The page's own text, in pixels of the page as `draw` has shown it; none where it cannot be believed.

        It may lie all the same: some of it has to be read and compared.
        """

    def close(self) -> None:
        """Lets go of the file. Twice is harmless."""
