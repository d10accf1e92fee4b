"""Files that would keep a decoder busy far beyond what their pixels cost: found before one is given to it."""

import re
import struct
from collections.abc import Iterator
from itertools import islice

from ocr_engine.errors import InvalidImage
from ocr_engine.image import header as headers
from ocr_engine.image.mapped import Buffer

MAX_SCANS = 100
"""Scans of a JPEG, as libtiff and GraphicsMagick allow; encoders write 1 to about 20. Each passes over the whole image
again, even where it holds nothing."""
MAX_SIDE_CHUNKS = 1000
"""Chunks of a PNG beside the image data, as libpng keeps; each may hold a profile that unfolds to a megabyte."""
MAX_CHUNKS = 65_536
"""Chunks of a PNG, all of them: with 8 kB in each, as encoders write them, half a gigabyte."""

_START_OF_IMAGE, _END_OF_IMAGE, _START_OF_SCAN = 0xD8, 0xD9, 0xDA
_SEGMENT = re.compile(rb"\xff[\x02-\xcf\xd8-\xfe]")  # RST0 to RST7 and TEM stand alone, FF00 is data
_DATA_CHUNKS = (b"IDAT", b"fdAT")


def require_bounded(data: Buffer, media_type: str) -> None:
    """Raises InvalidImage for a file that unfolds into work without end."""
    if media_type == headers.JPEG:
        _require_few(_scans(data), MAX_SCANS, "the JPEG image has more than {} scans")
    elif media_type == headers.PNG:
        beside = (kind for kind in _chunks(data) if kind not in _DATA_CHUNKS)
        _require_few(beside, MAX_SIDE_CHUNKS, "the PNG image has more than {} chunks beside its data")
        _require_few(_chunks(data), MAX_CHUNKS, "the PNG image has more than {} chunks")


def _require_few(found: Iterator[object], limit: int, complaint: str) -> None:
    if next(islice(found, limit, None), None) is not None:
        raise InvalidImage(complaint.format(limit))


def _scans(data: Buffer) -> Iterator[int]:
    """Offsets of the scans up to the end of the image. Markers are found as libjpeg does (ITU T.81, B.1.1)."""
    at = 2
    while found := _SEGMENT.search(data, at):
        marker, at = data[found.end() - 1], found.end()
        if marker == _END_OF_IMAGE:
            return
        if marker == _START_OF_SCAN:
            yield at
        if marker != _START_OF_IMAGE and at + 2 <= len(data):
            at += max(2, int.from_bytes(data[at : at + 2], "big"))


def _chunks(data: Buffer) -> Iterator[bytes]:
    at = 8
    while at + 8 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        yield kind
        if kind == b"IEND":
            return
        at += length + 12
