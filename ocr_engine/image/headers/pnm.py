"""PBM, PGM and PPM (netpbm), plain and raw: numbers in letters, comments between them."""

import re

from ocr_engine.errors import InvalidImage
from ocr_engine.image.header import PNM, Header
from ocr_engine.image.mapped import Buffer

MAX_HEADER = 4096
"""Bytes in which the header ends, its comments included."""

_GAP = rb"(?:\s|#[^\r\n]*[\r\n])"
_MAGIC = re.compile(rb"P[1-6](?:\s|#)\s*(?:\d|#)")
_HEADER = re.compile(rb"P[1-6]" + _GAP + rb"+(\d{1,9})" + _GAP + rb"+(\d{1,9})" + rb"(?=\s|#)")


def is_pnm(start: bytes) -> bool:
    """A letter and a digit begin many a text: a number or a comment has to follow."""
    return _MAGIC.match(start) is not None


def read(data: Buffer) -> Header:
    """Width and height. Raises InvalidImage where they do not follow the magic number."""
    found = _HEADER.match(data[:MAX_HEADER])
    if found is None:
        raise InvalidImage("the PNM image's header is damaged or incomplete")
    return Header(media_type=PNM, width=int(found[1]), height=int(found[2]))
