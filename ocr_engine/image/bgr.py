"""From Pillow's image of any mode to plain pixels: palettes, alpha, 16 and 32 bits, floats."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ocr_engine.crops import Pixels
from ocr_engine.image import header as headers
from ocr_engine.image.header import Header

STRIP = 256
"""Rows that are converted at a time: beside Pillow's image and the result, little more is in memory."""
LIGHT = 128
"""Grey level from which a pixel is light."""
MIN_PRINT_SHARE = 0.002
"""Share of the pixels that can be seen from which dark ones may be print: a line or two on a sheet."""
DEPTHS = (8, 10, 12, 14, 16)
"""Bits that cameras and scanners put into 16."""

# of TIFF
_PHOTOMETRIC, _SAMPLE_FORMAT = 262, 339
_MIN_IS_WHITE = 0
_UNSIGNED = 1


def to_bgr(image: Image.Image, header: Header) -> Pixels:
    """The image as it would lie on paper: (height, width, 3), BGR, 8 bits; turned as it is stored."""
    if image.mode.startswith(("I", "F")):
        return _deep_grey(image)
    _mend_colour_key(image, header)
    is_clear = image.has_transparency_data and not is_alpha_unused(image, header)
    paper = _paper(image) if is_clear else ""
    bgr = np.empty((image.height, image.width, 3), np.uint8)
    for top, strip in _strips(image):
        rgb = _laid_on(paper, strip.convert("RGBA")) if is_clear else strip.convert("RGB")
        bgr[top : top + STRIP] = np.asarray(rgb)[..., ::-1]
    return bgr


def _strips(image: Image.Image) -> Iterator[tuple[int, Image.Image]]:
    for top in range(0, image.height, STRIP):
        yield top, image.crop((0, top, image.width, min(top + STRIP, image.height)))


def _paper(image: Image.Image) -> str:
    """What lies under a transparent image: white, or black where all that can be seen is light, as white lettering."""
    seen = np.zeros(256, np.int64)
    for _, strip in _strips(image):
        clear = strip.convert("RGBA")
        seen += clear.convert("L").histogram(clear.getchannel("A").point([0] * 128 + [255] * 128))
    return "black" if seen[:LIGHT].sum() < MIN_PRINT_SHARE * seen.sum() else "white"


def _laid_on(paper: str, strip: Image.Image) -> Image.Image:
    sheet = Image.new("RGBA", strip.size, paper)
    sheet.alpha_composite(strip)
    return sheet.convert("RGB")


def is_alpha_unused(image: Image.Image, header: Header) -> bool:
    """True for bitmaps whose alpha is zero everywhere: programs that write 32 bits and mean 24."""
    return header.media_type == headers.BMP and image.mode == "RGBA" and image.getchannel("A").getextrema() == (0, 0)


def _mend_colour_key(image: Image.Image, header: Header) -> None:
    """Brings a PNG's transparent colour from the file's bit depth to 8 bits, as Pillow brought the pixels."""
    key = image.info.get("transparency")
    if header.media_type != headers.PNG or header.bits == 8 or image.mode not in ("1", "L", "RGB") or key is None:
        return
    values = [value * 255 // (2**header.bits - 1) for value in (key if isinstance(key, tuple) else (key,))]
    image.info["transparency"] = tuple(values) if isinstance(key, tuple) else values[0]


def _deep_grey(image: Image.Image) -> Pixels:
    """One channel of 16 or 32 bits or floats, brought to 8: the depth is the least one that holds the brightest pixel,
    floats up to 1 are parts of white, and what fits no such scale is stretched from 0 or its darkest to its brightest.
    """
    tags: Mapping[int, object] = getattr(image, "tag_v2", {})
    is_unsigned = image.mode == "I" and tags.get(_SAMPLE_FORMAT, _UNSIGNED) in (_UNSIGNED, (_UNSIGNED,))
    low = high = 0.0
    for _, values in _deep_strips(image, is_unsigned):
        finite = np.isfinite(values)
        low = min(low, float(np.min(values, initial=0, where=finite)))
        high = max(high, float(np.max(values, initial=0, where=finite)))
    if low >= 0 and high <= 2**16 - 1:
        is_part = image.mode.startswith("F") and high <= 1
        high = 1.0 if is_part else float(next(2**bits - 1 for bits in DEPTHS if high <= 2**bits - 1))
        low = 0.0
    clear = image.info.get("transparency")
    bgr = np.empty((image.height, image.width, 3), np.uint8)
    for top, values in _deep_strips(image, is_unsigned):
        strip = np.nan_to_num(values.astype(np.float32), nan=low, posinf=high, neginf=low)
        grey = np.rint((strip - low) * (255 / (high - low))).astype(np.uint8)
        if tags.get(_PHOTOMETRIC) == _MIN_IS_WHITE:
            np.subtract(255, grey, out=grey)
        if isinstance(clear, int):
            grey[values == clear] = 255
        bgr[top : top + STRIP] = grey[..., None]
    return bgr


def _deep_strips(image: Image.Image, is_unsigned: bool) -> Iterator[tuple[int, NDArray[Any]]]:
    for top, strip in _strips(image):
        values = np.asarray(strip)
        yield top, values.view(np.uint32) if is_unsigned else values
