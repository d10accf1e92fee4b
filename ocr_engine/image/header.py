"""What an image file says about itself, read from its header alone and in bounded time.

Our own readers rather than Pillow's, which skip junk byte by byte, walk every frame and, for WebP, allocate the whole
canvas while they open a file: too much for the event loop, where every upload is probed.
"""

import re
import struct
import zlib
from collections.abc import Callable

from msgspec import Struct

from ocr_engine.errors import InvalidImage, TooManyPages, TooManyPixels, UnsupportedImage
from ocr_engine.image.mapped import Buffer
from ocr_engine.image.tiff import TiffReader, exif_orientation
from ocr_engine.result import ImageInfo

MAX_STEPS = 2000
"""Segments, chunks or blocks that are looked at in one file: about a millisecond of work."""
MAX_JUNK = 65_536
"""Bytes between two JPEG segments in which the next one is searched."""
MAX_EXIF = 65_536
"""Bytes of an EXIF block that are looked at; JPEG holds no more."""
MAX_UNFOLDING = 500_000
"""Bytes of a PNG that OpenCV may get: deflate makes up to 1032 of one, and libpng unfolds all of them, texts and what
lies behind the last row too. Pillow, at half the speed, leaves off."""
JPEG, PNG, WEBP, BMP, TIFF, GIF = "image/jpeg", "image/png", "image/webp", "image/bmp", "image/tiff", "image/gif"
MEDIA_TYPES = (JPEG, PNG, WEBP, BMP, TIFF, GIF)
ACCEPTED = "JPEG, PNG, WebP, BMP, TIFF and GIF are accepted"

_TURNED = (5, 6, 7, 8)
_TIFF_MAGICS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_BMP_HEADER_SIZES = (12, 40, 52, 56, 64, 108, 124)
_JPEG_MARKER = re.compile(rb"\xff[\x01-\xfe]")
_JPEG_WITHOUT_PAYLOAD = frozenset({0x01, *range(0xD0, 0xD8)})
_JPEG_FRAME = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_JPEG_SCAN, _JPEG_END, _JPEG_APP1 = 0xDA, 0xD9, 0xE1
_PNG_GREY, _PNG_RGB = 0, 2


class Header(Struct, frozen=True, kw_only=True):
    """What decoding needs to know beforehand."""

    media_type: str
    width: int
    """Pixels as stored, before `orientation` is applied."""
    height: int
    orientation: int = 1
    """EXIF orientation, 1 to 8."""
    frames: int = 1
    pages: tuple[int, ...] = (0,)
    """Frames, from 0, that are read: all pages of a TIFF, the first picture of an animation."""
    plain: bool = False
    """Grey or RGB, 8 bits, opaque, one frame: any decoder gives the right pixels."""
    bits: int = 8
    """Bits per sample of a PNG."""

    @property
    def shown(self) -> tuple[int, int]:
        """Width and height as a viewer shows the image."""
        return (self.height, self.width) if self.orientation in _TURNED else (self.width, self.height)


def probe(data: Buffer, max_pixels: int, max_pages: int = MAX_STEPS) -> ImageInfo:
    """What the header of an image file says; never decodes, and takes milliseconds at most, whatever the file claims.

    `frames` counts as far as the first 2000 chunks or blocks reach: at least 1, at most 2000.
    Raises UnsupportedImage (no magic number that we accept), InvalidImage (broken header), TooManyPixels (of the first
    page) or TooManyPages.
    """
    header = read_header(data, max_pixels)
    if len(header.pages) > max_pages:
        raise TooManyPages(f"the file has {len(header.pages)} pages; the limit is {max_pages}")
    width, height = header.shown
    return ImageInfo(media_type=header.media_type, width=width, height=height, frames=header.frames, size=len(data))


def read_header(data: Buffer, max_pixels: int) -> Header:
    """The header, checked: sides above zero, no more than `max_pixels`. Raises as `probe` does."""
    read = _reader(data)
    try:
        header = read(data)
    except (struct.error, IndexError) as error:  # an offset or a length that leads out of the file
        raise InvalidImage("the image's header is damaged or incomplete") from error
    if header.width <= 0 or header.height <= 0:
        raise InvalidImage(f"the image's header says {header.width} x {header.height} pixels")
    if header.width * header.height > max_pixels:
        raise TooManyPixels(
            f"{header.width} x {header.height} is {header.width * header.height} pixels; the limit is {max_pixels}"
        )
    return header


def _reader(data: Buffer) -> Callable[[Buffer], Header]:
    start = data[:18]
    if start.startswith(b"\xff\xd8\xff"):
        return _jpeg
    if start.startswith(b"\x89PNG\r\n\x1a\n"):
        return _png
    if start.startswith(b"RIFF") and start[8:12] == b"WEBP":
        return _webp
    if start.startswith((b"GIF87a", b"GIF89a")):
        return _gif
    if start.startswith(_TIFF_MAGICS):
        return _tiff
    # two letters begin many a text: the size of the second header makes it sure
    if start.startswith(b"BM") and int.from_bytes(start[14:18], "little") in _BMP_HEADER_SIZES:
        return _bmp
    raise UnsupportedImage(f"{_kind(data[:256])}; {ACCEPTED}")


def _kind(data: bytes) -> str:
    if not data:
        return "the file is empty"
    start = data[:256].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith(b"%pdf"):
        return "this is a PDF"
    if data[4:8] == b"ftyp":
        return "this is a HEIC, AVIF or video file"
    if start.startswith((b"<svg", b"<?xml", b"<!doctype", b"<html")):
        return "this is SVG, XML or HTML"
    return "this is no image of a known type"


def _jpeg(data: Buffer) -> Header:
    """ITU T.81 B.1: segments up to the first scan. Markers are found as libjpeg does, over fill bytes and junk."""
    frame: tuple[int, int, int, int] | None = None
    orientation = 0
    at = 2
    for _ in range(MAX_STEPS):
        found = _JPEG_MARKER.search(data, at, at + MAX_JUNK)
        if found is None:
            break
        marker, at = data[found.end() - 1], found.end()
        if marker in _JPEG_WITHOUT_PAYLOAD:
            continue
        if marker in (_JPEG_SCAN, _JPEG_END):
            break
        (length,) = struct.unpack_from(">H", data, at)
        if marker in _JPEG_FRAME and frame is None:
            frame = struct.unpack_from(">BHHB", data, at + 2)
        elif marker == _JPEG_APP1 and not orientation and data[at + 2 : at + 8] == b"Exif\0\0":
            orientation = exif_orientation(data[at + 2 : at + length])
        at += max(length, 2)
    if frame is None:
        raise InvalidImage("the JPEG image has no frame header")
    bits, height, width, components = frame
    return Header(
        media_type=JPEG,
        width=width,
        height=height,
        orientation=orientation or 1,
        plain=bits == 8 and components in (1, 3),
    )


def _png(data: Buffer) -> Header:
    """PNG (ISO 15948): IHDR, then the chunks that change what is shown."""
    length, kind, width, height, bits, colour = struct.unpack_from(">I4sIIBB", data, 8)
    (checksum,) = struct.unpack_from(">I", data, 29)
    if length != 13 or kind != b"IHDR" or checksum != zlib.crc32(data[12:29]):
        raise InvalidImage("the PNG image's header chunk is damaged")
    orientation, frames, has_key, is_whole, at = 1, 1, False, False, 33
    for _ in range(MAX_STEPS):
        if at + 8 > len(data):
            break
        length, kind = struct.unpack_from(">I4s", data, at)
        if kind == b"tRNS":
            has_key = True
        elif kind == b"acTL":
            (frames,) = struct.unpack_from(">I", data, at + 8)
        elif kind == b"eXIf":
            orientation = exif_orientation(data[at + 8 : at + 8 + min(length, MAX_EXIF)])
        elif kind == b"IEND":
            is_whole = True
            break
        at += length + 12
    return Header(
        media_type=PNG,
        width=width,
        height=height,
        orientation=orientation,
        frames=max(1, min(frames, MAX_STEPS)),
        # OpenCV allocates what a chunk claims, gigabytes even; so it gets only files whose chunks end within them
        plain=is_whole
        and len(data) <= MAX_UNFOLDING
        and bits == 8
        and colour in (_PNG_GREY, _PNG_RGB)
        and not has_key
        and frames == 1,
        bits=bits,
    )


def _webp(data: Buffer) -> Header:
    """RFC 9649: a lossy or lossless bitstream alone, or the extended form with a canvas and more chunks."""
    (size,) = struct.unpack_from("<I", data, 4)
    if size + 8 > len(data):
        raise InvalidImage("the WebP image is incomplete")
    kind = data[12:16]
    if kind == b"VP8 ":
        width, height = struct.unpack_from("<HH", data, 26)
        return Header(media_type=WEBP, width=width & 0x3FFF, height=height & 0x3FFF, plain=True)
    if kind == b"VP8L":
        (fields,) = struct.unpack_from("<I", data, 21)
        has_alpha = bool(fields >> 28 & 1)
        return Header(
            media_type=WEBP, width=(fields & 0x3FFF) + 1, height=(fields >> 14 & 0x3FFF) + 1, plain=not has_alpha
        )
    if kind != b"VP8X":
        raise InvalidImage("the WebP image has no header chunk")
    flags = data[20]
    width = int.from_bytes(data[24:27], "little") + 1
    height = int.from_bytes(data[27:30], "little") + 1
    orientation, frames, at = 1, 0, 30
    for _ in range(MAX_STEPS):
        if at + 8 > len(data):
            break
        kind, length = struct.unpack_from("<4sI", data, at)
        if kind == b"ANMF":
            frames += 1
        elif kind == b"EXIF":
            orientation = exif_orientation(data[at + 8 : at + 8 + min(length, MAX_EXIF)])
        at += 8 + length + (length & 1)
    has_alpha, is_animated = bool(flags & 0x10), bool(flags & 0x02)
    return Header(
        media_type=WEBP,
        width=width,
        height=height,
        orientation=orientation,
        frames=max(1, frames),
        plain=not has_alpha and not is_animated,
    )


def _bmp(data: Buffer) -> Header:
    if data[14] == 12:
        width, height = struct.unpack_from("<HH", data, 18)
    else:
        width, height = struct.unpack_from("<ii", data, 18)
    return Header(media_type=BMP, width=width, height=abs(height))  # a negative height: rows from the top


def _tiff(data: Buffer) -> Header:
    reader = TiffReader(data)
    width, height, orientation = reader.geometry()
    directories = reader.directories(MAX_STEPS)
    return Header(
        media_type=TIFF,
        width=width,
        height=height,
        orientation=orientation,
        frames=len(directories),
        pages=reader.pages(directories),
    )


def _gif(data: Buffer) -> Header:
    """GIF89a: the screen, grown to its first frame as Pillow and browsers do; then frames are counted."""
    width, height, flags = struct.unpack_from("<HHB", data, 6)
    at = 13 + _colour_table_size(flags)
    frames = steps = 0
    try:
        while steps < MAX_STEPS and data[at] != 0x3B:
            steps += 1
            if data[at] == 0x2C:
                left, top, frame_width, frame_height, flags = struct.unpack_from("<HHHHB", data, at + 1)
                frames += 1
                if frames == 1:
                    width, height = max(width, left + frame_width), max(height, top + frame_height)
                at += 11 + _colour_table_size(flags)
            elif data[at] == 0x21:
                at += 2
            else:
                at += 1
                continue
            while (length := data[at]) and steps < MAX_STEPS:
                steps += 1
                at += length + 1
            at += 1
    except (IndexError, struct.error):
        if not frames:
            raise
    if not frames:
        raise InvalidImage("the GIF image has no frame")
    return Header(media_type=GIF, width=width, height=height, frames=frames)


def _colour_table_size(flags: int) -> int:
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0
