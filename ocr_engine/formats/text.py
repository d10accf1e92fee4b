"""Plain text: a row a line, pages apart by a form feed, as pdftotext has it."""

from collections.abc import Iterable, Iterator

from ocr_engine.formats.source import Source
from ocr_engine.result import OcrPage


def write(pages: Iterable[OcrPage], source: Source) -> Iterator[str]:
    """The text of each page, with a line break at its end where it has any."""
    for number, page in enumerate(pages):
        if number:
            yield "\f"
        if page.text:
            yield page.text + "\n"
