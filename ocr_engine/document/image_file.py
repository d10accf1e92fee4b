"""An image file as a document: the pages of a TIFF, or the one picture that other formats show."""

from ocr_engine import image
from ocr_engine.document.written import WrittenLine
from ocr_engine.errors import NoSuchPage
from ocr_engine.image.mapped import Buffer, MappedFile
from ocr_engine.image.page_image import PageImage
from ocr_engine.result import DocumentInfo

LARGE_IMAGE = 8_000_000
"""Pixels of an image from which memory that is kept for speed is given back before it is decoded, which takes 6 to 9
bytes a pixel. It costs 12 ms; a PNG of 24 megapixels and 43 MB after another photo peaks at 505 MB instead of 616."""


class ImageFile:
    """A Document of an image's bytes."""

    def __init__(self, data: Buffer, max_pixels: int) -> None:
        """Reads the header. Raises as `image.probe` does."""
        self._data = data
        self._max_pixels = max_pixels
        self._header = image.read_header(data, max_pixels)
        self.info = DocumentInfo(media_type=self._header.media_type, pages=len(self._header.pages))

    def is_large(self, number: int) -> bool:
        """See Document; the sizes of later pages are not known."""
        return self._header.frames > 1 or self._header.width * self._header.height > LARGE_IMAGE

    def draw(self, number: int) -> PageImage:
        """See Document."""
        if not 1 <= number <= self.info.pages:
            raise NoSuchPage(f"there is no page {number}; the file has {self.info.pages}")
        return image.decode_page(self._data, self._header, number, self._max_pixels)

    def written_lines(self, number: int, shown: PageImage) -> list[WrittenLine]:
        """See Document: an image has none."""
        return []

    def close(self) -> None:
        """See Document."""
        if isinstance(self._data, MappedFile):
            self._data.close()
