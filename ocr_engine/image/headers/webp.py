"""WebP (RFC 9649): a lossy or lossless bitstream alone, or the extended form with a canvas and more chunks."""

import struct

from ocr_engine.errors import InvalidImage
from ocr_engine.image.header import MAX_EXIF, MAX_STEPS, USUAL_COST, WEBP, Header
from ocr_engine.image.headers.tiff import exif_orientation
from ocr_engine.image.mapped import Buffer

_ALPHA_COST, _ANIMATED_COST = 17.0, 24.0
"""Bytes a pixel: Pillow decodes a canvas, a copy of it and its own picture; of an animation two canvases."""


def read(data: Buffer) -> Header:
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
            media_type=WEBP,
            width=(fields & 0x3FFF) + 1,
            height=(fields >> 14 & 0x3FFF) + 1,
            plain=not has_alpha,
            cost=_ALPHA_COST if has_alpha else USUAL_COST,
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
        cost=_ANIMATED_COST if is_animated else _ALPHA_COST if has_alpha else USUAL_COST,
    )
