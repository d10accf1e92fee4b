"""What was read, in the form it is needed: pure functions from pages to text, page by page."""

from ocr_engine.formats.catalogue import EVERY_FORMAT, FORMATS, PDF, Format, TextFormat
from ocr_engine.formats.source import Source

__all__ = ["EVERY_FORMAT", "FORMATS", "PDF", "Format", "Source", "TextFormat"]
