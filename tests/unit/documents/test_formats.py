"""Every format says what was read, in a form that the programs which read it accept; page by page."""

import csv
import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from xml.etree import ElementTree as ET

import pytest

from ocr_engine.formats import FORMATS, Source
from ocr_engine.formats.shared.running_text import joined
from ocr_engine.result import OcrLine, OcrPage, Polygon
from ocr_engine.structure import find_blocks

SOURCE = Source(file_name='till & "so".png', read_at=datetime(2026, 11, 26, tzinfo=UTC), version="1.0")
RECEIPT = [("Tea <cup>", "4.20"), ("Cinnamon roll", "2.85"), ("Flat white & milk", "13.40")]


def box(left: float, top: float, right: float, bottom: float) -> Polygon:
    return (left, top), (right, top), (right, bottom), (left, bottom)


def receipt(number: int = 1) -> OcrPage:
    """A heading over three items with their prices, and a line that is not to be trusted."""
    lines = [OcrLine(text="Bakery", confidence=0.9, polygon=box(40, 20, 240, 70), row=1)]
    for row, (item, price) in enumerate(RECEIPT):
        top = 100.0 + 40 * row
        lines.append(
            OcrLine(text=item, confidence=0.9, polygon=box(40, top, 40 + 14 * len(item), top + 24), row=row + 2)
        )
        left = 500 - 14.0 * len(price)
        lines.append(OcrLine(text=price, confidence=0.8, polygon=box(left, top, 500, top + 24), row=row + 2))
    lines.append(OcrLine(text="dirt", confidence=0.2, polygon=box(0, 380, 40, 400), row=9, low_confidence=True))
    blocks = find_blocks(lines, 540, 420, 0)
    return OcrPage(number=number, width=540, height=420, lines=tuple(lines), blocks=blocks)


def written(name: str, *pages: OcrPage) -> str:
    return "".join(FORMATS[name].write(iter(pages), SOURCE))


@pytest.mark.parametrize("name", FORMATS)
def test_each_format_holds_every_confident_word_and_nothing_of_the_others(name: str) -> None:
    text = written(name, receipt())
    assert "13.40" in text
    assert "Cinnamon" in text
    assert ("dirt" in text) == (name == "json")


@pytest.mark.parametrize("name", ["hocr", "alto", "page"])
def test_xml_is_well_formed_whatever_was_read(name: str) -> None:
    line = OcrLine(text='a<b>&"\x00\ud800', confidence=1.0, polygon=box(0, 0, 9, 9))
    ET.fromstring(written(name, OcrPage(number=1, width=10, height=10, lines=(line,))))


@pytest.mark.parametrize("name", [name for name, each in FORMATS.items() if not each.one_page])
def test_documents_are_written_page_by_page(name: str) -> None:
    taken = 0

    def pages() -> Iterator[OcrPage]:
        nonlocal taken
        for taken in range(1, 4):
            yield receipt(taken)

    parts = FORMATS[name].write(pages(), SOURCE)
    while taken == 0:
        next(parts)
    assert taken == 1
    list(parts)
    assert taken == 3


def test_a_page_document_has_one_page() -> None:
    with pytest.raises(ValueError, match="one page"):
        written("page", receipt(1), receipt(2))


def test_layout_aligns_the_prices_at_their_right() -> None:
    _, *rows = [line for line in written("layout", receipt()).splitlines() if line]
    assert [row.split("  ")[0] for row in rows] == [item for item, _ in RECEIPT]
    assert len({len(row) for row in rows}) == 1


def test_tsv_has_the_twelve_columns_of_tesseract() -> None:
    header, *rows = [line.split("\t") for line in written("tsv", receipt()).splitlines()]
    assert len(header) == 12
    assert {len(row) for row in rows} == {12}
    assert [row[11] for row in rows if row[0] == "5"][:3] == ["Bakery", "Tea", "<cup>"]
    assert all(float(row[10]) == -1 for row in rows if row[0] != "5")


def test_a_table_of_aligned_cells_is_one_in_csv_markdown_html_and_json() -> None:
    assert [*csv.reader(io.StringIO(written("csv", receipt())))] == [list(row) for row in RECEIPT]
    assert "| Cinnamon roll | 2.85 |" in written("markdown", receipt())
    assert written("html", receipt()).count("<td>") == 6
    (page,) = json.loads(written("json", receipt()))["pages"]
    assert [block["kind"] for block in page["blocks"]] == ["heading", "table"]


def test_words_that_were_broken_at_a_lines_end_are_whole_where_that_is_safe() -> None:
    assert joined(["a long hyphen-", "ation"]) == "a long hyphenation"
    assert joined(["pre-", "and post-war"]) == "pre- and post-war"
    assert joined(["Jean-", "Luc"]) == "Jean- Luc"
    assert joined(["开放", "时间"]) == "开放时间"
