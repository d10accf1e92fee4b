"""The document that an OCR process has open: kept from page to page, let go when another one comes."""

import os
from pathlib import Path

from ocr_engine.document.document import Document
from ocr_engine.document.opening import open_document
from ocr_engine.errors import ImageMissing
from ocr_engine.options import ReadOptions

MOST_PAGES = 16
"""Pages after which a document is opened anew. PDFium keeps what it has read of each page until the document is closed:
300 scans took 559 MB in one go and 101 opened every 16 pages, and opening takes less than a millisecond."""


class AtHand:
    """At most one open document."""

    def __init__(self, max_pixels: int) -> None:
        """`max_pixels`: largest page."""
        self._max_pixels = max_pixels
        self._document: Document | None = None
        self._key: tuple[object, ...] = ()
        self._pages = 0

    def get(self, path: Path, options: ReadOptions) -> Document:
        """The file, open. Raises ImageMissing where it is not there, OcrError where it cannot be opened."""
        try:
            status = os.stat(path)
            key = (path, status.st_ino, status.st_size, status.st_mtime_ns, options.password)
            if self._document is None or self._key != key or self._pages >= MOST_PAGES:
                self.close()
                self._document = open_document(path, options, self._max_pixels)
                self._key, self._pages = key, 0
        except OSError as error:
            raise ImageMissing(f"the file cannot be read: {error.strerror}") from error
        self._pages += 1
        return self._document

    def forget(self, path: Path) -> None:
        """Lets go of that file, if it is at hand."""
        if self._key[:1] == (path,):
            self.close()

    def close(self) -> None:
        """Lets go of what is at hand."""
        document, self._document, self._key = self._document, None, ()
        if document is not None:
            document.close()
