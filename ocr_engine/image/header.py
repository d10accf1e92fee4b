"""What decoding has to know of an image file beforehand, and the types of file that there are."""

from msgspec import Struct

MAX_STEPS = 2000
"""Segments, chunks, boxes or blocks that are looked at in one file: about a millisecond of work."""
MAX_EXIF = 65_536
"""Bytes of an EXIF block that are looked at; JPEG holds no more."""

JPEG, PNG, WEBP, BMP, TIFF, GIF = "image/jpeg", "image/png", "image/webp", "image/bmp", "image/tiff", "image/gif"
PNM, JPEG2000, AVIF, HEIC = "image/x-portable-anymap", "image/jp2", "image/avif", "image/heic"
PDF = "application/pdf"

TURNED = (5, 6, 7, 8)
"""EXIF orientations that swap width and height."""


USUAL_COST = 8.0
"""Bytes a pixel that decoding may take: of 64 million, with the models beside them, that is what a worker is given."""

ANIMATED_COST = 16.0
"""The same of a GIF or PNG of several frames: the picture, what was there before it, and both again with alpha."""


NO_DPI = (72, 96)
"""Resolutions of screens, which say nothing of paper."""
MIN_DPI, MAX_DPI = 50, 4800
"""What a scanner may have."""


def plausible_dpi(across: float, down: float) -> float:
    """Pixels an inch, where both ways say the same and it may be that of paper; else 0."""
    dpi = round(across, 1)
    return dpi if abs(across - down) < 1 and MIN_DPI <= dpi <= MAX_DPI and round(dpi) not in NO_DPI else 0.0


class Header(Struct, frozen=True, kw_only=True):
    """What decoding needs to know beforehand."""

    media_type: str
    width: int
    """Pixels as stored, before `orientation` is applied."""
    height: int
    start: int = 0
    """Stray bytes before the header."""
    orientation: int = 1
    """EXIF orientation, 1 to 8."""
    frames: int = 1
    pages: tuple[int, ...] = (0,)
    """Frames, from 0, that are read: all pages of a TIFF, the first picture of an animation."""
    plain: bool = False
    """Grey or RGB, 8 bits, opaque, one frame: any decoder gives the right pixels."""
    bits: int = 8
    """Bits per sample of a PNG."""
    cost: float = USUAL_COST
    """Bytes of memory that decoding takes for each pixel, at its peak; of a file of 64 megapixels, as measured."""
    dpi: float = 0.0
    """Pixels an inch of paper; 0 where the file does not say, or says what programs write that do not know."""
    area: int = 0
    """Pixels of all pages of a TIFF together."""

    @property
    def shown(self) -> tuple[int, int]:
        """Width and height as a viewer shows the image."""
        return (self.height, self.width) if self.orientation in TURNED else (self.width, self.height)
