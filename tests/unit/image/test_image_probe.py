"""What `probe` says, and that it says so from the header alone."""

import math
import struct
import subprocess
import sys
from typing import Any, Literal

import numpy as np
import pytest
from PIL import Image

from config.environment import from_environment
from config.settings import SettingsError
from ocr_engine.errors import InvalidImage, TooManyPages, TooManyPixels, UnsupportedImage
from ocr_engine.image import MEDIA_TYPES, probe
from ocr_engine.image.header import MAX_STEPS, PDF
from ocr_engine.image.probing import accepted
from ocr_engine.result import ImageInfo
from samples import sample
from tests.unit.image.heic import HEIC, TURNED_HEIC
from tests.unit.image.images import GREY, HEIGHT, IMAGE, LIMIT, WIDTH, decode, exif, paged, png, png_chunk, saved, tiff

KINDS = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp", "BMP": "image/bmp"}
KINDS |= {"TIFF": "image/tiff", "GIF": "image/gif", "AVIF": "image/avif", "JPEG2000": "image/jp2"}
KINDS |= {"PPM": "image/x-portable-anymap"}
HUGE = 2**31 - 1


@pytest.mark.parametrize("kind", KINDS)
def test_it_says_type_and_size(kind: str) -> None:
    data = saved(IMAGE, kind)
    info = ImageInfo(media_type=KINDS[kind], width=WIDTH, height=HEIGHT, frames=1, size=len(data))
    assert probe(data, LIMIT) == info


def test_these_types_are_all() -> None:
    assert set(MEDIA_TYPES) == {*KINDS.values(), "image/heic", "application/pdf"}


@pytest.mark.parametrize(("data", "size"), [(HEIC, (WIDTH, HEIGHT)), (TURNED_HEIC, (HEIGHT, WIDTH))])
def test_a_photo_of_a_phone_says_its_size_as_shown(data: bytes, size: tuple[int, int]) -> None:
    info = probe(data, LIMIT)
    assert (info.media_type, info.width, info.height) == ("image/heic", *size)


def test_a_heic_without_its_extra_is_refused_by_the_name_of_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pi_heif", None)  # as if it were not installed
    with pytest.raises(UnsupportedImage, match=r"extra `heic`"):
        probe(HEIC, LIMIT)
    with pytest.raises(UnsupportedImage) as refused:
        probe(b"hello", LIMIT)
    assert "HEIC" not in refused.value.detail


@pytest.mark.parametrize("before", [0, 2, 1024])
def test_of_a_pdf_only_the_type_is_known(before: int) -> None:
    data = bytes(before) + b"%PDF-1.7\n" + bytes(5000)
    assert probe(data, LIMIT) == ImageInfo(media_type=PDF, width=0, height=0, frames=0, size=len(data))
    with pytest.raises(UnsupportedImage):
        probe(bytes(1025) + data[before:], LIMIT)


@pytest.mark.parametrize("stray", [b"\n", b"\r\n", b"\xef\xbb\xbf", bytes(4)])
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "GIF", "AVIF", "JPEG2000"])
def test_a_stray_byte_before_the_header_is_passed_over(kind: str, stray: bytes) -> None:
    data = saved(IMAGE, kind)
    assert probe(stray + data, LIMIT).media_type == KINDS[kind]
    assert np.array_equal(decode(stray + data, LIMIT), decode(data, LIMIT))
    with pytest.raises(UnsupportedImage):
        probe(bytes(5) + data, LIMIT)


@pytest.mark.parametrize("kind", ["avif", "heic"])
def test_a_picture_that_is_cut_off_is_refused_by_its_boxes(kind: str) -> None:
    data = HEIC if kind == "heic" else saved(IMAGE, "AVIF")
    with pytest.raises(InvalidImage, match="cut off"):
        probe(data[:-1], LIMIT)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_width_and_height_are_those_of_the_image_as_shown(kind: str, orientation: int) -> None:
    info = probe(saved(IMAGE, kind, exif=exif(orientation)), LIMIT)
    assert (info.width, info.height) == ((HEIGHT, WIDTH) if orientation >= 5 else (WIDTH, HEIGHT))


@pytest.mark.parametrize(
    "options", [{}, {"lossless": True}, {"exif": exif(1)}, {"save_all": True, "append_images": []}]
)
@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_every_form_of_webp_says_its_size(mode: str, options: dict[str, object]) -> None:
    info = probe(saved(IMAGE.convert(mode), "WEBP", **options), LIMIT)
    assert (info.width, info.height) == (WIDTH, HEIGHT)


@pytest.mark.parametrize("order", ["<", ">"])
def test_both_byte_orders_of_tiff_are_read(order: Literal["<", ">"]) -> None:
    info = probe(tiff(GREY, order), LIMIT)
    assert (info.width, info.height) == (WIDTH, HEIGHT)


def test_a_big_tiff_says_its_size() -> None:
    info = probe(saved(IMAGE, "TIFF", big_tiff=True), LIMIT)
    assert (info.width, info.height, info.frames) == (WIDTH, HEIGHT, 1)


@pytest.mark.parametrize("height", [HEIGHT, -HEIGHT])
def test_a_bitmap_may_start_with_its_top_row(height: int) -> None:
    data = bytearray(saved(IMAGE, "BMP"))
    data[22:26] = struct.pack("<i", height)
    assert probe(bytes(data), LIMIT).height == HEIGHT


def test_a_bitmap_may_have_the_oldest_header() -> None:
    data = b"BM" + bytes(12) + struct.pack("<IHHHH", 12, WIDTH, HEIGHT, 1, 24)
    assert probe(data, LIMIT).width == WIDTH


def test_a_gif_is_as_large_as_its_first_frame() -> None:
    data = bytearray(saved(IMAGE.convert("P"), "GIF"))
    data[6:10] = struct.pack("<HH", 1, 1)
    assert (probe(bytes(data), LIMIT).width, probe(bytes(data), LIMIT).height) == (WIDTH, HEIGHT)


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (b"", "empty"),
        (b"hello", "no image"),
        (b"BMW builds cars, and this is a text of some length", "no image"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG"),
        (b"\xef\xbb\xbf<?xml version='1.0'?><svg/>", "SVG"),
        (b"<!DOCTYPE html><img src=x>", "HTML"),
        (b"\0\0\0\x18ftypisom\0\0\0\0mp41isom", "video"),
        (b"\xff\x0a\xfa\x0f", "JPEG XL"),
        (b"\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL"),
        (b"8BPS\0\1", "Photoshop"),
        (b"PK\3\4", "Office"),
        (b"%!PS-Adobe-3.0", "PostScript"),
        (b"RIFF\x24\0\0\0WAVEfmt ", "no image"),
        (b"P6, a road in Wales", "no image"),
        (b"\xff\xd8", "no image"),
        (bytes(10_000), "no image"),
    ],
)
def test_what_is_no_accepted_type_is_refused_by_name(data: bytes, word: str) -> None:
    with pytest.raises(UnsupportedImage) as refused:
        probe(data, LIMIT)
    assert word in refused.value.detail
    assert refused.value.detail.endswith(f"; {accepted()}")
    assert "save it as PNG" in refused.value.detail or word in ("empty", "no image")


CLAIMS = {
    "png of 79 bytes": png([b"\0" * 4], HUGE, 8, 2)[:79].ljust(79, b"\0"),
    "jpeg": b"\xff\xd8\xff\xc0\0\x11\x08" + struct.pack(">HH", 65535, 65535) + b"\x03" + bytes(9) + b"\xff\xda",
    "webp": b"RIFF\x16\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0" + b"\xff" * 6,
    "bmp": b"BM" + bytes(12) + struct.pack("<Iii", 40, HUGE, HUGE),
    "tiff": tiff(GREY, t256=HUGE),
    "gif": b"GIF89a" + struct.pack("<HHBBB", 65535, 65535, 0, 0, 0) + b"," + bytes(10) + b";",
    "avif": saved(IMAGE, "AVIF").replace(struct.pack(">II", WIDTH, HEIGHT), struct.pack(">II", 60000, 60000)),
    "heic": HEIC.replace(struct.pack(">II", 64, 64), struct.pack(">II", 60000, 60000)).replace(b"clap", b"clop"),
    "jp2": saved(IMAGE, "JPEG2000").replace(struct.pack(">II", HEIGHT, WIDTH), struct.pack(">II", 60000, 60000)),
    "jpeg 2000 codestream": saved(IMAGE, "JPEG2000").replace(
        struct.pack(">II", WIDTH, HEIGHT), struct.pack(">II", 60000, 60000), 1
    ),
    "ppm": b"P6 60000 60000 255\n" + bytes(100),
}


@pytest.mark.parametrize("data", CLAIMS.values(), ids=CLAIMS)
def test_more_pixels_than_the_limit_are_refused_by_the_header(data: bytes) -> None:
    with pytest.raises(TooManyPixels, match=str(LIMIT)):
        probe(data, LIMIT)


def test_the_limit_itself_is_accepted() -> None:
    data = saved(IMAGE, "PNG")
    assert probe(data, WIDTH * HEIGHT).width == WIDTH
    with pytest.raises(TooManyPixels):
        probe(data, WIDTH * HEIGHT - 1)


@pytest.mark.parametrize(
    ("data", "share"),
    [
        (saved(IMAGE, "JPEG2000"), 20),
        (saved(IMAGE, "AVIF"), 14),
        (HEIC, 10.5),
        (saved(Image.new("RGBA", (WIDTH, HEIGHT), (0, 0, 0, 128)), "WEBP", lossless=True), 17),
        (saved(IMAGE.convert("CMYK"), "JPEG", progressive=True), 13),
        (saved(IMAGE, "JPEG", progressive=True, subsampling=0), 11),
        (saved(Image.new("RGBA", (WIDTH, HEIGHT)), "BMP"), 11.5),
        (saved(IMAGE, "BMP"), 10.5),
        (saved(IMAGE, "PPM"), 10.5),
        (b"P6 # of two bytes\n%d %d # and\n65535\n" % (WIDTH, HEIGHT) + bytes(6 * WIDTH * HEIGHT), 16.5),
        (b"P2 %d %d 256\n" % (WIDTH, HEIGHT) + b"7 " * WIDTH * HEIGHT, 16.5),
    ],
)
def test_what_takes_more_memory_to_decode_may_have_fewer_pixels(data: bytes, share: float) -> None:
    pixels = WIDTH * HEIGHT
    assert probe(data, math.ceil(pixels * share / 8)).width == WIDTH
    with pytest.raises(TooManyPixels, match=f"{share} bytes of memory each; the limit is"):
        probe(data, math.ceil(pixels * share / 8) - 1)


def test_the_pixels_of_all_pages_together_have_a_bound() -> None:
    """A few bytes of fax each, and a worker is at them for minutes."""
    blank = Image.new("1", (4000, 4000), 1)
    data = paged(*[(blank, {"compression": "group4"})] * 45)
    assert len(data) < 80_000
    assert probe(data, 20_000_000).frames == 45
    with pytest.raises(TooManyPixels, match="720000000 pixels together; the limit is 640000000"):
        probe(data, 16_000_000)


BROKEN = {
    "jpeg without a frame": b"\xff\xd8\xff\xd9",
    "jpeg of junk": b"\xff\xd8\xff" + bytes(1_000_000) + saved(IMAGE, "JPEG")[2:],
    "jpeg of junk between segments": b"\xff\xd8\xff\xe2\0\x02"
    + (bytes(40_000) + b"\xff\xe2\0\x02") * 2
    + saved(IMAGE, "JPEG")[2:],
    "jpeg without a height": b"\xff\xd8\xff\xc0\0\x11\x08\0\0\0\x10\x03" + bytes(9) + b"\xff\xda",
    "png without a width": png([b""], 0, 8, 0),
    "png with a wrong checksum": saved(IMAGE, "PNG")[:20] + b"\xff" + saved(IMAGE, "PNG")[21:],
    "png of the magic number": saved(IMAGE, "PNG")[:8],
    "webp cut off": saved(IMAGE, "WEBP")[:-10],
    "webp of another chunk": b"RIFF\x20\0\0\0WEBPABCD" + bytes(40),
    "bmp of negative width": b"BM" + bytes(12) + struct.pack("<Iii", 40, -4, 4),
    "bmp cut off": saved(IMAGE, "BMP")[:20],
    "tiff that points out of the file": b"II*\0\xff\xff\xff\xff",
    "tiff without a size": b"II*\0\x08\0\0\0\0\0\0\0\0\0",
    "gif without a frame": b"GIF89a" + struct.pack("<HHBBB", 4, 4, 0, 0, 0) + b";",
    "gif cut off": saved(IMAGE, "GIF")[:100],
    "avif without a picture": saved(IMAGE, "AVIF").replace(b"meta", b"free"),
    "jp2 without a codestream": saved(IMAGE, "JPEG2000").replace(b"jp2c", b"free"),
    "ppm without a height": b"P6 4 #" + bytes(100),
}


@pytest.mark.parametrize("data", BROKEN.values(), ids=BROKEN)
def test_a_broken_header_is_an_invalid_image(data: bytes) -> None:
    with pytest.raises(InvalidImage) as refused:
        probe(data, LIMIT)
    assert type(refused.value) is InvalidImage


def _many_frames_gif() -> bytes:
    frame = b"," + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\0"
    return b"GIF89a" + struct.pack("<HHBBB", 1, 1, 0x80, 0, 0) + bytes(6) + frame * 100_000 + b";"


def _many_pages_tiff() -> bytes:
    entries = struct.pack("<HHIIHHII", 256, 4, 1, 1, 257, 4, 1, 1)
    pages = [struct.pack("<H", 2) + entries + struct.pack("<I", 8 + 30 * (page + 1)) for page in range(10_000)]
    return b"II*\0\x08\0\0\0" + b"".join(pages)


LONG_WINDED = {
    "gif of 100 000 frames": _many_frames_gif(),
    "gif of empty extensions": b"GIF89a" + struct.pack("<HHBBB", 1, 1, 0, 0, 0) + b"!\xfe\0" * 1_000_000,
    "gif of junk": b"GIF89a" + struct.pack("<HHBBB", 1, 1, 0, 0, 0) + bytes(1_000_000),
    "tiff of 10 000 pages": _many_pages_tiff(),
    "tiff of 65 535 tags": b"II*\0\x08\0\0\0\xff\xff" + struct.pack("<HHII", 300, 4, 1, 1) * 65535,
    "tiff whose pages form a ring": b"II*\0\x08\0\0\0" + _many_pages_tiff()[8:34] + struct.pack("<I", 8),
    "png of empty chunks": saved(IMAGE, "PNG")[:33] + png_chunk("tEXt", b"") * 100_000,
    "png that claims 4 billion frames": png([b"\0"], 1, 8, 0, acTL=struct.pack(">II", 2**32 - 1, 0)),
    "jpeg of empty segments": b"\xff\xd8" + b"\xff\xe2\0\x02" * 1_000_000,
    "avif of empty boxes": saved(IMAGE, "AVIF")[:32] + struct.pack(">I4s", 8, b"free") * 100_000,
    "ppm of comments": b"P6 " + b"#\n" * 500_000,
    "jpeg of fill bytes": b"\xff\xd8" + b"\xff" * 1_000_000,
}


def test_more_pages_than_the_limit_are_refused() -> None:
    data = paged(*[(IMAGE, {})] * 3)
    assert probe(data, LIMIT, 3).frames == 3
    with pytest.raises(TooManyPages, match=r"3 pages; the limit is 2"):
        probe(data, LIMIT, 2)


def test_pages_without_an_end_are_refused_rather_than_lost() -> None:
    with pytest.raises(TooManyPages, match="more than 2000 pages"):
        probe(_many_pages_tiff(), LIMIT)


def test_no_more_pages_can_be_allowed_than_are_looked_for() -> None:
    assert from_environment({"MAX_IMAGE_PAGES": str(MAX_STEPS)}).max_image_pages == MAX_STEPS
    with pytest.raises(SettingsError, match="MAX_IMAGE_PAGES"):
        from_environment({"MAX_IMAGE_PAGES": str(MAX_STEPS + 1)})


@pytest.mark.parametrize("data", LONG_WINDED.values(), ids=LONG_WINDED)
def test_the_work_is_bounded_whatever_the_file_claims(data: bytes) -> None:
    steps = 0

    def count(*_: object) -> Any:
        nonlocal steps
        steps += 1
        return count

    sys.settrace(count)
    try:
        info: ImageInfo | None = probe(data, LIMIT)
    except InvalidImage:
        info = None
    finally:
        sys.settrace(None)
    assert steps < 100_000  # lines of Python, over files that would take millions
    assert info is None or 1 <= info.frames <= 2000


def test_probing_needs_no_decoder() -> None:
    """The process that serves HTTP imports `probe`; it must not carry OpenCV for it."""
    code = "import sys; from ocr_engine.image import probe; print('cv2' in sys.modules, 'PIL' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]


def test_the_turned_sample_is_wide() -> None:
    info = probe(sample("turned").data, LIMIT)
    assert info.width > info.height
