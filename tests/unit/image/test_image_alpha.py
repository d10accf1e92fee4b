"""What is clear in a picture lies on white, or on black where the lettering is light."""

import struct

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from tests.unit.image.images import (
    GREY,
    HEIGHT,
    PICTURE,
    WIDTH,
    assert_close,
    bitmap_with_alpha,
    opencv,
    png,
    saved,
    shown,
)


def half_clear() -> tuple[Image.Image, NDArray[np.number]]:
    """The picture with alpha growing from left to right, and what that looks like on white."""
    alpha = np.broadcast_to(np.linspace(0, 255, WIDTH).astype(np.uint8), (HEIGHT, WIDTH))
    part = alpha[..., None] / 255
    return Image.fromarray(np.dstack([PICTURE, alpha])), PICTURE * part + 255 * (1 - part)


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("PNG", {}),
        ("WEBP", {"lossless": True, "exact": True}),
        ("TIFF", {}),
        ("TIFF", {"compression": "tiff_lzw"}),
    ],
)
def test_alpha_lies_on_white(kind: str, options: dict[str, object]) -> None:
    clear, expected = half_clear()
    assert_close(shown(saved(clear, kind, **options)), expected, 2)


def test_alpha_of_a_bitmap_lies_on_white() -> None:
    clear, expected = half_clear()
    assert_close(shown(bitmap_with_alpha(np.asarray(clear))), expected, 2)


def test_alpha_of_16_bits_lies_on_white() -> None:
    clear, expected = half_clear()
    bgra = np.asarray(clear)[..., [2, 1, 0, 3]].astype(np.uint16) * 257
    assert_close(shown(opencv(".png", bgra)), expected, 2)


def test_grey_with_alpha_lies_on_white() -> None:
    rows = [bytes([0, 0, 0, 128, 0, 255])] * 2
    assert shown(png(rows, 3, 8, 4))[0, :, 0].tolist() == [255, 127, 0]


def test_premultiplied_alpha_lies_on_white() -> None:
    clear, expected = half_clear()
    straight = saved(clear, "TIFF")
    premultiplied = straight.replace(np.asarray(clear).tobytes(), clear.convert("RGBa").tobytes())
    says_straight, says_premultiplied = (struct.pack("<HHII", 338, 3, 1, kind) for kind in (2, 1))
    assert says_straight in straight
    assert_close(shown(premultiplied.replace(says_straight, says_premultiplied)), expected, 4)


def test_light_lettering_on_nothing_lies_on_black() -> None:
    lettering = Image.new("RGBA", (40, 600), (0, 0, 0, 0))
    lettering.paste((255, 240, 200, 255), (10, 500, 30, 510))
    read = shown(saved(lettering, "PNG"))
    assert read[0, 0].tolist() == [0, 0, 0]
    assert read[505, 20].tolist() == [255, 240, 200]


def test_a_light_sheet_with_print_on_nothing_lies_on_white() -> None:
    sheet = Image.new("RGBA", (40, 600), (0, 0, 0, 0))
    sheet.paste((255, 255, 255, 255), (0, 0, 40, 300))
    sheet.paste((0, 0, 0, 255), (10, 500, 30, 510))
    assert shown(saved(sheet, "PNG"))[599, 0].tolist() == [255, 255, 255]


@pytest.mark.parametrize("kind", ["PNG", "GIF"])
def test_a_clear_palette_entry_shows_white(kind: str) -> None:
    image = Image.new("P", (4, 2), 0)
    image.putpalette([200, 0, 0, 0, 0, 200])
    image.putpixel((1, 0), 1)
    data = saved(image, kind, transparency=0)
    assert shown(data)[0].tolist() == [[255, 255, 255], [0, 0, 200], [255, 255, 255], [255, 255, 255]]


def test_palette_entries_may_each_be_half_clear() -> None:
    image = Image.new("P", (2, 1), 0)
    image.putpalette([0, 0, 0, 0, 0, 0])
    image.putpixel((1, 0), 1)
    assert shown(saved(image, "PNG", transparency=bytes([255, 128])))[0, :, 0].tolist() == [0, 127]


@pytest.mark.parametrize(
    ("bits", "row", "key", "expected"),
    [
        (1, b"\x40", 1, [0, 255, 0, 0]),
        (2, b"\x1b", 1, [0, 255, 170, 255]),
        (4, b"\x01\x2f", 2, [0, 17, 255, 255]),
        (8, b"\0\x10\x20\xff", 0x10, [0, 255, 32, 255]),
        (16, b"\0\0\x10\x10\x20\x20\xff\xff", 0x1010, [0, 255, 32, 255]),
    ],
)
def test_a_grey_that_means_clear_shows_white_at_every_depth(
    bits: int, row: bytes, key: int, expected: list[int]
) -> None:
    data = png([row], 4, bits, 0, tRNS=struct.pack(">H", key))
    assert shown(data)[0, :, 0].tolist() == expected


@pytest.mark.parametrize("bits", [8, 16])
def test_a_colour_that_means_clear_shows_white(bits: int) -> None:
    scale, form = (1, ">3B") if bits == 8 else (257, ">3H")
    pixels = [(10, 20, 30), (40, 50, 60)]
    row = b"".join(struct.pack(form, *(value * scale for value in pixel)) for pixel in pixels)
    data = png([row], 2, bits, 2, tRNS=struct.pack(">3H", *(value * scale for value in pixels[0])))
    assert shown(data)[0].tolist() == [[255, 255, 255], [40, 50, 60]]


def test_a_bitmap_whose_alpha_is_zero_everywhere_means_none() -> None:
    rgba = np.dstack([PICTURE, np.zeros_like(GREY)])
    assert_close(shown(bitmap_with_alpha(rgba)), PICTURE, 0)
