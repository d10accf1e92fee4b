"""Boxes, of which the files of JPEG 2000, HEIF and AVIF are made (ISO 14496-12, 4.2)."""

import struct
from collections.abc import Iterator

from ocr_engine.errors import InvalidImage
from ocr_engine.image.header import MAX_STEPS
from ocr_engine.image.mapped import Buffer


def boxes(data: Buffer, at: int, end: int, *, cut: bool = True) -> Iterator[tuple[bytes, int, int]]:
    """Kind, begin and end of the content of each box between two offsets; of MAX_STEPS at most.

    Without `cut` raises InvalidImage where a box reaches beyond the end: decoders fill in what is missing, in silence.
    """
    end = min(end, len(data))
    for _ in range(MAX_STEPS):
        if at + 8 > end:
            return
        size, kind = struct.unpack_from(">I4s", data, at)
        begin = at + 8
        if size == 1:
            (size,) = struct.unpack_from(">Q", data, begin)
            begin += 8
        following = end if size == 0 else at + size
        if following < begin:
            return
        if following > end and not cut:
            raise InvalidImage("the image's file is cut off")
        yield kind, begin, min(following, end)
        at = following
