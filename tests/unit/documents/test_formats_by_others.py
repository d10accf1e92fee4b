"""Every format as programs of others see it: hocr-check, pytesseract's parser, the schemas of ALTO and PAGE XML."""

import contextlib
import io
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import pytest
from hocr_tools_lib.tools.hocr_check import Checker
from lxml import etree
from pytesseract.pytesseract import file_to_dict

from ocr_engine.formats import FORMATS, Source
from ocr_engine.result import OcrPage
from tests.unit.documents.nasty_pages import NASTY, PLAIN, page, told

SOURCE = Source(file_name='a & "b" <c>; d\x01.png', read_at=datetime(2026, 11, 26, tzinfo=UTC), version="1.0 & more")
SCHEMAS = Path(__file__).parents[2] / "schemas"
MANY = [page(PLAIN, number=number) for number in (*range(1, 50), *range(51, 102))]
"""A hundred pages; one between them was not read."""


def written(name: str, *pages: OcrPage) -> str:
    return "".join(FORMATS[name].write(iter(pages), SOURCE))


def as_xml(text: str) -> str:
    """What is left of a text in XML, where signs that it cannot hold are replaced."""
    return re.sub("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "\ufffd", text)


def xml(name: str, *pages: OcrPage) -> Any:
    return etree.fromstring(written(name, *pages).encode())


@pytest.fixture(scope="module")
def alto() -> Any:
    return etree.RelaxNG(etree.parse(SCHEMAS / "alto.rng"))


@pytest.fixture(scope="module")
def page_xml() -> Any:
    return etree.XMLSchema(etree.parse(str(distribution("ocrd").locate_file("ocrd_validators/page.xsd"))))


@pytest.mark.parametrize("kind", NASTY)
def test_hocr_check_has_no_complaint(kind: str, tmp_path: Path) -> None:
    file = tmp_path / "page.hocr"
    file.write_text(written("hocr", NASTY[kind]), "utf-8")
    said = io.StringIO()
    with contextlib.redirect_stderr(said):
        Checker(file).check()
    assert "ok 1 " in said.getvalue()
    assert "not ok" not in said.getvalue()


def test_hocr_check_has_no_complaint_of_many_pages_but_that_it_lays_them_over_each_other(tmp_path: Path) -> None:
    file, said = tmp_path / "pages.hocr", io.StringIO()
    file.write_text(written("hocr", *MANY), "utf-8")
    with contextlib.redirect_stderr(said):
        Checker(file).check()
    complaints = set(re.findall(r"not ok \d+ - (.*)", said.getvalue()))
    # it asks each page for `//*[@class='ocr_line']`, which are those of all pages
    assert complaints <= {f"mostly_nonoverlapping/{part}" for part in ("line", "par", "carea")}


@pytest.mark.parametrize("kind", NASTY)
def test_hocr_tells_each_word_with_a_box_of_whole_pixels(kind: str) -> None:
    """By the patterns of OCRmyPDF's reader, which takes unsigned whole numbers only, and drops what has others."""
    document = xml("hocr", NASTY[kind])
    words = document.findall(".//{*}span[@class='ocrx_word']")
    assert [word.text for word in words] == [as_xml(word.text) for word in told(NASTY[kind])]
    for word in words:
        assert re.fullmatch(r"bbox \d+ \d+ \d+ \d+; x_wconf \d+", word.get("title"))
    for line in document.findall(".//{*}span[@class='ocr_line']"):
        assert re.fullmatch(
            r"bbox \d+ \d+ \d+ \d+; (baseline -?\d*\.?\d+ -?\d+|textangle \d+); x_size \d+", line.get("title")
        )


def test_hocr_says_which_page_of_the_file_each_is() -> None:
    titles = [page.get("title") for page in xml("hocr", *MANY).findall(".//{*}div[@class='ocr_page']")]
    told = re.findall(r"ppageno (\d+)", "; ".join(titles))
    assert [*map(int, told)] == [each.number - 1 for each in MANY]


def test_letters_stand_on_the_base_line_that_hocr_tells() -> None:
    upper = xml("hocr", page([PLAIN[1]])).find(".//{*}span[@class='ocr_line']").get("title")
    assert "bbox 100 163" in upper
    assert "baseline 0 0;" in upper  # nothing in `A b c` hangs below the box of its ink


@pytest.mark.parametrize("kind", NASTY)
def test_pytesseract_reads_our_tsv(kind: str) -> None:
    table = file_to_dict(written("tsv", NASTY[kind]), "\t", -1)
    assert len({len(column) for column in table.values()}) == 1
    words = [row for row, level in enumerate(table["level"]) if level == 5]
    assert [re.sub(r"\s|\ufffd", "", table["text"][row]) for row in words] == [
        re.sub(r"\s|[^\x20-\U0010ffff]|[\x7f-\xa0\ud800-\udfff\uffff]", "", word.text) for word in told(NASTY[kind])
    ]
    assert {table["page_num"][row] for row in words} <= {NASTY[kind].number}
    assert all(0 <= table["conf"][row] <= 100 for row in words)
    assert all(type(table[side][row]) is int for side in ("left", "top", "width", "height") for row in words)


@pytest.mark.parametrize("kind", NASTY)
def test_alto_is_valid(kind: str, alto: Any) -> None:
    require_alto(alto, [NASTY[kind]])


def test_alto_of_a_hundred_pages_is_valid(alto: Any) -> None:
    require_alto(alto, MANY)


def require_alto(schema: Any, pages: Sequence[OcrPage]) -> None:
    document = xml("alto", *pages)
    schema.assertValid(document)
    words = [as_xml(word.text) for page in pages for word in told(page)]
    # an attribute's line breaks and tabs are blanks to whoever reads it, unless they are written as references
    assert [string.get("CONTENT") for string in document.findall(".//{*}String")] == words
    identifiers = document.xpath("//@ID")
    assert len(set(identifiers)) == len(identifiers)


@pytest.mark.parametrize("kind", NASTY)
def test_page_xml_is_valid(kind: str, page_xml: Any) -> None:
    document = xml("page", NASTY[kind])
    page_xml.assertValid(document)
    words = [as_xml(word.text) for word in told(NASTY[kind])]
    assert [text.text for text in document.findall(".//{*}Word/{*}TextEquiv/{*}Unicode")] == words


def test_text_that_runs_to_the_left_is_told_so() -> None:
    each = NASTY["right to left"]
    assert {line.get("dir") for line in xml("hocr", each).findall(".//{*}span[@class='ocr_line']")} == {"rtl"}
    assert {line.get("BASEDIRECTION") for line in xml("alto", each).findall(".//{*}TextLine")} == {"rtl"}
    assert {line.get("readingDirection") for line in xml("page", each).findall(".//{*}TextLine")} == {"right-to-left"}
    assert xml("alto", each).find(".//{*}Page").get("LANG") == "ar"
