"""PBM, PGM and PPM (netpbm), plain and raw: numbers in letters, comments between them."""

import re

from ocr_engine.errors import InvalidImage
from ocr_engine.image.header import PNM, USUAL_COST, Header
from ocr_engine.image.mapped import Buffer

MAX_HEADER = 4096
"""Bytes in which the header ends, its comments included."""

COST_OF_COLOUR, COST_OF_TWO_BYTES = 10.5, 16.5
"""Bytes a pixel of three samples, and of samples of two bytes, as measured, those of the file among them."""

_GAP = rb"(?:\s|#[^\r\n]*[\r\n])"
_MAGIC = re.compile(rb"P[1-6](?:\s|#)\s*(?:\d|#)")
_HEADER = re.compile(rb"P([1-6])" + (_GAP + rb"+(\d{1,9})") * 2 + rb"(?=\s|#)")
_DEPTH = re.compile(_GAP + rb"+(\d{1,5})(?=\s)")
"""The largest value of a sample, behind the sizes; of black and white (P1, P4) pixels stand there."""


def is_pnm(start: bytes) -> bool:
    """A letter and a digit begin many a text: a number or a comment has to follow."""
    return _MAGIC.match(start) is not None


def read(data: Buffer) -> Header:
    """Width and height. Raises InvalidImage where they do not follow the magic number."""
    found = _HEADER.match(data[:MAX_HEADER])
    if found is None:
        raise InvalidImage("the PNM image's header is damaged or incomplete")
    depth = _DEPTH.match(data[found.end() : MAX_HEADER]) if found[1] not in (b"1", b"4") else None
    cost = COST_OF_COLOUR if found[1] in (b"3", b"6") else USUAL_COST
    if depth and int(depth[1]) > 255:
        cost = COST_OF_TWO_BYTES
    return Header(media_type=PNM, width=int(found[2]), height=int(found[3]), cost=cost)
