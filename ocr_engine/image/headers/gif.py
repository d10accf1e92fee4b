"""GIF89a: the screen, grown to its first frame as Pillow and browsers do; then frames are counted."""

import struct

from ocr_engine.errors import InvalidImage
from ocr_engine.image.header import ANIMATED_COST, GIF, MAX_STEPS, USUAL_COST, Header
from ocr_engine.image.mapped import Buffer


def read(data: Buffer) -> Header:
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
    return Header(
        media_type=GIF, width=width, height=height, frames=frames, cost=ANIMATED_COST if frames > 1 else USUAL_COST
    )


def _colour_table_size(flags: int) -> int:
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0
