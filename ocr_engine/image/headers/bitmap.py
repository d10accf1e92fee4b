"""BMP, with the headers of OS/2 and of Windows."""

import struct

from ocr_engine.image.header import BMP, USUAL_COST, Header
from ocr_engine.image.mapped import Buffer

COST_BY_BITS = {24: 10.5, 32: 11.5}
"""Bytes a pixel, by the bits that it has in the file, as measured, those of the file among them."""
_HEADER_SIZES = (12, 40, 52, 56, 64, 108, 124)


def is_bitmap(start: bytes) -> bool:
    """Two letters begin many a text: the size of the second header makes it sure."""
    return start.startswith(b"BM") and int.from_bytes(start[14:18], "little") in _HEADER_SIZES


def read(data: Buffer) -> Header:
    """Width and height from the second header."""
    if data[14] == 12:
        width, height = struct.unpack_from("<HH", data, 18)
    else:
        width, height = struct.unpack_from("<ii", data, 18)
    bits = int.from_bytes(data[24:26] if data[14] == 12 else data[28:30], "little")
    cost = COST_BY_BITS.get(bits, USUAL_COST)
    return Header(media_type=BMP, width=width, height=abs(height), cost=cost)  # a negative height: rows from the top
