"""What a searchable PDF is to be made of; sent whole to a worker."""

from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from ocr_engine.formats.source import Source
from ocr_engine.options import ReadOptions
from ocr_engine.result import OcrPage


class PdfOrder(Struct, frozen=True, kw_only=True):
    """A file, what was read of it, and where the PDF goes."""

    file: Path
    pages: Sequence[OcrPage]
    target: Path
    options: ReadOptions
    source: Source
    only: bool = False
    """Those pages alone, rather than all of the file."""
