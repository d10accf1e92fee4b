"""JPEG 2000 (ITU T.800): a bare codestream, or a JP2 file around one. What either of them claims, counts."""

import struct

from ocr_engine.errors import InvalidImage
from ocr_engine.image.header import JPEG2000, USUAL_COST, Header
from ocr_engine.image.headers.boxes import boxes
from ocr_engine.image.mapped import Buffer

CODESTREAM, JP2 = b"\xff\x4f\xff\x51", b"\0\0\0\x0cjP  \r\n\x87\n"
MAGICS = (CODESTREAM, JP2)


def read(data: Buffer) -> Header:
    """Width, height and components, the greatest of those that are said."""
    at, said = 0, (0, 0, 0)
    if data[:4] != CODESTREAM:
        at = -1
        for kind, begin, end in boxes(data, 0, len(data)):
            if kind == b"jp2h":
                for inner, start, _ in boxes(data, begin, end):
                    if inner == b"ihdr":
                        height, width, components = struct.unpack_from(">IIH", data, start)
                        said = (width, height, components)
            elif kind == b"jp2c":
                at = begin
                break
    if at < 0:
        raise InvalidImage("the JPEG 2000 image has no codestream")
    right, bottom, left, top = struct.unpack_from(">4I", data, at + 8)
    (components,) = struct.unpack_from(">H", data, at + 40)
    return Header(
        media_type=JPEG2000,
        width=max(right - left, said[0]),
        height=max(bottom - top, said[1]),
        cost=max(USUAL_COST, 8.0 + 4.0 * max(components, said[2])),  # OpenJPEG keeps 32 bits of each sample
    )
