"""A PDF as a document."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c

from ocr_engine.document.pdf.bounds import bounded_memory, bounded_time
from ocr_engine.document.pdf.contents import Contents, contents_of
from ocr_engine.document.pdf.opening import Source, mended, open_pdf
from ocr_engine.document.pdf.reduction import reduce_picture
from ocr_engine.document.pdf.rendering import MAX_DRAW_SECONDS, rendered
from ocr_engine.document.pdf.scale import Box, drawing_of
from ocr_engine.document.pdf.text_layer import believable_lines
from ocr_engine.document.written import WrittenLine
from ocr_engine.errors import InvalidDocument, NoSuchPage
from ocr_engine.image.header import PDF
from ocr_engine.image.page_image import PageImage
from ocr_engine.result import DocumentInfo

MAX_PAGES_OPEN = 16
"""Pages after which the file is opened anew. PDFium keeps what it has read of each page until the document is closed:
300 scans took 559 MB in one go, 101 opened every 16 pages; opening takes less than a millisecond."""


class PdfFile:
    """A Document of a PDF."""

    def __init__(
        self, source: Source, password: str, max_pixels: int, max_draw_seconds: float = MAX_DRAW_SECONDS
    ) -> None:
        """Opens it, mended where it has to be. Raises PasswordRequired or InvalidDocument."""
        self._max_draw_seconds = max_draw_seconds
        self._source = source
        self._password = password
        self._max_pixels = max_pixels
        self._drawn = 0
        try:
            with self._bounded():
                self._document = open_pdf(source, password)
        except InvalidDocument as refusal:
            self._document = self._mended(refusal)
        self.info = DocumentInfo(media_type=PDF, pages=len(self._document))

    def is_large(self, number: int) -> bool:
        """See Document: a scanned page usually is."""
        return True

    def draw(self, number: int) -> PageImage:
        """See Document. Raises TooManyPixels where a picture on the page has more than are allowed."""
        name = f"page {number} of the PDF"
        with self._bounded(), self._page(number, name) as page:
            contents = contents_of(page)
            if reduce_picture(page, contents, self._max_pixels):
                self._drawn = MAX_PAGES_OPEN
            turns = pdfium_c.FPDFPage_GetRotation(page)
            drawing = drawing_of(contents, _box(page), page.get_size(), turns, self._max_pixels, name)
            pixels = rendered(page, drawing, name, self._max_draw_seconds)
            if contents.pictures and pixels.min() == 255:
                _require_decodable(contents, name)
        return PageImage(pixels, dpi=drawing.dpi)

    def written_lines(self, number: int, shown: PageImage) -> list[WrittenLine]:
        """See Document. Text that cannot be seen is an earlier OCR's: a page with any has none to be believed."""
        with self._bounded(), self._page(number, f"page {number} of the PDF") as page:
            return [] if contents_of(page).hidden else believable_lines(page, shown.pixels, shown.dpi)

    def close(self) -> None:
        """See Document."""
        self._document.close()
        self._let_go()

    def _mended(self, refusal: InvalidDocument) -> pdfium.PdfDocument:
        """A copy that can be opened, from which the pages are taken from now on. Raises the refusal without one."""
        try:
            with self._bounded():
                self._source = mended(self._source, self._password)
            self._password = ""
            return open_pdf(self._source, "")
        except InvalidDocument:
            self._let_go()
            raise refusal from None

    @contextmanager
    def _bounded(self) -> Iterator[None]:
        with bounded_memory(), bounded_time(self._max_draw_seconds):
            yield

    def _let_go(self) -> None:
        if not isinstance(self._source, Path):
            self._source.close()

    @contextmanager
    def _page(self, number: int, name: str) -> Iterator[pdfium.PdfPage]:
        if not 1 <= number <= self.info.pages:
            raise NoSuchPage(f"there is no page {number}; the PDF has {self.info.pages}")
        if self._drawn == MAX_PAGES_OPEN:
            self._document.close()
            self._document = open_pdf(self._source, self._password)
            self._drawn = 0
        self._drawn += 1
        try:
            page = self._document[number - 1]
        except pdfium.PdfiumError:
            raise InvalidDocument(f"{name} is damaged or missing") from None
        try:
            yield page
        finally:
            page.close()


def _box(page: pdfium.PdfPage) -> Box:
    """What is shown of the page, in its own points."""
    shown = pdfium_c.FS_RECTF()
    if not pdfium_c.FPDF_GetPageBoundingBox(page, shown):
        return 0.0, 0.0, *page.get_size()
    return shown.left, shown.bottom, shown.right, shown.top


def _require_decodable(contents: Contents, name: str) -> None:
    """Of a picture that claims more than it has, PDFium draws nothing and says nothing: a blank page is looked into."""
    for picture in contents.pictures:
        bitmap = pdfium_c.FPDFImageObj_GetBitmap(picture.raw)
        if not bitmap:
            raise InvalidDocument(f"a picture on {name} cannot be decoded")
        pdfium_c.FPDFBitmap_Destroy(bitmap)
