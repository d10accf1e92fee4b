"""Image files for tests: one picture in many formats, and writers for what Pillow does not write."""

import io
import struct
import zlib
from collections.abc import Iterator
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, TiffImagePlugin

from ocr_engine.image import decode_page, probe, read_header

Array = NDArray[np.uint8]
WIDTH, HEIGHT = 64, 48
LIMIT = 1_000_000
"""Pixels allowed in tests."""


def _picture() -> Array:
    down, right = np.mgrid[0:HEIGHT, 0:WIDTH]
    rgb = np.stack([right * 4, down * 5, 255 - right * 2 - down], axis=-1).astype(np.uint8)
    rgb[4:20, 4:20] = 16  # so that every corner differs from the others
    return rgb


PICTURE = _picture()
"""(HEIGHT, WIDTH, 3) RGB: smooth, with a dark square at the top left."""
IMAGE = Image.fromarray(PICTURE)
GREY: Array = np.asarray(IMAGE.convert("L"))
"""(HEIGHT, WIDTH)"""


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    """The image as a file of that kind, by Pillow."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def decode(data: bytes, max_pixels: int) -> Array:
    """The pixels of the first page."""
    return next(decode_all(data, max_pixels))


def decode_all(data: bytes, max_pixels: int) -> Iterator[Array]:
    """The pixels of each page."""
    header = read_header(data, max_pixels)
    for number in range(1, len(header.pages) + 1):
        yield decode_page(data, header, number, max_pixels).pixels


def paged(*pages: tuple[Image.Image, dict[str, Any]]) -> bytes:
    """A TIFF of those pages; options as Pillow has them, `tiffinfo` for tags."""
    file = io.BytesIO()
    with TiffImagePlugin.AppendingTiffWriter(file) as writer:
        for image, options in pages:
            image.save(writer, "TIFF", **options)
            writer.newFrame()
        return file.getvalue()


def exif(orientation: int) -> bytes:
    """An EXIF block that says nothing but the orientation."""
    tags = Image.Exif()
    tags[0x0112] = orientation
    return tags.tobytes()


def png(rows: list[bytes], width: int, bits: int, colour: int, **chunks: bytes) -> bytes:
    """A PNG of any depth and colour type from packed rows; `chunks` stand between header and pixels."""
    header = struct.pack(">IIBBBBB", width, len(rows), bits, colour, 0, 0, 0)
    pixels = zlib.compress(b"".join(b"\0" + row for row in rows))
    named = {"IHDR": header, **chunks, "IDAT": pixels, "IEND": b""}
    return b"\x89PNG\r\n\x1a\n" + b"".join(png_chunk(kind, data) for kind, data in named.items())


def png_chunk(kind: str, data: bytes) -> bytes:
    """One chunk with its length and checksum."""
    body = kind.encode() + data
    return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))


def tiff(pixels: NDArray[Any], order: Literal["<", ">"] = "<", **tags: int) -> bytes:
    """An uncompressed grey TIFF of the array's own type, in that byte order; `tags` are t262=1 and the like."""
    data = pixels.astype(pixels.dtype.newbyteorder(order)).tobytes()
    height, width = pixels.shape
    values = {256: width, 257: height, 258: 8 * pixels.itemsize, 259: 1, 262: 1, 273: 8, 277: 1, 278: height}
    values |= {279: len(data), 339: {"u": 1, "i": 2, "f": 3}[pixels.dtype.kind]}
    values |= {int(tag[1:]): value for tag, value in tags.items()}
    entries = b"".join(struct.pack(f"{order}HHII", tag, 4, 1, value) for tag, value in sorted(values.items()))
    magic = (b"II" if order == "<" else b"MM") + struct.pack(f"{order}H", 42)
    directory = struct.pack(f"{order}H", len(values)) + entries + bytes(4)
    return magic + struct.pack(f"{order}I", 8 + len(data)) + data + directory


def bitmap_with_alpha(rgba: Array) -> bytes:
    """A BMP with the version 4 header, 32 bits a pixel and a mask for alpha."""
    height, width = rgba.shape[:2]
    pixels = rgba[::-1, :, [2, 1, 0, 3]].tobytes()  # from the bottom row up
    masks = (0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    second = struct.pack("<IiiHHIIiiII4I", 108, width, height, 1, 32, 3, len(pixels), 0, 0, 0, 0, *masks)
    second = second.ljust(108, b"\0")
    start = 14 + len(second)
    return struct.pack("<2sIII", b"BM", start + len(pixels), 0, start) + second + pixels


ROUNDED, LOSSY = 1.0, 2.0
"""Mean difference from the picture that rounding and lossy compression may make."""


def shown(data: bytes) -> Array:
    """The decoded pixels as RGB, after a look at the promises that hold for all."""
    pixels = decode(data, LIMIT)
    info = probe(data, LIMIT)
    assert pixels.dtype == np.uint8
    assert pixels.flags.c_contiguous
    assert pixels.shape == (info.height, info.width, 3)
    return pixels[..., ::-1]


def assert_close(pixels: Array, expected: NDArray[np.number], tolerance: float = ROUNDED) -> None:
    if expected.ndim == 2:
        expected = np.repeat(expected[..., None], 3, axis=2)
    assert pixels.shape == expected.shape
    assert np.abs(pixels.astype(float) - expected).mean() <= tolerance


def opencv(suffix: str, pixels: NDArray[np.generic]) -> bytes:
    return cv2.imencode(suffix, np.asarray(pixels))[1].tobytes()
