"""What a file is, told by its first bytes, and what its header says: without decoding, and in bounded time."""

import struct
from collections.abc import Callable

import msgspec
from msgspec import Struct

from ocr_engine.errors import InvalidImage, TooManyPages, TooManyPixels, UnsupportedImage
from ocr_engine.image import kinds
from ocr_engine.image.header import HEIC, MAX_STEPS, PDF, USUAL_COST, Header
from ocr_engine.image.headers import bitmap, gif, heif, jpeg, jpeg2000, png, pnm, tiff, webp
from ocr_engine.image.mapped import Buffer
from ocr_engine.result import ImageInfo

MAX_STRAY = 4
"""Bytes before the header of an image that are skipped: a line break or a byte order mark of whoever passed it on."""
MAX_PAGES_OF_MOST_PIXELS = 40
"""Largest pages that a file may have, or as many pixels in more of them: a few bytes of fax unfold to millions."""
PAGE_PIXELS = 9_000_000
"""A page of A4 at 300 dpi: of these a file may have as many as it has pages."""
PDF_HEAD = 1024 + 5
"""Bytes in which the header of a PDF ends, as PDFium and others look for it."""
HEAD_BYTES = 64
"""Bytes that tell what an image is."""

Reader = Callable[[Buffer], Header]

CONVERT = "save it as PNG, JPEG or PDF"


class Stranger(Struct, frozen=True):
    """A kind of file that is not taken."""

    magic: tuple[bytes, ...]
    at: int
    name: str


STRANGERS = (
    Stranger((b"\xff\x0a", b"\0\0\0\x0cJXL \r\n\x87\n"), 0, "a JPEG XL image"),
    Stranger((b"8BPS",), 0, "a Photoshop document"),
    Stranger((b"%!ps", b"%!PS", b"\xc5\xd0\xd3\xc6"), 0, "PostScript"),
    Stranger((b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), 0, "an archive or an Office document"),
    Stranger((b"AT&TFORM",), 0, "a DjVu document"),
    Stranger((b"\0\0\1\0",), 0, "an icon"),
    Stranger((b"ftyp",), 4, "a video"),
)
"""By their first bytes; those that people send most."""


def probe(data: Buffer, max_pixels: int, max_pages: int = MAX_STEPS) -> ImageInfo:
    """What the header of a file says; never decodes, and takes milliseconds at most, whatever the file claims.

    `frames` counts as far as the first 2000 chunks or blocks reach: at least 1, at most 2000. Of a PDF only the type is
    known: the rest is 0 until a worker has opened it.
    Raises UnsupportedImage (no magic number that we accept), InvalidImage (broken header), TooManyPixels (of the first
    page, or of a TIFF's pages together) or TooManyPages.
    """
    if is_pdf(data[:PDF_HEAD]):
        return ImageInfo(media_type=PDF, width=0, height=0, frames=0, size=len(data))
    header = read_header(data, max_pixels)
    if len(header.pages) > max_pages:
        raise TooManyPages(f"the file has {len(header.pages)} pages; the limit is {max_pages}")
    width, height = header.shown
    return ImageInfo(media_type=header.media_type, width=width, height=height, frames=header.frames, size=len(data))


def is_pdf(head: bytes) -> bool:
    """Whether a file that begins so is a PDF: its header within the first 1024 bytes, and no image's before."""
    return b"%PDF-" in head[:PDF_HEAD] and _reader(head[:HEAD_BYTES]) is None


def stray_bytes(head: bytes) -> int:
    """How many bytes stand before an image's header that do not belong to it. Raises UnsupportedImage for no image."""
    found = next((at for at in range(MAX_STRAY + 1) if _reader(head[at:], is_at_start=not at) is not None), None)
    if found is None:
        raise UnsupportedImage(f"{_stranger(head)}; {accepted()}")
    return found


def read_header(data: Buffer, max_pixels: int) -> Header:
    """The header, checked: sides above zero, no more than `max_pixels`. Raises as `probe` does."""
    start = stray_bytes(data[:HEAD_BYTES])
    data = data[start:] if start else data
    read = _reader(data[:HEAD_BYTES])
    assert read is not None
    try:
        header = read(data)
    except (struct.error, IndexError) as error:  # an offset or a length that leads out of the file
        raise InvalidImage("the image's header is damaged or incomplete") from error
    if header.media_type == HEIC and not kinds.has_heic():
        raise UnsupportedImage("this is a HEIC image, for which the service lacks its extra `heic` (pi-heif)")
    if header.width <= 0 or header.height <= 0:
        raise InvalidImage(f"the image's header says {header.width} x {header.height} pixels")
    if header.width * header.height > max_pixels:
        raise TooManyPixels(
            f"{header.width} x {header.height} is {header.width * header.height} pixels; the limit is {max_pixels}"
        )
    if header.width * header.height * header.cost > max_pixels * USUAL_COST:
        raise TooManyPixels(
            f"{header.width} x {header.height} pixels of this kind of image take {header.cost:g} bytes of memory each; "
            f"the limit is {int(max_pixels * USUAL_COST / header.cost)} of them"
        )
    most = max(MAX_PAGES_OF_MOST_PIXELS * max_pixels, PAGE_PIXELS * len(header.pages))
    if header.area > most:
        raise TooManyPixels(f"the pages have {header.area} pixels together; the limit is {most}")
    return msgspec.structs.replace(header, start=start) if start else header


def accepted() -> str:
    """What is taken, as an error says it."""
    *names, last = (kind.name for kind in kinds.readable())
    return f"{', '.join(names)} and {last} are accepted"


def _reader(start: bytes, *, is_at_start: bool = True) -> Reader | None:
    """Who reads the header of a file that begins so; behind stray bytes only where the magic number is sure."""
    if start.startswith(b"\xff\xd8\xff"):
        return jpeg.read
    if start.startswith(b"\x89PNG\r\n\x1a\n"):
        return png.read
    if start.startswith(b"RIFF") and start[8:12] == b"WEBP":
        return webp.read
    if start.startswith((b"GIF87a", b"GIF89a")):
        return gif.read
    if start.startswith(tiff.MAGICS):
        return tiff.read
    if start.startswith(jpeg2000.MAGICS):
        return jpeg2000.read
    if heif.is_image(start):
        return heif.read
    if is_at_start and bitmap.is_bitmap(start):
        return bitmap.read
    return pnm.read if is_at_start and pnm.is_pnm(start) else None


def _stranger(head: bytes) -> str:
    if not head:
        return "the file is empty"
    for stranger in STRANGERS:
        if head[stranger.at :].startswith(stranger.magic):
            return f"this is {stranger.name}, which is not read: {CONVERT}"
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith((b"<svg", b"<?xml", b"<!doctype", b"<html")):
        return f"this is SVG, XML or HTML, which is not read: {CONVERT}"
    return "this is no image of a known type"
