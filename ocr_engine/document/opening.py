"""Which kind of document a file is, told by its bytes."""

from pathlib import Path

from ocr_engine.document.document import Document
from ocr_engine.document.image_file import open_image_file
from ocr_engine.options import ReadOptions


def open_document(path: Path, options: ReadOptions, max_pixels: int) -> Document:
    """The file, open. Raises OSError where it cannot be read, OcrError where it is no document that can be opened."""
    return open_image_file(path, max_pixels)
