"""Which kind of document a file is, told by its bytes."""

import io
from pathlib import Path

from ocr_engine.document.document import Document
from ocr_engine.document.image_file import ImageFile
from ocr_engine.image.mapped import map_file
from ocr_engine.image.probing import PDF_HEAD, is_pdf
from ocr_engine.options import EngineOptions, ReadOptions


def open_document(source: Path | bytes, options: ReadOptions, limits: EngineOptions) -> Document:
    """The file, or the content of one, open. Raises OSError where it cannot be read, and OcrError where it is no
    document that can be opened. How many of its pages are read is the caller's to bound.
    """
    if is_pdf(_head(source)):
        # not at the top: PDFium is loaded once it is needed
        from ocr_engine.document.pdf.file import PdfFile

        return PdfFile(io.BytesIO(source) if isinstance(source, bytes) else source, options.password, limits.max_pixels)
    return ImageFile(source if isinstance(source, bytes) else map_file(source), limits.max_pixels)


def is_pdf_file(file: Path) -> bool:
    """Whether the file is a PDF by its bytes. Raises OSError."""
    return is_pdf(_head(file))


def _head(source: Path | bytes) -> bytes:
    if isinstance(source, bytes):
        return source[:PDF_HEAD]
    with source.open("rb") as file:
        return file.read(PDF_HEAD)
