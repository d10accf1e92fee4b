"""An image as a PDF's picture, nothing lost: its own bytes where PDF knows them, else its pixels deflated.

JPEG and JPEG 2000 are PDF's own; the data of a PNG without alpha are deflated with predictors, as a PDF may have them.
"""

import io
import struct
import zlib
from collections.abc import Iterator

import numpy as np
import pikepdf
from msgspec import Struct
from pikepdf import Array, Dictionary, Name, Stream
from PIL import Image, ImageCms, TiffImagePlugin

from ocr_engine import image as images
from ocr_engine.errors import InvalidImage
from ocr_engine.image import header as kinds
from ocr_engine.image.bgr import is_alpha_unused
from ocr_engine.image.header import Header
from ocr_engine.image.mapped import Buffer
from ocr_engine.image.pixels import (
    END_OF_JPEG,
    PILLOW_FORMATS,
    TURNED_BY_DECODER,
    lacks_end,
    limited_pillow,
)

_SPACES = {"L": "DeviceGray", "RGB": "DeviceRGB", "CMYK": "DeviceCMYK", "1": "DeviceGray", "I;16": "DeviceGray"}
_CHANNELS = {"L": 1, "RGB": 3, "CMYK": 4}
_PNG_COLOURS = {0: 1, 2: 3, 3: 1}
"""Channels by a PNG's colour type; those with alpha are missing."""
MAX_SQUEEZED = 1 << 18
"""Bytes of a PNG whose pixels are compressed anew, in every way that may take less: of a larger one, text and font are
less than a tenth anyway.
"""
MAX_SQUEEZED_PIXELS = 9_000_000
"""An A4 page at 300 dpi: what that costs follows the pixels."""
BYTE = 8
_STRATEGIES = (zlib.Z_DEFAULT_STRATEGY, zlib.Z_FILTERED)
"""Print compresses better with the one, photos with the other."""
_STRIP_OFFSETS, _ROWS_PER_STRIP, _STRIP_BYTES, _PHOTOMETRIC, _BLACK_IS_ZERO = 273, 278, 279, 262, 1


class Picture(Struct, frozen=True):
    """A PDF's image, as it is stored."""

    stream: Stream
    orientation: int
    """EXIF's, 1 to 8: how it has to be turned to be seen as a viewer shows it."""
    archivable: bool
    """False: colours of print (CMYK) without a profile, which PDF/A does not take, or JPEG 2000, which it restricts."""


def picture_of(document: pikepdf.Pdf, data: Buffer, header: Header, number: int, max_pixels: int) -> Picture:
    """The page of an image file, from 1. Raises as `image.decode_page`."""
    data = data[header.start :] if header.start else data
    try:
        with limited_pillow(max_pixels), Image.open(_file(data), formats=(PILLOW_FORMATS[header.media_type],)) as image:
            if number > 1:
                image.seek(header.pages[number - 1])
            made = _as_it_is(document, data, header, image) or _by_its_pixels(document, header, image)
    except Exception as error:
        # whatever a hostile file makes Pillow raise
        raise InvalidImage("the image cannot be put into a PDF: it is damaged or incomplete") from error
    return made or _as_shown(document, data, header, number, max_pixels)


def _file(data: Buffer) -> io.BytesIO:
    return io.BytesIO(data[:])


def _as_it_is(document: pikepdf.Pdf, data: Buffer, header: Header, image: Image.Image) -> Picture | None:
    """With the file's own bytes; None for kinds that PDF does not know."""
    match header.media_type:
        case kinds.JPEG if image.mode in _CHANNELS and getattr(image, "bits", 8) == 8:
            whole = data[:] + END_OF_JPEG if lacks_end(data) else data[:]
            stream = _stream(document, image, whole, "DCTDecode", image.mode, 8)
            if image.mode == "CMYK" and "adobe" in image.info:
                stream.Decode = Array([1, 0] * 4)  # Adobe's are negatives
        case kinds.JPEG2000 if image.mode in ("L", "RGB") and data[:4] == b"\0\0\0\x0c":
            stream = _stream(document, image, data[:], "JPXDecode", image.mode, 8)
        case kinds.PNG if header.frames == 1:
            png = _png(document, image, data[:])
            if png is None:
                return None
            stream = _smaller(document, image, png) if len(data) <= MAX_SQUEEZED else png
        case _:
            return None
    return Picture(stream, header.orientation, _is_archivable(stream))


def _by_its_pixels(document: pikepdf.Pdf, header: Header, image: Image.Image) -> Picture | None:
    """With the pixels as they are stored; None for those that no picture of a PDF can have."""
    if header.frames > 1 and header.media_type != kinds.TIFF:
        return None  # which frame is shown, the decoder knows
    image.load()
    orientation = 1 if header.media_type in TURNED_BY_DECODER else header.orientation
    alpha = image.has_transparency_data and not is_alpha_unused(image, header)
    mode = image.mode
    if mode == "1" and not alpha:
        stream = _fax(document, image)
    elif mode == "CMYK":
        stream = _stream(document, image, zlib.compress(image.tobytes(), 6), "FlateDecode", mode, 8)
    elif mode in ("L", "RGB", "P", "LA", "RGBA", "PA", "1") or alpha:
        is_grey = mode in ("L", "LA", "1")
        stream = _deflated(document, image, image.convert("RGBA").convert("L" if is_grey else "RGB"))
        if alpha:
            mask = image.convert("RGBA").getchannel("A")
            stream.SMask = _deflated(document, mask, mask)
            del stream.SMask[Name.ColorSpace]
            stream.SMask.ColorSpace = Name.DeviceGray
    else:
        return None
    return Picture(stream, orientation, _is_archivable(stream))


def _as_shown(document: pikepdf.Pdf, data: Buffer, header: Header, number: int, max_pixels: int) -> Picture:
    """With the pixels as they were read: 32 bits and floats, animations."""
    pixels = images.decode_page(data, header, number, max_pixels).pixels
    shown = Image.fromarray(np.ascontiguousarray(pixels[..., ::-1]))
    return Picture(_deflated(document, shown, shown), 1, archivable=True)


def _deflated(
    document: pikepdf.Pdf,
    source: Image.Image,
    pixels: Image.Image,
    *,
    level: int = 6,
    strategy: int = zlib.Z_FILTERED,
) -> Stream:
    """With PNG's predictors, which take photos to two thirds; `source` may have a profile."""
    file = io.BytesIO()
    pixels.save(file, "PNG", compress_level=level, compress_type=strategy)
    source_profile = source.info.get("icc_profile")
    pixels.info = {"icc_profile": source_profile} if source_profile else {}
    stream = _png(document, pixels, file.getvalue())
    assert stream is not None
    return stream


def _png(document: pikepdf.Pdf, image: Image.Image, data: bytes) -> Stream | None:
    """A PNG's own data; None with alpha, or interlaced."""
    chunks = [*_chunks(data)]
    width, height, bits, colour, _, _, interlaced = struct.unpack(">IIBBBBB", chunks[0][1])
    names = {name for name, _ in chunks}
    if colour not in _PNG_COLOURS or interlaced or b"tRNS" in names or b"acTL" in names:
        return None
    channels = _PNG_COLOURS[colour]
    body = b"".join(part for name, part in chunks if name == b"IDAT")
    stream = _stream(document, image, body, "FlateDecode", "RGB" if colour else "L", bits, (width, height))
    stream.DecodeParms = Dictionary(Predictor=15, Colors=channels, BitsPerComponent=bits, Columns=width)
    if colour == 3:
        palette = next(part for name, part in chunks if name == b"PLTE")
        stream.ColorSpace = Array([Name.Indexed, stream.ColorSpace, len(palette) // 3 - 1, pikepdf.String(palette)])
    return stream


def _smaller(document: pikepdf.Pdf, image: Image.Image, stored: Stream) -> Stream:
    """The same pixels in fewer bytes, where there is a way: grey ones in one channel, all compressed harder."""
    ways = [stored]
    is_bounded = image.width * image.height <= MAX_SQUEEZED_PIXELS
    if is_bounded and image.mode in ("1", "L", "P", "RGB") and stored.BitsPerComponent <= BYTE:
        if image.mode == "RGB" and "icc_profile" not in image.info:
            red, green, blue = image.split()
            image = red if red.tobytes() == green.tobytes() == blue.tobytes() else image
        ways += [_deflated(document, image, image, level=9, strategy=strategy) for strategy in _STRATEGIES]
        ways += [_fax(document, image)] if image.mode == "1" else []
    return min(ways, key=lambda stream: len(stream.read_raw_bytes()))


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 8
    while at + 12 <= len(data):
        length, name = struct.unpack_from(">I4s", data, at)
        yield name, data[at + 8 : at + 8 + length]
        at += length + 12
        if name == b"IEND":
            break


def _fax(document: pikepdf.Pdf, image: Image.Image) -> Stream:
    """CCITT group 4, or deflated where that is smaller: of a dithered photo."""
    file = io.BytesIO()
    image.save(file, "TIFF", compression="group4", tiffinfo={_ROWS_PER_STRIP: image.height})
    with Image.open(file, formats=("TIFF",)) as written:
        assert isinstance(written, TiffImagePlugin.TiffImageFile)
        (offset,), (length,) = written.tag_v2[_STRIP_OFFSETS], written.tag_v2[_STRIP_BYTES]
        is_black_zero = written.tag_v2[_PHOTOMETRIC] == _BLACK_IS_ZERO
    body, plain = file.getvalue()[offset : offset + length], zlib.compress(image.tobytes(), 9)
    if len(plain) < len(body):
        return _stream(document, image, plain, "FlateDecode", "1", 1)
    stream = _stream(document, image, body, "CCITTFaxDecode", "1", 1)
    stream.DecodeParms = Dictionary(K=-1, Columns=image.width, Rows=image.height, BlackIs1=is_black_zero)
    return stream


def _stream(
    document: pikepdf.Pdf,
    image: Image.Image,
    data: bytes,
    filters: str,
    mode: str,
    bits: int,
    size: tuple[int, int] | None = None,
) -> Stream:
    stream = Stream(document, b"")
    stream.write(data, filter=Name(f"/{filters}"))
    stream.Type, stream.Subtype = Name.XObject, Name.Image
    stream.Width, stream.Height = size or image.size
    stream.BitsPerComponent = bits
    stream.ColorSpace = _colours(document, image, mode)
    return stream


def _colours(document: pikepdf.Pdf, image: Image.Image, mode: str) -> pikepdf.Object:
    """The image's own profile where it has a sound one for such pixels."""
    profile = image.info.get("icc_profile")
    device = Name(f"/{_SPACES[mode]}")
    wanted = {"L": "GRAY", "RGB": "RGB ", "CMYK": "CMYK"}.get(mode)
    if not isinstance(profile, bytes) or wanted is None:
        return device
    try:
        space = ImageCms.ImageCmsProfile(io.BytesIO(profile)).profile.xcolor_space
    except (OSError, ImageCms.PyCMSError):
        return device
    if space != wanted:
        return device
    stream = Stream(document, b"")
    stream.write(zlib.compress(profile, 9), filter=Name.FlateDecode)
    stream.N, stream.Alternate = _CHANNELS[mode], device
    return document.make_indirect(Array([Name.ICCBased, stream]))


def _is_archivable(stream: Stream) -> bool:
    return bool(stream.ColorSpace != Name.DeviceCMYK and stream.Filter != Name.JPXDecode)
