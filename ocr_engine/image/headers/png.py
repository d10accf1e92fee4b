"""PNG (ISO 15948): IHDR, then the chunks that change what is shown."""

import struct
import zlib

from ocr_engine.errors import InvalidImage
from ocr_engine.image.header import ANIMATED_COST, MAX_EXIF, MAX_STEPS, PNG, USUAL_COST, Header, plausible_dpi
from ocr_engine.image.headers.tiff import exif_orientation
from ocr_engine.image.mapped import Buffer

MAX_UNFOLDING = 500_000
"""Bytes of a PNG that OpenCV may get: deflate makes up to 1032 of one, and libpng unfolds all of them, texts and what
lies behind the last row too. Pillow, at half the speed, leaves off."""

_GREY, _RGB = 0, 2
_METRE = 0.0254
"""Of a metre, an inch: pHYs counts pixels a metre."""


def read(data: Buffer) -> Header:
    """PNG (ISO 15948): IHDR, then the chunks that change what is shown."""
    length, kind, width, height, bits, colour = struct.unpack_from(">I4sIIBB", data, 8)
    (checksum,) = struct.unpack_from(">I", data, 29)
    if length != 13 or kind != b"IHDR" or checksum != zlib.crc32(data[12:29]):
        raise InvalidImage("the PNG image's header chunk is damaged")
    orientation, frames, has_key, is_whole, dpi, at = 1, 1, False, False, 0.0, 33
    for _ in range(MAX_STEPS):
        if at + 8 > len(data):
            break
        length, kind = struct.unpack_from(">I4s", data, at)
        if kind == b"tRNS":
            has_key = True
        elif kind == b"acTL":
            (frames,) = struct.unpack_from(">I", data, at + 8)
        elif kind == b"pHYs" and length == 9:
            across, down, unit = struct.unpack_from(">IIB", data, at + 8)
            dpi = plausible_dpi(across * _METRE, down * _METRE) if unit == 1 else 0.0
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
        and colour in (_GREY, _RGB)
        and not has_key
        and frames == 1,
        bits=bits,
        dpi=dpi,
        cost=ANIMATED_COST if frames > 1 else USUAL_COST,
    )
