"""What was read, in the form it is needed: pure functions from pages to text, page by page."""

from ocr_engine.formats.catalogue import DOCX, EVERY_FORMAT, FORMATS, PDF, Format, TextFormat, WrittenFormat
from ocr_engine.formats.source import Source

__all__ = ["DOCX", "EVERY_FORMAT", "FORMATS", "PDF", "Format", "Source", "TextFormat", "WrittenFormat"]
