"""HEIC and AVIF (ISO 23008-12): the main picture's size, and how it is turned."""

import struct

from msgspec import Struct

from ocr_engine.errors import InvalidImage
from ocr_engine.image.header import AVIF, HEIC, MAX_STEPS, Header
from ocr_engine.image.headers.boxes import boxes
from ocr_engine.image.mapped import Buffer

_AVIF_BRANDS = (b"avif", b"avis")
_HEIC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs")
_ANY_BRANDS = (b"mif1", b"msf1", b"mif2", b"miaf")
_COSTS = {AVIF: 14.0, HEIC: 10.5}
"""Bytes a pixel: planes of the decoder, its RGB(A), and what Pillow makes of it."""
_FULL = 4
"""Bytes of version and flags that begin a full box."""
# EXIF orientation by quarter turns counter-clockwise, and by mirroring after them: none, top to bottom, left to right
_ORIENTATIONS = ((1, 4, 2), (8, 5, 7), (3, 2, 4), (6, 7, 5))


class Shown(Struct):
    """What the main picture's properties say, in their order: a size, a part of it, turns, a mirror."""

    width: int = 0
    height: int = 0
    turns: int = 0
    mirrored: int = 0


def is_image(start: bytes) -> bool:
    """Whether a file that begins so, 64 bytes of it, says that it is HEIC or AVIF."""
    return _kind(start) is not None


def read(data: Buffer) -> Header:
    """Width, height and orientation of the main picture; the largest size of all where it says none."""
    kind = _kind(data[:64])
    assert kind is not None
    found = {name: (begin, end) for name, begin, end in boxes(data, 0, len(data), cut=False)}
    if b"meta" not in found:
        raise InvalidImage("the image's file has no picture, or is cut off")
    begin, end = found[b"meta"]
    shown = _main_picture(data, begin + _FULL, end)
    return Header(
        media_type=kind,
        width=shown.width,
        height=shown.height,
        orientation=_ORIENTATIONS[shown.turns][shown.mirrored],
        cost=_COSTS[kind],
    )


def _kind(start: bytes) -> str | None:
    if start[4:8] != b"ftyp":
        return None
    size = min(int.from_bytes(start[:4], "big"), len(start))
    brands = [start[8:12], *(start[at : at + 4] for at in range(16, size - 3, 4))]
    if brands[0] in _AVIF_BRANDS or (brands[0] in _ANY_BRANDS and any(brand in _AVIF_BRANDS for brand in brands)):
        return AVIF
    if brands[0] in _HEIC_BRANDS or (brands[0] in _ANY_BRANDS and any(brand in _HEIC_BRANDS for brand in brands)):
        return HEIC
    return None


def _main_picture(data: Buffer, at: int, end: int) -> Shown:
    main = 0
    properties: list[tuple[bytes, int, int]] = []
    associated: dict[int, list[int]] = {}
    for kind, begin, stop in boxes(data, at, end):
        if kind == b"pitm":
            main = int.from_bytes(data[begin + _FULL : begin + _FULL + (4 if data[begin] else 2)], "big")
        elif kind == b"iprp":
            for inner, start, close in boxes(data, begin, stop):
                if inner == b"ipco":
                    properties = list(boxes(data, start, close))
                elif inner == b"ipma":
                    associated |= _associated(data, start, close)
    shown = Shown()
    for index in associated.get(main, ()):
        if 1 <= index <= len(properties):
            _apply(data, properties[index - 1], shown)
    if not shown.width:
        sizes = [_size(data, begin) for kind, begin, _ in properties if kind == b"ispe"]
        shown.width, shown.height = max(sizes, key=lambda size: size[0] * size[1], default=(0, 0))
    return shown


def _apply(data: Buffer, box: tuple[bytes, int, int], shown: Shown) -> None:
    kind, begin, _ = box
    if kind == b"ispe":
        shown.width, shown.height = _size(data, begin)
    elif kind == b"clap":
        across, divided, down, by = struct.unpack_from(">4I", data, begin)
        if divided and by:
            shown.width, shown.height = min(shown.width, across // divided), min(shown.height, down // by)
    elif kind == b"irot":
        shown.turns = data[begin] & 3
    elif kind == b"imir":
        shown.mirrored = 1 + (data[begin] & 1)


def _size(data: Buffer, begin: int) -> tuple[int, int]:
    width, height = struct.unpack_from(">II", data, begin + _FULL)
    return width, height


def _associated(data: Buffer, at: int, end: int) -> dict[int, list[int]]:
    """Numbers, from 1, of each item's properties."""
    version, is_wide = data[at], bool(data[at + 3] & 1)
    (count,) = struct.unpack_from(">I", data, at + _FULL)
    at += _FULL + 4
    found: dict[int, list[int]] = {}
    for _ in range(min(count, MAX_STEPS)):
        if at >= end:
            break
        (item,) = struct.unpack_from(">I" if version else ">H", data, at)
        at += 4 if version else 2
        number, at = data[at], at + 1
        step = 2 if is_wide else 1
        entries = [int.from_bytes(data[at + step * n : at + step * (n + 1)], "big") for n in range(number)]
        found[item] = [entry & (0x7FFF if is_wide else 0x7F) for entry in entries]
        at += step * number
    return found
