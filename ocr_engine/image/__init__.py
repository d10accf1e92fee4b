"""Image files: what they claim to be (`probe` and `read_header`, without decoding) and their right pixels."""

from ocr_engine.image.header import Header
from ocr_engine.image.kinds import MEDIA_TYPES, SUFFIXES
from ocr_engine.image.mapped import Buffer
from ocr_engine.image.page_image import PageImage
from ocr_engine.image.probing import probe, read_header

__all__ = ["MEDIA_TYPES", "SUFFIXES", "Buffer", "Header", "PageImage", "decode_page", "probe", "read_header"]


def decode_page(data: Buffer, header: Header, number: int, max_pixels: int) -> PageImage:
    """A page, from 1, as a viewer shows it, EXIF orientation applied.

    A TIFF has as many as its directories, but for thumbnails and masks; other files one: of an animation the first
    picture that is not blank. Transparency lies on white, or on black where all that can be seen is light.
    A JPEG that lacks its end is what viewers show of it, and `damaged`.
    `header`: what `read_header` says of these bytes under that limit.
    For one thread at a time: meanwhile Pillow has our limits, and nothing reaches stderr.
    Raises TooManyPixels (before that page is decoded) or InvalidImage, whatever the bytes; or MemoryError.
    """
    # not at the top: the process that serves HTTP probes and never decodes; it has no use for cv2 and Pillow
    from ocr_engine.image import pixels

    return pixels.decode_page(data, header, number, max_pixels)
