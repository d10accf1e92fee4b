"""What was read, in the form it is needed: pure functions from pages to text, page by page."""

from ocr_engine.formats.catalogue import FORMATS, TextFormat
from ocr_engine.formats.source import Source

__all__ = ["FORMATS", "Source", "TextFormat"]
