"""JPEG (ITU T.81): segments up to the first scan."""

import re
import struct

from ocr_engine.errors import InvalidImage
from ocr_engine.image.header import JPEG, MAX_STEPS, USUAL_COST, Header, plausible_dpi
from ocr_engine.image.headers.tiff import exif_orientation
from ocr_engine.image.mapped import Buffer

MAX_JUNK = 65_536
"""Bytes between segments, all together, that are searched for the next one: the probe runs on the event loop."""

_MARKER = re.compile(rb"\xff[\x01-\xfe]")
_WITHOUT_PAYLOAD = frozenset({0x01, *range(0xD0, 0xD8)})
_FRAME = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_PROGRESSIVE = frozenset({0xC2, 0xC6, 0xCA, 0xCE})
_SCAN, _END, _APP0, _APP1 = 0xDA, 0xD9, 0xE0, 0xE1
_PER_INCH = {1: 1.0, 2: 2.54}


def read(data: Buffer) -> Header:
    """ITU T.81 B.1: segments up to the first scan. Markers are found as libjpeg does, over fill bytes and junk."""
    frame: tuple[int, int, int, int] | None = None
    cost, dpi = USUAL_COST, 0.0
    orientation = 0
    at, junk = 2, MAX_JUNK
    for _ in range(MAX_STEPS):
        found = _MARKER.search(data, at, at + junk)
        if found is None:
            break
        junk -= found.start() - at
        marker, at = data[found.end() - 1], found.end()
        if marker in _WITHOUT_PAYLOAD:
            continue
        if marker in (_SCAN, _END):
            break
        (length,) = struct.unpack_from(">H", data, at)
        if marker in _FRAME and frame is None:
            frame = struct.unpack_from(">BHHB", data, at + 2)
            if marker in _PROGRESSIVE:
                cost = max(USUAL_COST, _progressive_cost(data[at + 8 : at + 8 + 3 * frame[3]]))
        elif marker == _APP0 and data[at + 2 : at + 7] == b"JFIF\0":
            unit, across, down = struct.unpack_from(">BHH", data, at + 9)
            dpi = plausible_dpi(across * _PER_INCH.get(unit, 0), down * _PER_INCH.get(unit, 0))
        elif marker == _APP1 and not orientation and data[at + 2 : at + 8] == b"Exif\0\0":
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
        cost=cost,
        dpi=dpi,
    )


def _progressive_cost(components: bytes) -> float:
    """Bytes a pixel: libjpeg keeps 16 bits of every sample until the last scan, beside the picture itself."""
    factors = [(factor >> 4) * (factor & 15) for factor in components[1::3]]
    return 2.0 * sum(factors) / max(factors, default=1) + 5.0 if all(factors) else USUAL_COST
