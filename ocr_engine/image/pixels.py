"""From the bytes of an image file to its pixels as a viewer shows them.

OpenCV decodes what is plain (8-bit grey or RGB JPEG, PNG, WebP), at about twice the speed of Pillow and to the same
pixels. Everything else goes through Pillow, which knows palettes, CMYK, 16 bits, alpha and fax compression.
Memory at the peak: 3 bytes a pixel by OpenCV (6 where a large picture lies on its side, or lacks its end), 8 to 9 by
Pillow; 3 of them are the result.
"""

import io
import logging
import os
import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO, cast

import cv2
import numpy as np
from PIL import Image

from ocr_engine.crops import Pixels
from ocr_engine.errors import InvalidImage, TooManyPixels
from ocr_engine.image import header as headers
from ocr_engine.image.bgr import STRIP, to_bgr
from ocr_engine.image.effort import require_bounded
from ocr_engine.image.header import Header
from ocr_engine.image.kinds import has_heic
from ocr_engine.image.mapped import Buffer, path_of
from ocr_engine.image.page_image import PageImage

MAX_BLANK_FRAMES = 10
"""Pictures of an animation of one colour that are passed over; some begin with an empty one and fade in."""
LARGE = 4_000_000
"""Pixels from which a copy of them is worth a way around it."""
TRAILER = 4096
"""Bytes at the end of a JPEG in which the mark of it is looked for; some programs write more behind it."""
START_OF_SCAN, END_OF_JPEG = b"\xff\xda", b"\xff\xd9"

PILLOW_FORMATS = {
    headers.JPEG: "JPEG",
    headers.PNG: "PNG",
    headers.WEBP: "WEBP",
    headers.BMP: "BMP",
    headers.TIFF: "TIFF",
    headers.GIF: "GIF",
    headers.AVIF: "AVIF",
    headers.HEIC: "HEIF",
    headers.JPEG2000: "JPEG2000",
    headers.PNM: "PPM",
}
TURNED_BY_DECODER = (headers.TIFF, headers.HEIC)

if has_heic():
    import pi_heif

    pi_heif.register_heif_opener(thumbnails=False)

# what is wrong with a client's file is told by InvalidImage, not by our log
logging.getLogger("PIL").setLevel(logging.CRITICAL)
cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)


def decode_page(data: Buffer, header: Header, number: int, max_pixels: int) -> PageImage:
    """See `ocr_engine.image.decode_page`."""
    if header.start:
        data = data[header.start :]
    require_bounded(data, header.media_type)
    page = number - 1
    try:
        return PageImage(_decoded(data, header, page, max_pixels), dpi=header.dpi)
    except InvalidImage:
        if header.media_type != headers.JPEG or not lacks_end(data):
            raise
    # with a mark of the end, decoders show what has come, and grey below it, as browsers do
    return PageImage(_decoded(data[:] + END_OF_JPEG, header, page, max_pixels), dpi=header.dpi, warnings=("damaged",))


def _decoded(data: Buffer, header: Header, page: int, max_pixels: int) -> Pixels:
    with _complaints() as heard:
        pixels = _with_opencv(data, header) if header.plain else None
        pixels = _with_pillow(data, header, page, max_pixels) if pixels is None else pixels
    if heard and header.media_type == headers.TIFF:
        # of a broken fax strip libtiff tells nobody else: what follows the break is blank
        raise InvalidImage(f"{_name(header, page)} is damaged or incomplete")
    return pixels


def lacks_end(data: Buffer) -> bool:
    """Whether a JPEG's last scan is not followed by the mark of the end; neither can stand in the data of a scan."""
    # from 0: a mapped file searches from where it was read to
    return data.rfind(END_OF_JPEG, 0) < data.rfind(START_OF_SCAN, 0)


def _with_opencv(data: Buffer, header: Header) -> Pixels | None:
    """The pixels; None where OpenCV fails: Pillow then has the last word."""
    flags = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
    try:
        if header.width * header.height < LARGE or not _is_whole(data, header):
            pixels = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
        else:
            # only a file is read into an array: imdecode's result is copied into one
            with path_of(data) as path:
                pixels = cv2.imread(path, None, flags)
    except cv2.error:
        return None
    if pixels is None or pixels.shape != (header.height, header.width, 3):
        return None
    return _upright(np.asarray(pixels, np.uint8), header.orientation)


def _is_whole(data: Buffer, header: Header) -> bool:
    """Whether its end is there, so far as that is to be seen: of a JPEG file that lacks it OpenCV makes grey."""
    return header.media_type != headers.JPEG or data.rfind(END_OF_JPEG, max(0, len(data) - TRAILER)) >= 0


def _with_pillow(data: Buffer, header: Header, page: int, max_pixels: int) -> Pixels:
    kind, name = PILLOW_FORMATS[header.media_type], _name(header, page)
    try:
        with limited_pillow(max_pixels), Image.open(_as_file(data), formats=(kind,)) as image:
            if page:
                image.seek(header.pages[page])
            if image.width * image.height > max_pixels:  # Pillow looks at the first frame only
                raise TooManyPixels(f"{name} has more than {max_pixels} pixels")
            image.load()
            may_move = header.media_type == headers.AVIF or header.frames > 1
            if may_move and header.media_type != headers.TIFF:
                pixels = _first_with_something(image, header, to_bgr(image, header))
            else:
                pixels = to_bgr(image, header)
    except (TooManyPixels, MemoryError):
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise TooManyPixels(f"{name} has more than {max_pixels} pixels") from error
    except Exception as error:
        # a hostile file makes Pillow raise nearly anything: OSError, SyntaxError, struct.error, zlib.error, KeyError, …
        raise InvalidImage(f"{name} is damaged, incomplete or of a kind that cannot be decoded") from error
    return pixels if header.media_type in TURNED_BY_DECODER else _upright(pixels, header.orientation)


def _first_with_something(image: Image.Image, header: Header, pixels: Pixels) -> Pixels:
    """The pixels of an animation's first frame that is not of one colour; of the very first where all looked at are.

    `pixels`: of the first. What cannot be decoded of later frames is nothing to complain of.
    """
    if not _is_blank(pixels):
        return pixels
    shape, colour = pixels.shape, pixels[0, 0].copy()
    del pixels  # or it would be there beside the next one
    with suppress(EOFError, OSError, ValueError, SyntaxError, struct.error):
        for frame in range(1, MAX_BLANK_FRAMES + 1):
            image.seek(frame)
            image.load()
            shown = to_bgr(image, header)
            if not _is_blank(shown):
                return shown
            del shown
    return np.full(shape, colour, np.uint8)


def _is_blank(pixels: Pixels) -> bool:
    return not any((pixels[top : top + STRIP] != pixels[0, 0]).any() for top in range(0, len(pixels), STRIP))


def _as_file(data: Buffer) -> IO[bytes]:
    """As Pillow wants it: of a mapped file nothing is copied, as libtiff is given a descriptor."""
    if isinstance(data, bytes):
        return io.BytesIO(data)
    data.seek(0)
    return cast(IO[bytes], data)


def _name(header: Header, page: int) -> str:
    """What a client's error calls this page."""
    kind = PILLOW_FORMATS[header.media_type]
    return f"page {page + 1} of the {kind} image" if len(header.pages) > 1 else f"the {kind} image"


@contextmanager
def _complaints() -> Iterator[bytearray]:
    """The first that libjpeg, libpng and libtiff complain of, once it is over; all of it would go to file 2.

    At worst they do so once for every row of a hostile image: what a pipe does not hold is dropped.
    """
    heard = bytearray()
    try:
        stderr = os.dup(2)
    except OSError:  # a service without a stderr
        yield heard
        return
    listening, speaking = os.pipe()
    for end in (listening, speaking):
        os.set_blocking(end, False)
    os.dup2(speaking, 2)
    os.close(speaking)
    try:
        yield heard
    finally:
        os.dup2(stderr, 2)  # and with it the last end to speak into is closed
        os.close(stderr)
        with suppress(BlockingIOError):  # silence, and another process has inherited the end to speak into
            heard += os.read(listening, 1000)
        os.close(listening)


@contextmanager
def limited_pillow(max_pixels: int) -> Iterator[None]:
    """Pillow with our pixel limit as an error, and without its other warnings; as before afterwards."""
    before = Image.MAX_IMAGE_PIXELS
    Image.MAX_IMAGE_PIXELS = max_pixels
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            yield
    finally:
        Image.MAX_IMAGE_PIXELS = before


def _upright(pixels: Pixels, orientation: int) -> Pixels:
    """Turns stored pixels as EXIF 2.3, tag 0x0112 says."""
    match orientation:
        case 2:
            turned = cv2.flip(pixels, 1)
        case 3:
            turned = cv2.rotate(pixels, cv2.ROTATE_180)
        case 4:
            turned = cv2.flip(pixels, 0)
        case 5:
            turned = cv2.transpose(pixels)
        case 6:
            turned = cv2.rotate(pixels, cv2.ROTATE_90_CLOCKWISE)
        case 7:
            turned = cv2.flip(cv2.transpose(pixels), -1)
        case 8:
            turned = cv2.rotate(pixels, cv2.ROTATE_90_COUNTERCLOCKWISE)
        case _:
            return pixels
    return np.asarray(turned, np.uint8)
