"""With `text_layer=auto` a PDF's page is taken from its own text where that is what is seen, and read where it lies."""

import io
from pathlib import Path

import numpy as np
import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name

from ocr_engine.document.opening import open_document
from ocr_engine.engine import Engine
from ocr_engine.options import EngineOptions, ReadOptions
from ocr_engine.result import OcrPage
from tests.pdfs import Leaf, pdf, scan, text

LINES = ("The quick brown fox jumps over the lazy dog", "Invoice 2026-117 of 26 November", "Total: 1,234.50 EUR (net)")
AUTO = ReadOptions(text_layer="auto")


def read(engine: Engine, data: bytes, options: ReadOptions = AUTO) -> OcrPage:
    document = open_document(data, options, EngineOptions())
    (page,) = engine.read_page(document, 1, options).pages
    document.close()
    return page


def test_sound_text_is_taken_as_it_is_with_the_places_of_its_lines_and_words(engine: Engine) -> None:
    data = pdf(Leaf(content=text(*LINES)))
    page, seen = read(engine, data), read(engine, data, ReadOptions())
    assert (page.source, seen.source) == ("text-layer", "ocr")
    assert page.text == "\n".join(LINES)
    assert {line.confidence for line in page.lines} == {1.0}
    assert [len(line.words) for line in page.lines] == [len(line.split()) for line in LINES]
    assert (page.width, page.height, page.dpi) == (seen.width, seen.height, seen.dpi)
    for taken, found in zip(page.lines, seen.lines, strict=True):
        assert np.abs(np.array(taken.polygon) - np.array(found.polygon)).max() < 12


def test_rules_of_a_table_are_no_ink_that_the_text_misses(engine: Engine) -> None:
    rules = b"1 w 60 690 m 540 690 l S 60 600 m 540 600 l S 60 600 m 60 720 l S 540 600 m 540 720 l S "
    assert read(engine, pdf(Leaf(content=rules + text(*LINES)))).source == "text-layer"


def lying(mapped: str) -> bytes:
    """Text whose font maps every letter to another one: what is seen is `LINES`, what is written is not."""
    with pikepdf.open(io.BytesIO(pdf(Leaf(content=text(*LINES))))) as document:
        pairs = "\n".join(f"<{code:02X}> <{ord(mapped[code % len(mapped)]):04X}>" for code in range(33, 123))
        head = "/CIDInit /ProcSet findresource begin 12 dict begin begincmap 1 begincodespacerange <00> <FF>"
        table = f"{head} endcodespacerange 90 beginbfchar\n{pairs}\nendbfchar endcmap end end"
        font = document.pages[0].Resources.Font.F
        font.ToUnicode = document.make_stream(table.encode())
        file = io.BytesIO()
        document.save(file)
        return file.getvalue()


@pytest.mark.parametrize("mapped", ["xyzabcdefgh", "\ufffd", "\ue000\ue001"])
def test_a_layer_whose_mapping_lies_does_not_win(engine: Engine, mapped: str) -> None:
    page = read(engine, lying(mapped))
    assert page.source == "ocr"
    assert "quick brown fox" in page.text


def test_invisible_text_over_a_scan_does_not_win(engine: Engine) -> None:
    drawn = open_document(pdf(Leaf(content=text(*LINES))), AUTO, EngineOptions()).draw(1).pixels
    leaf = scan(np.ascontiguousarray(drawn[..., ::-1]))
    for mode, hidden in ((3, "Something else that nobody sees"), (0, "White on white")):
        colour = b"1 g " if mode == 0 else b""
        content = leaf.content + colour + text(hidden, mode=mode, top=300)
        page = read(engine, pdf(Leaf(content=content, pictures=leaf.pictures)))
        assert page.source == "ocr"
        assert "quick brown fox" in page.text
        assert hidden not in page.text


def test_a_picture_with_print_of_its_own_has_the_page_read(engine: Engine) -> None:
    drawn = open_document(pdf(Leaf(content=text(*LINES))), AUTO, EngineOptions()).draw(1).pixels
    leaf = scan(np.ascontiguousarray(drawn[..., ::-1]))
    page = read(engine, pdf(Leaf(content=leaf.content + text("A heading in letters", top=500), pictures=leaf.pictures)))
    assert page.source == "ocr"
    assert "quick brown fox" in page.text
    assert "heading" in page.text


def test_a_page_that_is_turned_or_empty_is_no_trouble(engine: Engine) -> None:
    assert read(engine, pdf(Leaf())).lines == ()
    sideways = b"q 0 1 -1 0 612 0 cm " + text(*LINES, top=500) + b" Q"
    turned = read(engine, pdf(Leaf(content=sideways, rotate=90)))
    assert (turned.source, turned.text) == ("text-layer", "\n".join(LINES))
    assert "quick brown fox" in read(engine, pdf(Leaf(content=sideways))).text


def test_an_annotation_that_the_text_knows_nothing_of_has_the_page_read(engine: Engine) -> None:
    square = Dictionary(
        Type=Name.Annot, Subtype=Name.Square, Rect=Array([100, 100, 200, 200]), C=Array([0, 0, 0]), IC=Array([0, 0, 0])
    )
    page = read(engine, pdf(Leaf(content=text(*LINES), more={"Annots": Array([square])})))
    assert page.source == "ocr"


def test_a_page_is_taken_from_a_file_as_from_its_bytes(engine: Engine, tmp_path: Path) -> None:
    file = tmp_path / "a.pdf"
    file.write_bytes(pdf(Leaf(content=text(*LINES))))
    document = open_document(file, AUTO, EngineOptions())
    assert engine.read_page(document, 1, AUTO).text == "\n".join(LINES)
    document.close()
