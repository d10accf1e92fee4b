"""A cache of one document: the file that an OCR process has open, kept from page to page until another one comes."""

import errno
import os
from pathlib import Path

from ocr_engine.document.document import Document
from ocr_engine.document.opening import open_document
from ocr_engine.errors import ImageMissing
from ocr_engine.memory import short_memory_told
from ocr_engine.options import EngineOptions, ReadOptions


class DocumentCache:
    """At most one open document."""

    def __init__(self, limits: EngineOptions) -> None:
        """`limits`: those of a page's pixels and of a file's pages."""
        self._limits = limits
        self._document: Document | None = None
        self._key: tuple[object, ...] = ()

    def get(self, path: Path, options: ReadOptions) -> Document:
        """The file, open. Raises ImageMissing where it is not there, OcrError where it cannot be opened."""
        with short_memory_told(self._limits.max_pixels):
            try:
                status = os.stat(path)
                key = (path, status.st_ino, status.st_size, status.st_mtime_ns, options.password)
                if self._document is None or self._key != key:
                    self.close()
                    self._document = open_document(path, options, self._limits)
                    self._key = key
            except OSError as error:
                if error.errno == errno.ENOMEM:
                    raise MemoryError from error
                raise ImageMissing(f"the file cannot be read: {error.strerror}") from error
            return self._document

    def forget(self, path: Path) -> None:
        """Lets go of that file, if it is the one."""
        if self._key[:1] == (path,):
            self.close()

    def close(self) -> None:
        """Lets go of the document, if there is one."""
        document, self._document, self._key = self._document, None, ()
        if document is not None:
            document.close()
