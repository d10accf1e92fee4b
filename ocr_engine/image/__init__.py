"""Image files: what they claim to be (`probe`, without decoding) and their right pixels (`decode`)."""

from typing import TYPE_CHECKING

from ocr_engine.image.header import MEDIA_TYPES, probe

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["MEDIA_TYPES", "decode", "probe"]


def decode(data: bytes, max_pixels: int) -> "NDArray[np.uint8]":
    """The first frame as a viewer shows it: (height, width, 3) uint8, BGR, C-contiguous, EXIF orientation applied.

    Transparency lies on white, or on black where all that can be seen is light.
    For one thread at a time: meanwhile Pillow has our limits, and nothing reaches stderr.
    Raises UnsupportedImage, TooManyPixels (before any decoding) or InvalidImage; nothing else, whatever the bytes.
    """
    # not at the top: the process that serves HTTP probes and never decodes; it has no use for cv2 and Pillow
    from ocr_engine.image.pixels import decode_first_frame

    return decode_first_frame(data, max_pixels)
