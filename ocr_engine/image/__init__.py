"""Image files: what they claim to be (`probe` and `read_header`, without decoding) and their right pixels."""

from typing import TYPE_CHECKING

from ocr_engine.image.header import MEDIA_TYPES, Header, probe, read_header
from ocr_engine.image.mapped import Buffer

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["MEDIA_TYPES", "Buffer", "Header", "decode_page", "probe", "read_header"]


def decode_page(data: Buffer, header: Header, number: int, max_pixels: int) -> "NDArray[np.uint8]":
    """A page, from 1, as a viewer shows it: (height, width, 3) uint8, BGR, C-contiguous, EXIF orientation applied.

    A TIFF has as many as its directories, but for thumbnails and masks; other files one, the first of an animation.
    Transparency lies on white, or on black where all that can be seen is light.
    `header`: what `read_header` says of these bytes under that limit.
    For one thread at a time: meanwhile Pillow has our limits, and nothing reaches stderr.
    Raises TooManyPixels (before that page is decoded) or InvalidImage; nothing else, whatever the bytes.
    """
    # not at the top: the process that serves HTTP probes and never decodes; it has no use for cv2 and Pillow
    from ocr_engine.image import pixels

    return pixels.decode_page(data, header, number, max_pixels)
