"""A PDF file becomes an open PDFium document, mended once where PDFium refuses it."""

import logging
import tempfile
from pathlib import Path
from typing import BinaryIO

import pikepdf
import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c

from ocr_engine.errors import InvalidDocument, PasswordRequired

REASONS = {
    pdfium_c.FPDF_ERR_FORMAT: "it is damaged, or no PDF",
    pdfium_c.FPDF_ERR_SECURITY: "it is encrypted in a way that is not known here",
}
"""By PDFium's error code, what is wrong with a file in plain words."""

# what is wrong with a client's file is told by InvalidDocument, not by our log
for name in ("pypdfium2", "pikepdf"):
    logging.getLogger(name).setLevel(logging.CRITICAL)


Source = Path | BinaryIO


def open_pdf(source: Source, password: str) -> pdfium.PdfDocument:
    """The document with its form fields, and at least one page by its own word. The caller closes it.

    Raises PasswordRequired, where the password is missing or wrong, or InvalidDocument.
    """
    try:
        document = pdfium.PdfDocument(source, password=password or None)
        # before the first page is loaded, or filled-in fields are not drawn
        document.init_forms()
    except pdfium.PdfiumError as error:
        if error.err_code == pdfium_c.FPDF_ERR_PASSWORD:
            raise PasswordRequired(
                "the password is wrong" if password else "the document is encrypted; send its password with it"
            ) from None
        reason = REASONS.get(error.err_code or 0, "it is damaged")
        raise InvalidDocument(f"the PDF cannot be opened: {reason}") from None
    if len(document) < 1:
        document.close()
        raise InvalidDocument("the PDF has no pages")
    return document


def mended(source: Source, password: str) -> BinaryIO:
    """A copy that qpdf has written anew, without encryption, in a file without a name. Raises InvalidDocument.

    It finds pages where PDFium finds none: with much before the header, or the end cut off.
    """
    try:
        copy = tempfile.TemporaryFile(prefix="ocr-mended-")  # noqa: SIM115  (the caller closes it)
    except OSError as error:
        raise InvalidDocument(f"the PDF is damaged, and there is nowhere to mend it: {error.strerror}") from error
    try:
        with pikepdf.open(source, password=password, suppress_warnings=True) as damaged:
            damaged.save(copy)
    except Exception as error:
        # qpdf and pikepdf raise of their own, and of Python's, whatever a hostile file leads them to
        copy.close()
        raise InvalidDocument("the PDF cannot be opened: it is damaged beyond mending") from error
    return copy
