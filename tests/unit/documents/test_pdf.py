"""A PDF's pages look as a viewer shows them, at the scale that their print needs, and what is broken says so."""

import io
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pikepdf
import pytest
from numpy.typing import NDArray
from pikepdf import Array, Dictionary, Name, Permissions
from PIL import Image

from ocr_engine.document.document import Document
from ocr_engine.document.opening import open_document
from ocr_engine.document.pdf.file import MAX_PAGES_OPEN, PdfFile
from ocr_engine.errors import InvalidDocument, NoSuchPage, PageTooCostly, PasswordRequired, TooManyPixels
from ocr_engine.image.page_image import PageImage
from ocr_engine.options import EngineOptions, ReadOptions
from tests.pdfs import A4, Leaf, Picture, pdf, scan, text, text_field, typed

LIMITS = EngineOptions(max_pixels=10_000_000)
NOISE = np.random.default_rng(1).integers(0, 256, (1100, 850, 3), np.uint8)


@contextmanager
def opened(data: bytes, password: str = "") -> Iterator[Document]:
    document = open_document(data, ReadOptions(password=password), LIMITS)
    yield document
    document.close()


def drawn(data: bytes, number: int = 1) -> PageImage:
    with opened(data) as document:
        return document.draw(number)


def ink(pixels: NDArray[np.uint8]) -> int:
    return int((pixels < 128).all(axis=2).sum())


def test_a_scan_is_taken_pixel_by_pixel() -> None:
    page = drawn(pdf(scan(NOISE)))
    assert page.dpi == 100
    assert np.array_equal(page.pixels[..., ::-1], NOISE)


def test_a_scan_whose_page_is_no_whole_number_of_pixels_keeps_its_size() -> None:
    smooth = np.repeat(np.repeat(NOISE[:30, :30], 50, axis=0), 50, axis=1)[:1169, :827]
    page = drawn(pdf(scan(smooth, A4)))
    assert page.pixels.shape == smooth.shape
    assert np.abs(page.pixels[..., ::-1].astype(int) - smooth).mean() < 4


@pytest.mark.parametrize(("rotate", "turns"), [(90, -1), (180, 2), (270, 1)])
def test_a_page_is_turned_as_it_says(rotate: int, turns: int) -> None:
    page = drawn(pdf(scan(NOISE, rotate=rotate)))
    assert np.array_equal(page.pixels[..., ::-1], np.rot90(NOISE, turns))


def test_an_earlier_ocrs_invisible_text_does_not_change_how_a_scan_is_drawn() -> None:
    leaf = scan(NOISE)
    hidden = Leaf(content=leaf.content + text("hidden", points=3, mode=3), pictures=leaf.pictures)
    assert np.array_equal(drawn(pdf(hidden)).pixels[..., ::-1], NOISE)


def test_only_what_the_crop_box_shows_is_drawn() -> None:
    page = drawn(pdf(scan(NOISE, crop=(72, 144, 288, 576))))
    assert page.pixels.shape == (600, 300, 3)
    assert np.array_equal(page.pixels[..., ::-1], NOISE[300:900, 100:400])


@pytest.mark.parametrize(("points", "dpi"), [(12, 200), (3, 240), (1, 300)])
def test_print_is_drawn_by_its_smallest_letters(points: float, dpi: float) -> None:
    leaf = Leaf(content=text("a heading", points=40) + text("the small print " * 4, points=points, top=400))
    assert drawn(pdf(leaf)).dpi == dpi


def test_a_superscript_does_not_decide_for_the_page() -> None:
    leaf = Leaf(content=text("a line of many words " * 3, "and another one " * 3) + text("2", points=2, top=400))
    assert drawn(pdf(leaf)).dpi == 200


def test_a_scan_with_a_stamp_keeps_the_scans_resolution() -> None:
    fine = np.full((2475, 1912, 3), 255, np.uint8)  # 225 dpi
    leaf = scan(fine)
    stamped = Leaf(content=leaf.content + text("EXHIBIT 7", points=14), pictures=leaf.pictures)
    assert drawn(pdf(stamped)).dpi == pytest.approx(225, abs=0.2)


def test_filled_in_fields_and_annotations_are_drawn() -> None:
    assert ink(drawn(pdf(Leaf(), form=[text_field("Jane Doe")])).pixels) > 200
    square = Dictionary(
        Type=Name.Annot, Subtype=Name.Square, Rect=Array([100, 100, 200, 200]), C=Array([0, 0, 0]), IC=Array([0, 0, 0])
    )
    assert ink(drawn(pdf(Leaf(more={"Annots": Array([square])}))).pixels) > 1000
    assert ink(drawn(pdf(Leaf())).pixels) == 0


def test_an_encrypted_file_opens_by_its_password_only() -> None:
    encryption = pikepdf.Encryption(owner="owner", user="opensesame")
    data = pdf(typed("secret"), encryption=encryption)
    with pytest.raises(PasswordRequired, match="send its password"), opened(data):
        pass
    with pytest.raises(PasswordRequired, match="wrong") as refused, opened(data, "guess"):
        pass
    assert "guess" not in refused.value.detail
    for password in ("opensesame", "owner"):
        with opened(data, password) as document:
            assert ink(document.draw(1).pixels) > 100


def test_a_file_whose_password_is_empty_opens_by_itself() -> None:
    encryption = pikepdf.Encryption(owner="owner", user="", allow=Permissions(extract=False))
    assert ink(drawn(pdf(typed("not secret"), encryption=encryption)).pixels) > 100


def test_many_pages_are_drawn_in_any_order_though_the_file_is_opened_anew() -> None:
    data = pdf(*(typed("I" * number, size=(300, 800)) for number in range(1, 41)))
    with opened(data) as document:
        assert document.info.pages == 40
        amounts = {number: ink(document.draw(number).pixels) for number in (40, *range(1, 40, 2), *range(2, 40, 2))}
    assert sorted(amounts, key=lambda number: amounts[number]) == list(range(1, 41))
    assert MAX_PAGES_OPEN < 40


@pytest.mark.parametrize("before", [b"\n", b"\xef\xbb\xbf", bytes(1000)])
def test_what_stands_before_the_header_does_no_harm(before: bytes) -> None:
    assert ink(drawn(before + pdf(typed("found"))).pixels) > 100


def test_a_file_that_has_lost_its_end_is_mended() -> None:
    data = pdf(typed("one"), typed("two"), object_stream_mode=pikepdf.ObjectStreamMode.disable)
    with opened(data[: data.rindex(b"xref") - 10]) as document:
        assert [ink(document.draw(number).pixels) > 50 for number in (1, 2)] == [True, True]


@pytest.mark.parametrize("data", [b"%PDF-1.7\n", b"%PDF-1.7\n" + bytes(5000), pdf(typed("x"))[:200]])
def test_a_broken_file_is_an_invalid_document_in_plain_words(data: bytes) -> None:
    with pytest.raises(InvalidDocument, match=r"the PDF cannot be opened: it is damaged|no pages"), opened(data):
        pass


def test_a_bad_page_fails_alone() -> None:
    with pikepdf.open(io.BytesIO(pdf(typed("one"), typed("two"), typed("three")))) as document:
        document.Root.Pages.Kids[1] = document.make_indirect(Dictionary(Type=Name.Nothing))
        document.Root.Pages.Count = 3
        file = io.BytesIO()
        document.save(file)
    with opened(file.getvalue()) as found:
        assert [ink(found.draw(number).pixels) > 50 for number in (1, 3)] == [True, True]
        with pytest.raises(InvalidDocument, match="page 2 of the PDF"):
            found.draw(2)


def test_there_is_no_page_beyond_the_last() -> None:
    with opened(pdf(typed("one"))) as document:
        for number in (0, 2, -1):
            with pytest.raises(NoSuchPage, match="there is no page"):
                document.draw(number)


def test_pages_that_a_pdf_only_says_it_has_fail_when_they_are_asked_for() -> None:
    data = pdf(typed("x"), object_stream_mode=pikepdf.ObjectStreamMode.disable)
    assert b"/Count 1" in data
    with opened(data.replace(b"/Count 1", b"/Count 1000000")) as document:
        assert document.info.pages == 1_000_000
        assert ink(document.draw(1).pixels) > 10
        for number in (2, 999_999, 1_000_000):
            with pytest.raises(InvalidDocument, match=f"page {number} of the PDF"):
                document.draw(number)


@pytest.mark.parametrize("size", [(0.0, 0.0), (1.0, 1.0), (14400.0, 14400.0), (1e9, 1e9), (1e7, 1.0)])
def test_a_page_of_any_size_is_drawn_within_the_limit(size: tuple[float, float]) -> None:
    pixels = drawn(pdf(typed("x", size=size))).pixels
    assert 0 < pixels.shape[0] * pixels.shape[1] <= LIMITS.max_pixels


BOMBS = {
    "rows of one bit": Picture(
        data=bytes(100), width=35_000, height=35_000, filter="/FlateDecode", bits=1, space="/DeviceGray"
    ),
    "a codestream that claims": Picture(data=bytes(100), width=60_000, height=60_000, filter="/JPXDecode"),
    "bilevel that claims": Picture(
        data=bytes(100), width=60_000, height=60_000, filter="/JBIG2Decode", bits=1, space="/DeviceGray"
    ),
}


@pytest.mark.parametrize("picture", BOMBS.values(), ids=BOMBS)
def test_a_picture_beyond_the_limit_is_refused_before_it_is_decoded(picture: Picture) -> None:
    leaf = Leaf(content=b"q 612 0 0 792 0 0 cm /P Do Q", pictures={"P": picture})
    with pytest.raises(TooManyPixels, match=f"picture of {picture.width} x {picture.height} pixels"):
        drawn(pdf(leaf))


def test_a_picture_that_cannot_be_decoded_is_no_blank_page() -> None:
    broken = Picture(data=b"no JPEG 2000", width=600, height=600, filter="/JPXDecode")
    leaf = Leaf(content=b"q 612 0 0 792 0 0 cm /P Do Q", pictures={"P": broken})
    with pytest.raises(InvalidDocument, match="a picture on page 1 of the PDF cannot be decoded"):
        drawn(pdf(leaf))
    blank = np.full((100, 100, 3), 255, np.uint8)
    assert ink(drawn(pdf(scan(blank))).pixels) == 0


def test_a_page_of_endless_strokes_ends() -> None:
    strokes = b"".join(b"%d %d m %d %d l S\n" % (n % 600, n % 700, n % 500, n % 300) for n in range(5_000))
    data = pdf(Leaf(content=strokes))
    hurried = PdfFile(io.BytesIO(data), "", LIMITS.max_pixels, max_draw_seconds=0.0)
    with pytest.raises(PageTooCostly, match="page 1 of the PDF takes longer than"):
        hurried.draw(1)
    hurried.close()
    assert ink(drawn(data).pixels) > 1000


def test_nested_forms_are_not_followed_without_end() -> None:
    with pikepdf.open(io.BytesIO(pdf(Leaf()))) as document:
        inner = document.make_stream(b"0 0 10 10 re f")
        inner.Type, inner.Subtype, inner.BBox = Name.XObject, Name.Form, Array([0, 0, 612, 792])
        for _ in range(12):
            outer = document.make_stream(b"/X Do /X Do")
            outer.Type, outer.Subtype, outer.BBox = Name.XObject, Name.Form, Array([0, 0, 612, 792])
            outer.Resources = Dictionary(XObject=Dictionary(X=inner))
            inner = outer
        document.pages[0].Resources = Dictionary(XObject=Dictionary(X=inner))
        document.pages[0].Contents = document.make_stream(b"/X Do")
        file = io.BytesIO()
        document.save(file)
    assert ink(drawn(file.getvalue()).pixels) > 100


def test_a_page_tree_that_bites_its_tail_ends() -> None:
    with pikepdf.open(io.BytesIO(pdf(typed("x"), typed("y")))) as document:
        document.Root.Pages.Kids[1] = document.Root.Pages
        file = io.BytesIO()
        document.save(file)
    with opened(file.getvalue()) as found:
        assert ink(found.draw(1).pixels) > 0
        with pytest.raises(NoSuchPage):
            found.draw(2)


def test_a_jpeg_2000_is_charged_for_the_memory_that_it_takes() -> None:
    """OpenJPEG keeps 32 bits of each sample: fewer pixels of it fit into a worker than of other pictures."""
    side = 2200
    pixels = Image.new("RGB", (side, side), "white")
    file = io.BytesIO()
    pixels.save(file, "JPEG2000", num_resolutions=1)  # else it is read at half its resolution
    content = b"q 612 0 0 792 0 0 cm /P Do Q"
    greedy = Picture(data=file.getvalue(), width=side, height=side, filter="/JPXDecode")
    assert side * side < LIMITS.max_pixels < side * side * 20 / 8
    with pytest.raises(TooManyPixels, match="20 bytes of memory each"):
        drawn(pdf(Leaf(content=content, pictures={"P": greedy})))
    modest = Picture(data=bytes(3 * side * side), width=side, height=side)
    assert drawn(pdf(Leaf(content=content, pictures={"P": modest}))).pixels.shape[1] == side
