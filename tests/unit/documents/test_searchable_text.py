"""The unseen text of a PDF is found whole, in order and on its print, by poppler, PDFium and pdf.js alike.

Each test holds a trap that one of the three fell into.
"""

import ctypes
import io
import math
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pikepdf
import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c
import pytest
from pikepdf import Array, Dictionary, Name
from PIL import Image

from ocr_engine.errors import PasswordRequired
from ocr_engine.formats import Source
from ocr_engine.options import EngineOptions, ReadOptions
from ocr_engine.result import OcrLine, OcrPage, OcrWord, Point, Polygon, Rotation
from ocr_engine.searchable.order import PdfOrder
from ocr_engine.searchable.writing import write_searchable_pdf
from tests.boxes import Box, overlap
from tests.pdf_readers import pieces, require_sound, texts, words
from tests.pdfs import Leaf, Picture, pdf, scan, text, typed

WIDTH, HEIGHT = 1240, 1754
"""A4 at 150 dpi."""
DPI = 150.0
PROSE = ("It was a bright cold day in April,", "and the clocks were striking thirteen;", "So I am at a loss.")
CHINESE = ("城市图书馆", "开放时间：上午九点至下午六点", "𠮷野家")
MANY = tuple("".join(chr(0x4E00 + 37 * (25 * row + i)) for i in range(25)) for row in range(10))
"""250 signs, more than fit into two blocks of a CMap."""
ACCENTS = ("Ça coûte à l'œuvre — naïve Ångström", "e\u0301te\u0301 a\u0308hnlich", "Ω ≈ ½ € 100 %")
ARABIC = ("مرحبا بالعالم", "السعر 1250 ريال")
HEBREW = ("שלום עולם", "מחיר 42.50 שקל")


def line(words_: Sequence[tuple[str, float]], top: float, height: float, *, turn: float = 0.0) -> OcrLine:
    """Words at their places along a line, `turn` degrees clockwise about (600, 800); the text is theirs by blanks."""
    told = tuple(OcrWord(word, 0.9, _box(left, top, _width(word, height), height, turn)) for word, left in words_)
    last, left = words_[-1]
    polygon = _box(words_[0][1], top, left + _width(last, height) - words_[0][1], height, turn)
    return OcrLine(text=" ".join(word for word, _ in words_), confidence=0.9, polygon=polygon, words=told)


def lines(*rows: str, height: float = 40, turn: float = 0.0, left: float = 100) -> tuple[OcrLine, ...]:
    """Rows of text below each other, their words apart by half their height."""
    made = []
    for number, row in enumerate(rows):
        at, placed = left, []
        for word in row.split():
            placed.append((word, at))
            at += _width(word, height) + height / 2
        made.append(line(placed, 200 + 2 * number * height, height, turn=turn))
    return tuple(made)


def from_the_right(*rows: str, height: float = 40) -> tuple[OcrLine, ...]:
    """Rows of a script that runs to the left: the first word furthest right."""
    made = []
    for number, row in enumerate(rows):
        at, placed = 900.0, []
        for word in row.split():
            at -= _width(word, height) + height / 2
            placed.append(OcrWord(word, 0.9, _box(at, 200 + 2 * number * height, _width(word, height), height, 0)))
        polygon = _box(at, 200 + 2 * number * height, 900 - at, height, 0)
        made.append(OcrLine(text=row, confidence=0.9, polygon=polygon, words=tuple(placed)))
    return tuple(made)


def _width(word: str, height: float) -> float:
    return sum(height if ord(each) > 0x2E80 else 0.0 if "\u0300" <= each < "\u0370" else 0.55 * height for each in word)


def _box(left: float, top: float, width: float, height: float, turn: float) -> Polygon:
    a, b = (left, top), (left + width, top)
    c, d = (left + width, top + height), (left, top + height)
    return _turned(a, turn), _turned(b, turn), _turned(c, turn), _turned(d, turn)


def _turned(point: Point, turn: float) -> Point:
    x, y, angle = point[0] - 600, point[1] - 800, math.radians(turn)
    return 600 + x * math.cos(angle) - y * math.sin(angle), 800 + x * math.sin(angle) + y * math.cos(angle)


def page(*told: OcrLine, number: int = 1, size: tuple[int, int] = (WIDTH, HEIGHT), rotation: Rotation = 0) -> OcrPage:
    return OcrPage(number=number, width=size[0], height=size[1], dpi=DPI, lines=told, rotation=rotation)


def sheet(*pages: OcrPage) -> bytes:
    """A TIFF with a blank picture for each page."""
    first, *others = [Image.new("1", (each.width, each.height), 1) for each in pages]
    file = io.BytesIO()
    first.save(file, "TIFF", save_all=True, append_images=others, compression="group4", dpi=(DPI, DPI))
    return file.getvalue()


def searchable(folder: Path, data: bytes, *pages: OcrPage, password: str = "", only: bool = False) -> Path:
    """The file that is written of these, sound by qpdf's word."""
    file, target = folder / "upload", folder / "searchable.pdf"
    file.write_bytes(data)
    options = ReadOptions(password=password)
    order = PdfOrder(file=file, pages=pages, target=target, options=options, source=Source(version="1"), only=only)
    write_searchable_pdf(order, EngineOptions())
    require_sound(target)
    return target


def flat(found: str) -> str:
    return " ".join(found.split())


def in_points(polygon: Polygon, scale: float = 72 / DPI) -> Box:
    xs, ys = zip(*polygon, strict=True)
    return min(xs) * scale, min(ys) * scale, max(xs) * scale, max(ys) * scale


def test_lines_are_found_whole_by_all_three_readers(tmp_path: Path) -> None:
    rows = (PROSE, CHINESE, MANY, ACCENTS)
    pages = [page(*lines(*each), number=number) for number, each in enumerate(rows, 1)]
    for reader, found in texts(searchable(tmp_path, sheet(*pages), *pages)).items():
        for told, seen in zip(rows, found, strict=True):
            for row in told:
                assert row in flat(seen), reader


@pytest.mark.parametrize("turn", [90, 180, 270])
def test_turned_text_keeps_its_letters_and_blanks_and_the_page_stands_upright(tmp_path: Path, turn: int) -> None:
    rotation: Rotation = 90 if turn == 270 else 180 if turn == 180 else 270
    made = page(*lines(*PROSE, *CHINESE), rotation=rotation)
    told = scanned_turned(made, turn)
    target = searchable(tmp_path, sheet(told), told)
    for reader, (found,) in texts(target).items():
        for row in (*PROSE, *CHINESE):
            assert row in flat(found), reader
    with pikepdf.open(target) as document:
        assert document.pages[0].obj.Rotate == rotation


def scanned_turned(made: OcrPage, turn: int) -> OcrPage:
    """The page as a scanner gives it that turned the paper by so many degrees clockwise."""

    def turned(polygon: Polygon) -> Polygon:
        a, b, c, d = (_quarter(point, made, turn) for point in polygon)
        return a, b, c, d

    told = tuple(
        OcrLine(
            text=each.text,
            confidence=each.confidence,
            polygon=turned(each.polygon),
            words=tuple(OcrWord(word.text, word.confidence, turned(word.polygon)) for word in each.words),
        )
        for each in made.lines
    )
    size = (made.width, made.height) if turn == 180 else (made.height, made.width)
    return page(*told, size=size, rotation=made.rotation)


def _quarter(point: Point, made: OcrPage, turn: int) -> Point:
    x, y = point
    return {90: (made.height - y, x), 180: (made.width - x, made.height - y), 270: (y, made.width - x)}[turn]


def test_words_lie_on_their_print(tmp_path: Path) -> None:
    made = page(*lines(*PROSE, *ACCENTS))
    found = words(searchable(tmp_path, sheet(made), made), 1)
    told = [word for each in made.lines for word in each.words]
    assert [text for text, _ in found] == [word.text for word in told]
    agreement = [overlap(box, in_points(word.polygon)) for (_, box), word in zip(found, told, strict=True)]
    assert min(agreement) > 0.95


@pytest.mark.parametrize("turn", [0.4, -1, 3, -7, 12])
def test_words_of_skewed_lines_stay_whole(tmp_path: Path, turn: float) -> None:
    made = page(*lines(*PROSE, turn=turn))
    target = searchable(tmp_path, sheet(made), made)
    told = [word.text for each in made.lines for word in each.words]
    assert sorted(text for text, _ in words(target, 1)) == sorted(told)
    for reader, (found,) in texts(target).items():
        assert sorted(found.split()) == sorted(told), reader


@pytest.mark.parametrize("turn", [1.5, -2])
def test_lines_of_a_photo_are_read_in_order_by_all_three_readers(tmp_path: Path, turn: float) -> None:
    made = page(*lines(*PROSE, turn=turn))
    target = searchable(tmp_path, sheet(made), made)
    for reader, (found,) in texts(target).items():
        assert flat(found) == " ".join(PROSE), reader
    told = [word for each in made.lines for word in each.words]
    shown = words(target, 1)
    for word in told:
        assert max(overlap(box, in_points(word.polygon)) for said, box in shown if said == word.text) > 0.4


def test_a_blank_stays_one_where_the_boxes_of_its_words_touch(tmp_path: Path) -> None:
    made = page(line([("Tickets", 100), ("from", 100 + _width("Tickets", 40)), ("six", 400)], 200, 40, turn=-4))
    for reader, (found,) in texts(searchable(tmp_path, sheet(made), made)).items():
        assert flat(found) == "Tickets from six", reader


def test_words_that_run_to_the_left_are_found_with_their_numbers(tmp_path: Path) -> None:
    """As they are read by PDFium; pdf.js gives a line's words as they stand, poppler sets a number into marks."""
    pages = [page(*from_the_right(*rows), number=number) for number, rows in enumerate((ARABIC, HEBREW), 1)]
    found = texts(searchable(tmp_path, sheet(*pages), *pages))
    for number, rows in enumerate((ARABIC, HEBREW)):
        assert flat(found["PDFium"][number]) == " ".join(rows)
        wanted = sorted(" ".join(rows).split())
        assert sorted(found["pdf.js"][number].split()) == wanted
        assert sorted(re.sub("[\u200e-\u202e]", " ", found["poppler"][number]).split()) == wanted


def test_words_lie_on_their_print_whatever_the_pdf_has_turned_and_cropped(tmp_path: Path) -> None:
    crop = (30, 50, 530, 750)  # 500 by 700 points of a page that is shown turned
    rows, turns, made = ("Some words lie", "on their own print"), (0, 90, 180, 270), []
    for number, rotate in enumerate(turns, 1):
        wide, high = (700, 500) if rotate in (90, 270) else (500, 700)
        made.append(page(*lines(*rows, left=50), number=number, size=(2 * wide, 2 * high)))
    target = searchable(tmp_path, pdf(*(Leaf(rotate=rotate, crop=crop) for rotate in turns)), *made)
    for reader, found in texts(target).items():
        assert [flat(text) for text in found] == [" ".join(rows)] * 4, reader
    for each, by_pdfjs in zip(made, pieces(target), strict=True):
        told = [word for row in each.lines for word in row.words]
        for found_words in (_seen(target, each.number), words(target, each.number)):
            assert [text for text, _ in found_words] == [word.text for word in told]
            for (_, box), word in zip(found_words, told, strict=True):
                assert overlap(box, in_points(word.polygon, 0.5)) > 0.9
        at = 0
        for piece, box in by_pdfjs:
            own = told[at : (at := at + len(piece.split()))]
            assert overlap(box, _around(in_points(word.polygon, 0.5) for word in own)) > 0.9


def _around(boxes: Iterable[Box]) -> Box:
    lefts, tops, rights, bottoms = zip(*boxes, strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)


def _seen(file: Path, number: int) -> list[tuple[str, Box]]:
    """The words of a page and where PDFium draws them, in points from the top left of what is shown."""
    with pdfium.PdfDocument(file) as document:
        leaf = document[number - 1]
        text_page = leaf.get_textpage()
        whole = text_page.get_text_range().replace("\r\n", "  ")
        found, at = [], 0
        for word in whole.split():
            at = whole.index(word, at)
            corners = [
                _shown(leaf, corner) for index in range(at, at + len(word)) for corner in _ends(text_page, index)
            ]
            xs, ys = zip(*corners, strict=True)
            found.append((word, (min(xs), min(ys), max(xs), max(ys))))
            at += len(word)
        return found


def _ends(text_page: pdfium.PdfTextPage, index: int) -> tuple[Point, Point]:
    left, low, right, up = text_page.get_charbox(index, loose=True)
    return (left, low), (right, up)


def _shown(leaf: pdfium.PdfPage, corner: Point) -> Point:
    across, down, parts = ctypes.c_int(), ctypes.c_int(), 100
    size = (round(leaf.get_width() * parts), round(leaf.get_height() * parts))
    pdfium_c.FPDF_PageToDevice(leaf, 0, 0, *size, 0, *corner, across, down)
    return across.value / parts, down.value / parts


def test_a_pdf_looks_the_same_and_keeps_its_pictures_byte_by_byte(tmp_path: Path) -> None:
    pixels = np.random.default_rng(1).integers(0, 255, (110, 85, 3), np.uint8)
    leaf = scan(pixels)
    # states that are never given back would shift a layer that is drawn behind them
    data = pdf(Leaf(content=leaf.content[:-2] + b"5 0 0 5 9 9 cm", pictures=leaf.pictures))
    made = page(*lines("On the print"), size=(1275, 1650))
    target = searchable(tmp_path, data, made)
    (tmp_path / "before.pdf").write_bytes(data)
    assert np.array_equal(_drawn(tmp_path / "before.pdf"), _drawn(target))
    with pikepdf.open(target) as after, pikepdf.open(io.BytesIO(data)) as before:
        assert _pictures(after) == _pictures(before)
    (found,) = {flat(found) for (found,) in texts(target).values()}
    assert found == "On the print"
    (_, box), *_ = words(target, 1)
    assert overlap(box, in_points(made.lines[0].words[0].polygon, 612 / 1275)) > 0.95


def _drawn(file: Path) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    with pdfium.PdfDocument(file) as document:
        return np.array(document[0].render(scale=1).to_numpy())


def _pictures(document: pikepdf.Pdf) -> list[bytes]:
    return [each.read_raw_bytes() for leaf in document.pages for each in leaf.get_images().values()]


def test_an_earlier_reading_is_replaced_and_print_is_not_said_twice(tmp_path: Path) -> None:
    seen = text("Printed heading", points=20, top=700, left=72)
    earlier = text("Rubb1sh of an earIier OCR", mode=3, top=600)
    target = searchable(tmp_path, pdf(Leaf(content=seen + earlier)), page(*_read(), size=(1224, 1584)))
    for reader, (found,) in texts(target).items():
        assert sorted(flat(found).split()) == ["Printed", "below", "heading", "stamp"], reader


def _read() -> tuple[OcrLine, ...]:
    """What was read of that page, at 144 dpi: the heading, and something that is drawn and no text."""
    places = (("Printed", 140, 140), ("heading", 286, 160))
    heading = OcrLine(
        text="Printed heading",
        confidence=0.9,
        polygon=_box(140, 150, 330, 52, 0),
        words=tuple(OcrWord(word, 0.9, _box(left, 150, width, 52, 0)) for word, left, width in places),
    )
    return heading, line([("stamp", 144), ("below", 300)], 900, 40)


def test_an_earlier_reading_in_a_form_is_replaced_too(tmp_path: Path) -> None:
    with pikepdf.open(io.BytesIO(pdf(typed("Shown")))) as document:
        leaf = document.pages[0]
        form = document.make_stream(text("Rubbish", mode=3))
        form.Type, form.Subtype, form.BBox = Name.XObject, Name.Form, Array([0, 0, 612, 792])
        form.Resources = Dictionary(Font=leaf.resources.Font)
        name = leaf.add_resource(form, Name.XObject)
        leaf.contents_add(f"{name} Do".encode())
        file = io.BytesIO()
        document.save(file)
    made = page(line([("anew", 100)], 900, 40), size=(1224, 1584))
    for reader, (found,) in texts(searchable(tmp_path, file.getvalue(), made)).items():
        assert sorted(found.split()) == ["Shown", "anew"], reader


def test_text_of_a_pdfs_own_is_left_as_it_is(tmp_path: Path) -> None:
    made = OcrPage(number=1, width=1224, height=1584, lines=lines("Own words"), source="text-layer")
    for (found,) in texts(searchable(tmp_path, pdf(typed("Own words")), made)).values():
        assert flat(found) == "Own words"


def test_a_locked_pdf_is_opened_with_its_password_and_is_locked_no_more(tmp_path: Path) -> None:
    data = pdf(Leaf(), encryption=pikepdf.Encryption(owner="o", user="secret"))
    made = page(*lines("Once locked"), size=(1224, 1584))
    with pytest.raises(PasswordRequired):
        searchable(tmp_path, data, made)
    for (found,) in texts(searchable(tmp_path, data, made, password="secret")).values():
        assert flat(found) == "Once locked"


def test_some_pages_make_a_shorter_pdf(tmp_path: Path) -> None:
    made = [page(*lines(f"Page {number}"), number=number, size=(1224, 1584)) for number in (2, 3)]
    data = pdf(Leaf(), Leaf(), Leaf(), Leaf())
    assert [flat(found) for found in texts(searchable(tmp_path, data, *made, only=True))["poppler"]] == [
        "Page 2",
        "Page 3",
    ]
    whole = texts(searchable(tmp_path, data, *made))["poppler"]
    assert [flat(found) for found in whole] == ["", "Page 2", "Page 3", ""]


def test_the_same_input_gives_the_same_bytes(tmp_path: Path) -> None:
    made = page(*lines(*PROSE))
    first = searchable(tmp_path, sheet(made), made).read_bytes()
    assert searchable(tmp_path, sheet(made), made).read_bytes() == first


def test_text_costs_a_scan_less_than_a_tenth(tmp_path: Path) -> None:
    noise = np.random.default_rng(2).integers(0, 255, (400, 300), np.uint8)
    data = pdf(
        Leaf(
            content=b"q 612 0 0 792 0 0 cm /P Do Q",
            pictures={"P": Picture(data=noise.tobytes(), width=300, height=400, space="/DeviceGray")},
        )
    )
    made = page(*lines(*(20 * PROSE)), size=(1224, 5000))
    assert searchable(tmp_path, data, made).stat().st_size <= 1.1 * len(data)


def test_text_costs_a_small_file_less_than_a_tenth_too(tmp_path: Path) -> None:
    noise = np.random.default_rng(3).integers(0, 255, (250, 250), np.uint8)
    made = page(*lines(*(5 * PROSE)), size=(1240, 4000))  # 105 words
    scanned = io.BytesIO()
    Image.fromarray(noise).save(scanned, "JPEG", quality=80)
    leaf = Leaf(
        content=b"q 612 0 0 792 0 0 cm /P Do Q",
        pictures={"P": Picture(data=noise[:140].tobytes(), width=250, height=140, space="/DeviceGray")},
    )
    for data in (scanned.getvalue(), pdf(leaf)):
        assert len(data) < 41_000
        assert searchable(tmp_path, data, made).stat().st_size <= 1.1 * len(data)


def test_a_blank_is_one_blank_wherever_words_are_searched_for(tmp_path: Path) -> None:
    found = texts(searchable(tmp_path, sheet(page(*lines(*PROSE))), page(*lines(*PROSE))))
    assert [pages[0].splitlines()[: len(PROSE)] for pages in found.values()] == 3 * [[*PROSE]]
