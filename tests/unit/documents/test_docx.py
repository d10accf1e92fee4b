"""Results as Word documents, read back by a program that is not ours."""

import io
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime

import docx
import pytest

from ocr_engine.formats import DOCX, Source, WrittenFormat
from ocr_engine.result import OcrBlock, OcrCell, OcrLine, OcrPage, Polygon
from tests.unit.documents.test_formats import SOURCE, receipt

BOX: Polygon = (0, 0), (9, 0), (9, 9), (0, 9)


def page_of(*texts: str, blocks: tuple[OcrBlock, ...] = ()) -> OcrPage:
    lines = tuple(OcrLine(text=text, confidence=0.9, polygon=BOX) for text in texts)
    return OcrPage(number=2, width=9, height=9, lines=lines, blocks=blocks)


def bytes_of(*pages: OcrPage, source: Source = SOURCE) -> bytes:
    assert isinstance(DOCX, WrittenFormat)
    return b"".join(DOCX.encoded(iter(pages), source))


def told(*pages: OcrPage) -> list[tuple[str, str]]:
    """The style and text of each paragraph with text."""
    document = docx.Document(io.BytesIO(bytes_of(*pages)))
    return [(each.style.name if each.style else "", each.text) for each in document.paragraphs if each.text.strip()]


def test_headings_and_tables_are_those_of_word() -> None:
    document = docx.Document(io.BytesIO(bytes_of(receipt())))
    assert told(receipt()) == [("Heading 1", "Bakery")]
    (table,) = document.tables
    assert [[cell.text for cell in row.cells] for row in table.rows][1] == ["Cinnamon roll", "2.85"]
    properties = document.core_properties
    assert (properties.title, properties.created) == (SOURCE.file_name, datetime(2026, 11, 26, tzinfo=UTC))


def test_cells_that_span_are_merged() -> None:
    cells = (
        OcrCell(0, 0, 1, 2, "wide\ntwo lines", BOX),
        OcrCell(0, 2, 2, 1, "high", BOX),
        OcrCell(1, 0, 1, 1, "a", BOX),
        OcrCell(1, 1, 1, 1, "b", BOX),
        OcrCell(2, 0, 1, 1, "c", BOX),
    )
    document = docx.Document(io.BytesIO(bytes_of(page_of(blocks=(OcrBlock(kind="table", lines=(), cells=cells),)))))
    (table,) = document.tables
    assert [[cell.text for cell in row.cells] for row in table.rows] == [
        ["wide\ntwo lines", "wide\ntwo lines", "high"],
        ["a", "b", "high"],
        ["c", "", ""],
    ]


def test_bullets_are_words_and_numbers_stay_as_they_were_read() -> None:
    items = OcrBlock(kind="list", lines=(0, 1), items=((0,), (1,)))
    assert told(page_of("• milk", "7. bread", blocks=(items,))) == [("List Bullet", "milk"), ("Normal", "7. bread")]


@pytest.mark.parametrize("text", ["a<b>&\x00\ud800", "مرحبا بالعالم"])
def test_it_opens_whatever_was_read(text: str) -> None:
    ((style, read),) = told(page_of(text))
    assert (style, len(read)) == ("Normal", len(text))


def test_each_page_begins_a_page_and_comes_out_while_the_next_is_made() -> None:
    taken = list[int]()

    def pages() -> Iterator[OcrPage]:
        for number in range(1, 4):
            taken.append(number)
            yield receipt(number)

    parts = DOCX.encoded(pages(), SOURCE)
    assert next(parts).startswith(b"PK")
    assert taken == [1]
    assert bytes_of(receipt(1), receipt(2)).count(b"PK\x01\x02") == 7
    with zipfile.ZipFile(io.BytesIO(bytes_of(receipt(1), receipt(2), receipt(3)))) as archive:
        assert archive.read("word/document.xml").count(b'<w:br w:type="page"/>') == 2


def test_the_same_result_is_the_same_file() -> None:
    assert bytes_of(receipt()) == bytes_of(receipt())
    assert bytes_of(receipt(), source=Source())
