"""A TrueType font of five glyphs that draw nothing: .notdef, and one for each width that a character may have.

PDFium drops text whose glyphs have neither width nor height, and with it one-letter words, Chinese and turned text: so
each glyph has a contour, but one without area. It has the tables that a PDF asks for (ISO 32000-1, 9.9), and no other.
"""

import struct
import zlib

UNITS = 1000
ASCENT, DESCENT = 800, -200
WIDTHS = (500, 0, 500, 1000, 100)
"""Of .notdef; of what stands on its neighbour (accents); of letters; of East Asian characters; of a blank, which is
narrower than any in print: it stretches with the word before it, and must not reach into the next one.
"""
_OFFSETS_SHORT = 0
_EPOCH = bytes(8)


def truetype() -> bytes:
    """The font file (Apple TrueType Reference, chapter 6); the same bytes each time."""
    glyphs = [b"", *(_contour(width) for width in WIDTHS[1:])]
    offsets = [sum(map(len, glyphs[:number])) // 2 for number in range(len(glyphs) + 1)]
    count = len(WIDTHS)
    tables = {
        b"glyf": b"".join(glyphs),
        b"head": struct.pack(">IIIIHH", 0x10000, 0x10000, 0, 0x5F0F3CF5, 0, UNITS)
        + 2 * _EPOCH
        + struct.pack(">4h3H2h", 0, DESCENT, UNITS, ASCENT, 0, 8, 2, _OFFSETS_SHORT, 0),
        b"hhea": struct.pack(">I3hH6h", 0x10000, ASCENT, DESCENT, 0, UNITS, 0, 0, UNITS, 1, 0, 0)
        + struct.pack(">5hH", 0, 0, 0, 0, 0, count),
        b"hmtx": b"".join(struct.pack(">Hh", width, 0) for width in WIDTHS),
        b"loca": struct.pack(f">{len(offsets)}H", *offsets),
        b"maxp": struct.pack(">I14H", 0x10000, count, 3, 1, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0),
    }
    return _file(tables)


def _contour(width: int) -> bytes:
    """A line from the lower left to the upper right and back: no area."""
    points = ((0, DESCENT), (width, ASCENT), (0, DESCENT))
    steps = [(x - a, y - b) for (x, y), (a, b) in zip(points, ((0, 0), *points), strict=False)]
    glyph = struct.pack(">5hHH", 1, 0, DESCENT, width, ASCENT, 2, 0) + bytes([1, 1, 1])
    glyph += b"".join(struct.pack(">h", x) for x, _ in steps) + b"".join(struct.pack(">h", y) for _, y in steps)
    return glyph + bytes(-len(glyph) % 4)


def _file(tables: dict[bytes, bytes]) -> bytes:
    count = len(tables)
    power = 1 << (count.bit_length() - 1)
    head = struct.pack(">IHHHH", 0x10000, count, 16 * power, power.bit_length() - 1, 16 * (count - power))
    at, directory, bodies = 12 + 16 * count, b"", b""
    for tag, table in tables.items():
        padded = table + bytes(-len(table) % 4)
        directory += tag + struct.pack(">III", _checksum(padded), at + len(bodies), len(table))
        bodies += padded
    font = head + directory + bodies
    adjustment = (0xB1B0AFBA - _checksum(font)) & 0xFFFFFFFF
    place = at + sum(len(table) + -len(table) % 4 for tag, table in tables.items() if tag < b"head") + 8
    return font[:place] + struct.pack(">I", adjustment) + font[place + 4 :]


def _checksum(data: bytes) -> int:
    return int(sum(struct.unpack(f">{len(data) // 4}I", data))) & 0xFFFFFFFF


def deflated(data: bytes) -> bytes:
    """As a PDF's FlateDecode reads it."""
    return zlib.compress(data, 9)
