"""Every pixel format is decoded to what a viewer shows."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms, ImageOps, TiffImagePlugin

from ocr_engine.errors import InvalidImage
from ocr_engine.image import decode_page, probe, read_header
from ocr_engine.image.mapped import MappedFile, map_file
from samples import sample
from tests.unit.image.heic import HEIC
from tests.unit.image.images import (
    GREY,
    HEIGHT,
    IMAGE,
    LIMIT,
    LOSSY,
    PICTURE,
    ROUNDED,
    WIDTH,
    Array,
    assert_close,
    decode,
    decode_all,
    exif,
    opencv,
    paged,
    saved,
    shown,
    tiff,
)

NEW_SUBFILE_TYPE, SUBFILE_TYPE, ORIENTATION = 254, 255, 274
STRIP_OFFSETS, STRIP_BYTES = 273, 279


def lab() -> Image.Image:
    profiles = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    converted = ImageCms.profileToProfile(IMAGE, *profiles, outputMode="LAB")
    assert converted is not None
    return converted


def ycck() -> bytes:
    """A CMYK JPEG whose inks are stored as luminance and chroma: Adobe's transform 2."""
    *inks, black = IMAGE.convert("CMYK").split()
    planes = [ImageOps.invert(plane) for plane in Image.merge("RGB", inks).convert("YCbCr").split()]
    data = bytearray(saved(Image.merge("CMYK", [*planes, black]), "JPEG", quality=98))
    data[data.index(b"Adobe") + 11] = 2
    return bytes(data)


RGB16 = PICTURE[..., ::-1].astype(np.uint16) * 257
IN_COLOUR = {
    "jpeg": (saved(IMAGE, "JPEG", quality=98, subsampling=0), LOSSY),
    "progressive jpeg": (saved(IMAGE, "JPEG", quality=98, subsampling=0, progressive=True), LOSSY),
    "jpeg with red, green and blue planes": (saved(IMAGE, "JPEG", quality=98, keep_rgb=True), LOSSY),
    "cmyk jpeg": (saved(IMAGE.convert("CMYK"), "JPEG", quality=98), LOSSY),
    "ycck jpeg": (ycck(), LOSSY),
    "png": (saved(IMAGE, "PNG"), 0),
    "16-bit png": (opencv(".png", RGB16), ROUNDED),
    "palette png": (saved(IMAGE.quantize(256), "PNG"), 6),
    "webp": (saved(IMAGE, "WEBP", quality=98), LOSSY),
    "lossless webp": (saved(IMAGE, "WEBP", lossless=True), 0),
    "bmp": (saved(IMAGE, "BMP"), 0),
    "palette bmp": (saved(IMAGE.quantize(256), "BMP"), 6),
    "gif": (saved(IMAGE.quantize(256), "GIF"), 6),
    "interlaced gif": (saved(IMAGE.quantize(256), "GIF", interlace=1), 6),
    "tiff": (saved(IMAGE, "TIFF"), 0),
    "lzw tiff": (saved(IMAGE, "TIFF", compression="tiff_lzw"), 0),
    "deflate tiff": (saved(IMAGE, "TIFF", compression="tiff_adobe_deflate"), 0),
    "packbits tiff": (saved(IMAGE, "TIFF", compression="packbits"), 0),
    "jpeg tiff": (saved(IMAGE, "TIFF", compression="jpeg", quality=98), LOSSY),
    "palette tiff": (saved(IMAGE.quantize(256), "TIFF"), 6),
    "cmyk tiff": (saved(IMAGE.convert("CMYK"), "TIFF"), ROUNDED),
    "lab tiff": (saved(lab(), "TIFF"), LOSSY),
    "16-bit tiff": (opencv(".tiff", RGB16), ROUNDED),
    "avif": (saved(IMAGE, "AVIF", quality=98, subsampling="4:4:4"), LOSSY),
    "heic": (HEIC, 4),
    "jpeg 2000": (saved(IMAGE, "JPEG2000"), 0),
    "jpeg 2000 codestream": (saved(IMAGE, "JPEG2000", no_jp2=True), 0),
    "ppm": (saved(IMAGE, "PPM"), 0),
    "plain ppm": (b"P3 64 48 255\n" + b" ".join(b"%d" % value for value in PICTURE.ravel()) + b"\n", 0),
    "16-bit ppm": (b"P6 64 48 65535\n" + (PICTURE.astype(">u2") * 257).tobytes(), ROUNDED),
}


@pytest.mark.parametrize(("data", "tolerance"), IN_COLOUR.values(), ids=IN_COLOUR)
def test_a_colour_picture_looks_the_same_in_every_format(data: bytes, tolerance: float) -> None:
    assert_close(shown(data), PICTURE, tolerance)


GREY16 = GREY.astype(np.uint16) * 257
IN_GREY = {
    "jpeg": (saved(IMAGE.convert("L"), "JPEG", quality=98), LOSSY),
    "png": (saved(IMAGE.convert("L"), "PNG"), 0),
    "16-bit png": (opencv(".png", GREY16), 0),
    "12 bits in a 16-bit png": (opencv(".png", GREY.astype(np.uint16) * 16), ROUNDED),
    "8 bits in a 16-bit png": (opencv(".png", GREY.astype(np.uint16)), 0),
    "16-bit tiff": (tiff(GREY16), 0),
    "big-endian 16-bit tiff": (tiff(GREY16, ">"), 0),
    "16-bit tiff, white is zero": (tiff(65535 - GREY16, t262=0), 0),
    "8-bit tiff, white is zero": (tiff(255 - GREY, t262=0), 0),
    "16-bit tiff, compressed": (saved(Image.fromarray(GREY16), "TIFF", compression="tiff_lzw"), 0),
    "32-bit tiff": (tiff(GREY.astype(np.uint32)), 0),
    "signed 32-bit tiff": (tiff(GREY.astype(np.int32)), 0),
    "float tiff, up to 1": (tiff(GREY.astype(np.float32) / 255), ROUNDED),
    "float tiff, up to 255": (tiff(GREY.astype(np.float32)), ROUNDED),
    "big-endian float tiff": (tiff(GREY.astype(np.float32) / 255, ">"), ROUNDED),
    "pgm": (saved(IMAGE.convert("L"), "PPM"), 0),
    "16-bit pgm": (b"P5 64 48 65535\n" + GREY16.astype(">u2").tobytes(), 0),
    "grey jpeg 2000": (saved(IMAGE.convert("L"), "JPEG2000"), 0),
    "grey and alpha png": (saved(IMAGE.convert("LA"), "PNG"), 0),
}


@pytest.mark.parametrize(("data", "tolerance"), IN_GREY.values(), ids=IN_GREY)
def test_a_grey_picture_looks_the_same_in_every_depth(data: bytes, tolerance: float) -> None:
    assert_close(shown(data), GREY, tolerance)


def test_floats_that_are_no_numbers_become_the_nearest_shade() -> None:
    values = GREY.astype(np.float32) / 255
    values[0, :3] = np.nan, np.inf, -np.inf
    assert shown(tiff(values))[0, :3, 0].tolist() == [0, 255, 0]


def test_values_of_more_than_16_bits_are_stretched_from_zero_to_brightest() -> None:
    pixels = shown(tiff(np.array([[0, 2**31, 2**32 - 1]], np.uint32)))
    assert pixels[0, :, 0].tolist() == [0, 128, 255]


def test_signed_values_are_stretched_from_darkest_to_brightest() -> None:
    pixels = shown(tiff(np.array([[-100, 0, 100]], np.int32)))
    assert pixels[0, :, 0].tolist() == [0, 128, 255]


BLACK_ON_WHITE = IMAGE.convert("1", dither=Image.Dither.NONE)
IN_ONE_BIT = {
    "png": saved(BLACK_ON_WHITE, "PNG"),
    "bmp": saved(BLACK_ON_WHITE, "BMP"),
    "gif": saved(BLACK_ON_WHITE, "GIF"),
    "tiff": saved(BLACK_ON_WHITE, "TIFF"),
    "fax group 3": saved(BLACK_ON_WHITE, "TIFF", compression="group3"),
    "fax group 4": saved(BLACK_ON_WHITE, "TIFF", compression="group4"),
    "fax group 4, white is zero": saved(BLACK_ON_WHITE, "TIFF", compression="group4", tiffinfo={262: 0}),
    "pbm": saved(BLACK_ON_WHITE, "PPM"),
    "huffman fax": saved(BLACK_ON_WHITE, "TIFF", compression="tiff_ccitt"),
}


@pytest.mark.parametrize("data", IN_ONE_BIT.values(), ids=IN_ONE_BIT)
def test_a_black_and_white_picture_keeps_black_and_white(data: bytes) -> None:
    assert_close(shown(data), np.asarray(BLACK_ON_WHITE.convert("L")), 0)


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_of_an_animation_the_first_frame_is_decoded(kind: str) -> None:
    options = {"WEBP": {"lossless": True}}.get(kind, {})
    first = IMAGE.quantize(64) if kind == "GIF" else IMAGE
    more = [first.rotate(angle) for angle in (90, 180)]
    data = saved(first, kind, save_all=True, append_images=more, **options)
    assert len([*decode_all(data, LIMIT)]) == 1
    assert_close(shown(data), np.asarray(first.convert("RGB")))
    assert probe(data, LIMIT).frames == 3


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "AVIF"])
def test_of_an_animation_that_begins_blank_the_first_picture_is_decoded(kind: str) -> None:
    by_kind: dict[str, dict[str, Any]] = {"WEBP": {"lossless": True}}
    by_kind["AVIF"] = {"quality": 98, "subsampling": "4:4:4"}
    options = by_kind.get(kind, {})
    picture = IMAGE.quantize(64).convert("RGB") if kind == "GIF" else IMAGE
    blank = Image.new("RGB", IMAGE.size, "white")
    blank.putpixel((0, 0), (255, 255, 254))  # or the writers would make one frame of two that are alike
    data = saved(Image.new("RGB", IMAGE.size, "white"), kind, save_all=True, append_images=[picture], **options)
    assert_close(shown(data), np.asarray(picture), 2 * LOSSY)
    alone = saved(Image.new("RGB", IMAGE.size, "white"), kind, save_all=True, append_images=[blank], **options)
    assert shown(alone).min() >= 254


def test_a_jpeg_that_lacks_its_end_is_one_however_much_of_its_file_was_read(tmp_path: Path) -> None:
    data = saved(IMAGE.resize((640, 480)), "JPEG", quality=98)
    (tmp_path / "cut.jpg").write_bytes(data[: len(data) // 2])
    mapped = map_file(tmp_path / "cut.jpg")
    assert isinstance(mapped, MappedFile)
    with mapped:
        assert decode_page(mapped, read_header(mapped, LIMIT), 1, LIMIT).warnings == ("damaged",)


@pytest.mark.parametrize("options", [{}, {"progressive": True}])
def test_a_jpeg_that_lacks_its_end_is_what_has_come_and_called_damaged(options: dict[str, object]) -> None:
    data = saved(IMAGE.resize((640, 480)), "JPEG", quality=98, **options)
    whole = decode(data, LIMIT)
    for length in (len(data) * 3 // 4, len(data) - 100):
        cut = data[:length]
        page = decode_page(cut, read_header(cut, LIMIT), 1, LIMIT)
        assert page.warnings == ("damaged",)
        assert np.abs(page.pixels[:100].astype(float) - whole[:100]).mean() < 8
    assert decode_page(data, read_header(data, LIMIT), 1, LIMIT).warnings == ()
    with pytest.raises(InvalidImage):
        decode(data[: data.index(b"\xff\xda")], LIMIT)


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
@pytest.mark.parametrize(("written", "said"), [((300, 300), 300), ((72, 72), 0), ((96, 96), 0), ((204, 98), 0)])
def test_the_resolution_is_told_where_it_may_be_that_of_paper(kind: str, written: tuple[int, int], said: float) -> None:
    data = saved(IMAGE, kind, dpi=written)
    assert decode_page(data, read_header(data, LIMIT), 1, LIMIT).dpi == pytest.approx(said, abs=0.1)


def test_every_page_of_a_tiff_is_decoded_as_it_is() -> None:
    fax = Image.new("1", (40, 30), 1)
    fax.paste(0, (5, 5, 15, 10))
    data = paged(
        (IMAGE, {}),
        (fax, {"compression": "group4"}),
        (IMAGE.transpose(Image.Transpose.ROTATE_90), {"tiffinfo": {ORIENTATION: 6}}),
        (IMAGE.convert("CMYK"), {"compression": "tiff_lzw"}),
    )
    first, second, third, fourth = (page[..., ::-1] for page in decode_all(data, LIMIT))
    assert_close(first, PICTURE, 0)
    assert_close(second, np.asarray(fax.convert("L")), 0)
    assert_close(third, PICTURE, 0)
    assert_close(fourth, PICTURE)


def test_thumbnails_and_masks_in_a_tiff_are_no_pages() -> None:
    small = IMAGE.resize((8, 6))
    data = paged(
        (IMAGE, {}),
        (small, {"tiffinfo": {NEW_SUBFILE_TYPE: 1}}),
        (small, {"tiffinfo": {SUBFILE_TYPE: 2}}),
        (IMAGE.convert("1"), {"tiffinfo": {NEW_SUBFILE_TYPE: 4}}),
        (IMAGE.rotate(180), {"tiffinfo": {NEW_SUBFILE_TYPE: 2}}),
    )
    assert len(read_header(data, LIMIT).pages) == 2
    assert probe(data, LIMIT).frames == 5
    first, second = (page[..., ::-1] for page in decode_all(data, LIMIT))
    assert_close(first, PICTURE, 0)
    assert_close(second, PICTURE[::-1, ::-1], 0)


def test_a_page_of_full_size_is_one_whatever_it_calls_itself() -> None:
    data = paged(
        (IMAGE, {"tiffinfo": {NEW_SUBFILE_TYPE: 1}}),
        (IMAGE.crop((0, 0, WIDTH, HEIGHT // 2)), {"tiffinfo": {NEW_SUBFILE_TYPE: 1}}),
        (IMAGE.crop((0, 0, WIDTH // 2, HEIGHT // 4)), {"tiffinfo": {SUBFILE_TYPE: 2}}),
    )
    assert len(read_header(data, LIMIT).pages) == 2


@pytest.mark.parametrize("compression", ["group3", "group4"])
def test_a_fax_page_that_is_broken_in_the_middle_is_damaged(compression: str) -> None:
    """libtiff fills the rest with white, and Pillow takes that for the page."""
    fax = Image.fromarray(np.random.default_rng(1).integers(0, 2, (200, 320), np.uint8) * 255).convert("1")
    data = paged((IMAGE, {}), (fax, {"compression": compression}), (IMAGE, {}))
    with Image.open(io.BytesIO(data)) as image:
        assert isinstance(image, TiffImagePlugin.TiffImageFile)
        image.seek(1)
        (begin,), (length,) = image.tag_v2[STRIP_OFFSETS], image.tag_v2[STRIP_BYTES]
    assert len([*decode_all(data, LIMIT)]) == 3
    half = length // 2
    damaged = data[: begin + half] + data[begin : begin + length - half] + data[begin + length :]
    with pytest.raises(InvalidImage, match="page 2 of the TIFF image is damaged"):
        [*decode_all(damaged, LIMIT)]


def turned(orientation: int) -> Array:
    """The picture as a viewer shows it whose file says that orientation."""
    upright = {
        1: PICTURE,
        2: PICTURE[:, ::-1],
        3: PICTURE[::-1, ::-1],
        4: PICTURE[::-1],
        5: PICTURE.swapaxes(0, 1),
        6: np.rot90(PICTURE, -1),
        7: PICTURE[::-1, ::-1].swapaxes(0, 1),
        8: np.rot90(PICTURE),
    }
    return upright[orientation]


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_the_exif_orientation_is_applied(kind: str, orientation: int) -> None:
    options: dict[str, dict[str, Any]] = {"JPEG": {"quality": 98, "subsampling": 0}, "WEBP": {"lossless": True}}
    options["AVIF"] = {"quality": 98, "subsampling": "4:4:4"}
    data = saved(IMAGE, kind, exif=exif(orientation), **options.get(kind, {}))
    assert_close(shown(data), turned(orientation), LOSSY if kind in ("JPEG", "AVIF") else 0)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_exif_orientation_is_applied_to_what_pillow_decodes(orientation: int) -> None:
    data = saved(IMAGE.convert("RGBA"), "PNG", exif=exif(orientation))
    assert_close(shown(data), turned(orientation), 0)


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_an_orientation_that_does_not_exist_changes_nothing(orientation: int) -> None:
    assert_close(shown(saved(IMAGE, "PNG", exif=exif(orientation))), PICTURE, 0)


@pytest.mark.parametrize("name", ["letter", "receipt", "photo"])
def test_both_decoders_give_the_same_pixels(name: str) -> None:
    data = sample(name).data
    with Image.open(sample(name).path) as image:
        expected = np.asarray(image.convert("RGB"))
    assert_close(decode(data, 100_000_000)[..., ::-1], expected)


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_large_picture_is_decoded_in_little_more_than_its_own_memory(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "large"
    path.write_bytes(saved(Image.new("RGB", (6000, 4000), (200, 210, 220)), kind))
    for data in (path.read_bytes(), map_file(path)):
        header = read_header(data, 24_000_000)
        decode_page(data, header, 1, 24_000_000)  # what the decoder keeps for itself
        Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
        before = memory("VmRSS")
        pixels = decode_page(data, header, 1, 24_000_000).pixels
        assert memory("VmHWM") - before < 1.3 * pixels.nbytes
        del pixels


def memory(name: str) -> int:
    """Bytes of this process, as Linux names them."""
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(name))
    return int(line.split()[1]) * 1024


def test_rows_are_converted_in_strips_without_a_seam() -> None:
    tall = IMAGE.resize((WIDTH, 700)).convert("RGBA")
    assert_close(shown(saved(tall, "PNG")), np.asarray(tall)[..., :3], 0)
    deep = np.asarray(tall.convert("L")).astype(np.uint16) * 257
    assert_close(shown(tiff(deep)), np.asarray(tall.convert("L")), 0)
