"""Whatever the bytes: pixels or an error that names the image as the culprit, quietly and in bounded memory."""

import random
import struct
import warnings
import zlib

import numpy as np
import pytest
from PIL import Image

from ocr_engine.errors import InvalidImage, TooManyPixels, UnsupportedImage
from ocr_engine.image import decode_page, probe, read_header
from ocr_engine.image.header import PDF
from ocr_engine.image.headers.tiff import TiffReader
from samples import all_samples
from tests.unit.image.heic import HEIC, TURNED_HEIC
from tests.unit.image.images import GREY, IMAGE, LIMIT, decode, decode_all, exif, paged, png, saved
from tests.unit.image.test_image_probe import BROKEN, CLAIMS, LONG_WINDED

SMALL = IMAGE.convert("P")
PLAIN_PBM = b"P1\n# drawn\n64 48\n" + b"\n".join(b"".join(b"%d" % (value < 128) for value in row) for row in GREY)
PAGES = paged((IMAGE, {}), (IMAGE.rotate(90, expand=True), {"compression": "tiff_lzw"}), (SMALL, {}))
FILES = {
    "jpeg": saved(IMAGE, "JPEG", exif=exif(6)),
    "progressive jpeg": saved(IMAGE, "JPEG", progressive=True),
    "cmyk jpeg": saved(IMAGE.convert("CMYK"), "JPEG"),
    "png": saved(IMAGE, "PNG", exif=exif(6)),
    "palette png": saved(SMALL, "PNG", transparency=3),
    "16-bit png": saved(Image.fromarray(np.arange(3072, dtype=np.uint16).reshape(48, 64)), "PNG"),
    "animated png": saved(IMAGE, "PNG", save_all=True, append_images=[IMAGE.rotate(90)]),
    "webp": saved(IMAGE, "WEBP", exif=exif(6)),
    "lossless webp": saved(IMAGE.convert("RGBA"), "WEBP", lossless=True),
    "animated webp": saved(IMAGE, "WEBP", save_all=True, append_images=[IMAGE.rotate(90)]),
    "bmp": saved(IMAGE, "BMP"),
    "1-bit bmp": saved(IMAGE.convert("1"), "BMP"),
    "gif": saved(SMALL, "GIF", transparency=3),
    "animated gif": saved(SMALL, "GIF", save_all=True, append_images=[SMALL.rotate(90)]),
    "tiff": saved(IMAGE, "TIFF"),
    "lzw tiff": saved(IMAGE, "TIFF", compression="tiff_lzw"),
    "jpeg tiff": saved(IMAGE, "TIFF", compression="jpeg"),
    "deflate tiff": saved(IMAGE, "TIFF", compression="tiff_adobe_deflate"),
    "tiff of three pages": PAGES,
    "avif": saved(IMAGE, "AVIF", exif=exif(6)),
    "animated avif": saved(IMAGE, "AVIF", save_all=True, append_images=[IMAGE.rotate(90)]),
    "jpeg 2000": saved(IMAGE, "JPEG2000"),
    "jpeg 2000 codestream": saved(IMAGE, "JPEG2000", no_jp2=True),
    "heic": HEIC,
    "turned heic": TURNED_HEIC,
    "raw ppm": saved(IMAGE, "PPM"),
    "raw pbm": saved(IMAGE.convert("1"), "PPM"),
    "plain pbm": PLAIN_PBM,
    "fax tiff": saved(IMAGE.convert("1"), "TIFF", compression="group4"),
}
SUSPECT = CLAIMS | BROKEN | LONG_WINDED


def decoded(data: bytes) -> np.ndarray | None:
    """The first page, or None where a page is refused as it should be; any other error fails the test."""
    refusal: str | None = None
    try:
        pixels, *_ = decode_all(data, LIMIT)
    except InvalidImage as error:
        refusal = error.detail
    if refusal is not None:
        assert 0 < len(refusal) < 200
        assert "0x" not in refusal  # no address of an object that nobody knows
        return None
    info = probe(data, LIMIT)
    # what libheif cuts out of a damaged file may differ from what the header says, within the limit
    assert pixels.shape == (info.height, info.width, 3) or info.media_type == "image/heic"
    assert pixels.shape[0] * pixels.shape[1] <= LIMIT
    assert pixels.dtype == np.uint8
    return pixels


def damaged(data: bytes) -> bool:
    return decode_page(data, read_header(data, LIMIT), 1, LIMIT).warnings == ("damaged",)


def test_a_jpeg_of_endless_scans_is_refused_before_it_is_decoded() -> None:
    data = FILES["progressive jpeg"]
    scan = data.rindex(b"\xff\xda")
    assert decoded(data[:-2] + data[scan:-2] * 80 + data[-2:]) is not None
    assert decoded(data[:-2] + data[scan:-2] * 101 + data[-2:]) is None


def test_scans_behind_the_end_of_a_jpeg_do_not_count() -> None:
    assert decoded(FILES["progressive jpeg"] * 50) is not None


@pytest.mark.parametrize(("kind", "most"), [(b"tEXt", 900), (b"IDAT", 65_000)])
def test_a_png_of_endless_chunks_is_refused_before_it_is_decoded(kind: bytes, most: int) -> None:
    chunk = struct.pack(">I", 0) + kind + struct.pack(">I", zlib.crc32(kind))
    data = FILES["png"]
    at = data.index(b"IDAT") - 4
    assert decode(data[:at] + chunk * most + data[at:], LIMIT) is not None
    with pytest.raises(InvalidImage, match="chunks"):
        decode(data[:at] + chunk * (most + 1000) + data[at:], LIMIT)


def test_what_lies_behind_the_last_row_of_a_large_png_is_not_unfolded() -> None:
    rows = [*[bytes(16)] * 7, random.Random(1).randbytes(600_000)]  # grey with alpha, which libpng is not given
    assert decode(png(rows, 8, 8, 4), LIMIT) is not None


@pytest.mark.parametrize("data", FILES.values(), ids=FILES)
def test_a_truncated_file_is_refused_or_whole(data: bytes) -> None:
    whole = decode(data, LIMIT)
    for cut in {*range(0, len(data), max(1, len(data) // 60)), *range(max(0, len(data) - 30), len(data))}:
        pixels = decoded(data[:cut])
        # what is cut off may be a later frame or the mark of the end; a part of the picture in a JPEG only, and told
        assert pixels is None or np.array_equal(pixels, whole) or damaged(data[:cut])


@pytest.mark.parametrize("data", FILES.values(), ids=FILES)
def test_random_bytes_in_a_file_do_no_harm(data: bytes) -> None:
    chance = random.Random(2026)
    for _ in range(120):
        mutated = bytearray(data)
        reach = chance.choice([len(data), min(len(data), 64), min(len(data), 300)])
        for _ in range(chance.choice([1, 2, 5, 20])):
            mutated[chance.randrange(reach)] = chance.randrange(256)
        decoded(bytes(mutated))


@pytest.mark.parametrize("data", SUSPECT.values(), ids=SUSPECT)
def test_what_probe_refuses_is_refused_by_decode(data: bytes) -> None:
    try:
        probe(data, LIMIT)
    except InvalidImage as error:
        with pytest.raises(type(error)):
            decode(data, LIMIT)
    else:
        decoded(data)


def test_random_bytes_behind_every_magic_number_do_no_harm() -> None:
    chance = random.Random(2026)
    for name, data in FILES.items():
        for _ in range(20 if "pbm" not in name and "ppm" not in name else 0):  # whose pixels may be any bytes
            assert decoded(data[: chance.choice([8, 16, 40])] + chance.randbytes(2000)) is None


@pytest.mark.parametrize("tail", [b"%PDF-1.7\n", b"<script>alert(1)</script>", b"PK\x03\x04" + bytes(100)])
@pytest.mark.parametrize("name", ["jpeg", "png", "webp", "bmp", "gif", "tiff"])
def test_what_follows_the_image_is_ignored(name: str, tail: bytes) -> None:
    whole = decode(FILES[name], LIMIT)
    assert np.array_equal(decode(FILES[name] + tail, LIMIT), whole)


def test_an_image_behind_another_magic_number_is_refused() -> None:
    for name, data in FILES.items():
        with pytest.raises(UnsupportedImage):
            decode(b"{\\rtf1\n" + data, LIMIT)
        assert probe(b"%PDF-1.7\n" + data, LIMIT).media_type == PDF
        if "gif" not in name:
            assert decoded(b"GIF89a" + data) is None


def test_a_png_chunk_that_claims_gigabytes_allocates_none() -> None:
    data = FILES["png"]
    claim = data[:33] + (2**31 - 1).to_bytes(4, "big") + data[37:]
    assert decoded(claim) is None


def test_compressed_text_in_a_png_is_not_unpacked_without_end() -> None:
    bomb = b"k\0\0" + zlib.compress(bytes(50_000_000), 9)
    assert decoded(png([b"\0" * 8], 8, 8, 3, PLTE=bytes(6), zTXt=bomb)) is None


def test_a_later_size_that_breaks_the_limit_is_too_many_pixels() -> None:
    gif = bytearray(saved(SMALL, "GIF"))
    gif[6:10] = b"\1\0\1\0"
    with pytest.raises(TooManyPixels):
        decode(bytes(gif), IMAGE.width * IMAGE.height - 1)


def test_a_damaged_page_is_named_after_those_before_it() -> None:
    width = TiffReader(PAGES).directories(3)[2] + 2  # the first entry: its tag, type, count and value in 12 bytes
    pages = decode_all(PAGES[:width] + bytes(12) + PAGES[width + 12 :], LIMIT)
    assert [next(pages).shape, next(pages).shape] == [(48, 64, 3), (64, 48, 3)]
    with pytest.raises(InvalidImage, match="page 3 of the TIFF image is damaged"):
        next(pages)


def test_pages_that_were_cut_off_are_missed_at_once() -> None:
    with pytest.raises(InvalidImage, match="page 3 of the TIFF image is cut off"):
        probe(PAGES[: TiffReader(PAGES).directories(3)[2]], LIMIT)


def test_the_limit_holds_for_every_page() -> None:
    pages = decode_all(paged((IMAGE.resize((8, 6)), {}), (IMAGE, {})), 48)
    assert next(pages).shape == (6, 8, 3)
    with pytest.raises(TooManyPixels, match="page 2 of the TIFF image has more than 48 pixels"):
        next(pages)


def test_the_limit_is_ours_alone_and_pillows_is_left_as_it_was() -> None:
    before, filters = Image.MAX_IMAGE_PIXELS, list(warnings.filters)
    decode(FILES["palette png"], IMAGE.width * IMAGE.height)
    with pytest.raises(InvalidImage):
        decode(FILES["tiff"][:-1], LIMIT)
    assert before == Image.MAX_IMAGE_PIXELS
    assert filters == warnings.filters


def test_more_than_pillows_own_limit_is_decoded_where_ours_allows_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    assert decode(FILES["palette png"], LIMIT).shape == (48, 64, 3)


def test_nothing_is_written_to_stderr(capfd: pytest.CaptureFixture[str]) -> None:
    chance = random.Random(7)
    for data in FILES.values():
        for _ in range(10):
            mutated = bytearray(data)
            mutated[chance.randrange(len(data))] ^= 0xFF
            decoded(bytes(mutated))
    assert capfd.readouterr().err == ""


def test_every_sample_is_decoded_as_probed() -> None:
    for each in all_samples():
        info = probe(each.data, 20_000_000)
        assert decode(each.data, 20_000_000).shape == (info.height, info.width, 3)
