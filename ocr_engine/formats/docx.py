"""A Word document (Office Open XML, ECMA-376): headings, paragraphs, lists, tables with the spans of their cells."""

import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import groupby
from typing import IO

from ocr_engine.formats.shared.direction import is_right_to_left
from ocr_engine.formats.shared.grid import owners_of
from ocr_engine.formats.shared.markers import MARKER
from ocr_engine.formats.shared.places import blocks_of
from ocr_engine.formats.shared.running_text import heading_level, paragraph_of
from ocr_engine.formats.source import Source
from ocr_engine.formats.xml.content import content
from ocr_engine.result import OcrBlock, OcrCell, OcrPage

_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_WORD = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml"
_PARTS = {
    "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/>'
    f'<Override PartName="/word/document.xml" ContentType="{_TYPE}.document.main+xml"/>'
    f'<Override PartName="/word/styles.xml" ContentType="{_TYPE}.styles+xml"/>'
    f'<Override PartName="/word/numbering.xml" ContentType="{_TYPE}.numbering+xml"/>'
    '<Override PartName="/docProps/core.xml" ContentType="application/vnd.openxmlformats-package.core-properties+xml"/>'
    "</Types>",
    "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{_OFFICE}/officeDocument" Target="word/document.xml"/>'
    f'<Relationship Id="rId2" Type="{_PACKAGE}/relationships/metadata/core-properties" Target="docProps/core.xml"/>'
    "</Relationships>",
    "word/_rels/document.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{_OFFICE}/styles" Target="styles.xml"/>'
    f'<Relationship Id="rId2" Type="{_OFFICE}/numbering" Target="numbering.xml"/></Relationships>',
    "word/numbering.xml": f'<w:numbering {_WORD}><w:abstractNum w:abstractNumId="0"><w:lvl w:ilvl="0">'
    '<w:start w:val="1"/><w:numFmt w:val="bullet"/><w:lvlText w:val="•"/><w:lvlJc w:val="left"/>'
    '<w:pPr><w:ind w:left="360" w:hanging="360"/></w:pPr></w:lvl></w:abstractNum>'
    '<w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num></w:numbering>',
    "word/styles.xml": f'<w:styles {_WORD}><w:style w:type="paragraph" w:default="1" w:styleId="Normal">'
    '<w:name w:val="Normal"/><w:pPr><w:spacing w:after="120"/></w:pPr></w:style>'
    + "".join(
        f'<w:style w:type="paragraph" w:styleId="Heading{level}"><w:name w:val="heading {level}"/>'
        f'<w:basedOn w:val="Normal"/><w:next w:val="Normal"/><w:pPr><w:keepNext/><w:outlineLvl w:val="{level - 1}"/>'
        f'</w:pPr><w:rPr><w:b/><w:sz w:val="{38 - 3 * level}"/></w:rPr></w:style>'
        for level in range(1, 7)
    )
    + '<w:style w:type="paragraph" w:styleId="ListBullet"><w:name w:val="List Bullet"/><w:basedOn w:val="Normal"/>'
    '<w:pPr><w:numPr><w:numId w:val="1"/></w:numPr></w:pPr></w:style>'
    '<w:style w:type="table" w:styleId="TableGrid"><w:name w:val="Table Grid"/><w:tblPr><w:tblBorders>'
    + "".join(
        f'<w:{side} w:val="single" w:sz="4"/>' for side in ("top", "left", "bottom", "right", "insideH", "insideV")
    )
    + "</w:tblBorders></w:tblPr></w:style></w:styles>",
}
"""All but the text: the same in every document."""
_CORE = (
    '<cp:coreProperties xmlns:cp="{package}/metadata/core-properties" xmlns:dc="http://purl.org/dc/elements/1.1/" '
    'xmlns:dcterms="http://purl.org/dc/terms/" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
    "<dc:title>{title}</dc:title><dc:creator>{creator}</dc:creator>"
    '<dcterms:created xsi:type="dcterms:W3CDTF">{moment}</dcterms:created></cp:coreProperties>'
)
_PAGE_BREAK = '<w:p><w:r><w:br w:type="page"/></w:r></w:p>'


def write(pages: Iterable[OcrPage], source: Source) -> Iterator[bytes]:
    """One document, each page on a page of its own; low-confidence lines are left out, as of `text`."""
    sink = _Sink()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        moment = f"{source.read_at:%Y-%m-%dT%H:%M:%SZ}"
        title, creator = content(source.file_name), content(source.creator)
        core = _CORE.format(package=_PACKAGE, title=title, creator=creator, moment=moment)
        for name, part in {**_PARTS, "docProps/core.xml": core}.items():
            with _part(archive, name, source) as file:
                file.write(f"{_XML}{part}".encode())
        with _part(archive, "word/document.xml", source) as file:
            file.write(f"{_XML}<w:document {_WORD}><w:body>".encode())
            for number, page in enumerate(pages):
                written = "".join(_block(page, block) for block in blocks_of(page))
                file.write(f"{_PAGE_BREAK * (number > 0)}{written}".encode(errors="replace"))
                yield sink.taken()
            file.write(b"<w:p/><w:sectPr/></w:body></w:document>")
    yield sink.taken()


def _block(page: OcrPage, block: OcrBlock) -> str:
    match block.kind:
        case "heading":
            return _paragraph(paragraph_of(page, block.lines), f"Heading{heading_level(block)}")
        case "list":
            return "".join(_item(paragraph_of(page, item)) for item in block.items)
        case "table":
            return _table(block)
        case "paragraph":
            return _paragraph(paragraph_of(page, block.lines))


def _item(text: str) -> str:
    """With a bullet of Word's, or with the number that was read: one of Word's might be another."""
    marker = MARKER.match(text)
    if marker is not None and marker["number"]:
        return _paragraph(text)
    return _paragraph(text[marker.end() :] if marker else text, "ListBullet")


def _table(block: OcrBlock) -> str:
    owners = owners_of(block)
    grid = '<w:gridCol w:w="1000"/>' * block.columns
    rows = "".join(f"<w:tr>{''.join(_cells(row, number))}</w:tr>" for number, row in enumerate(owners))
    # Word joins tables that nothing stands between
    return (
        '<w:tbl><w:tblPr><w:tblStyle w:val="TableGrid"/><w:tblW w:w="0" w:type="auto"/></w:tblPr>'
        f"<w:tblGrid>{grid}</w:tblGrid>{rows}</w:tbl><w:p/>"
    )


def _cells(row: list[OcrCell | None], number: int) -> Iterator[str]:
    """One for each cell that the row has a part of: of those that go on from above, empty ones."""
    for cell, places in groupby(row, key=lambda owner: owner):
        columns = len([*places])
        if cell is None:
            yield from ["<w:tc><w:tcPr/><w:p/></w:tc>"] * columns
            continue
        begins = number == cell.row
        span = f'<w:gridSpan w:val="{columns}"/>' * (columns > 1)
        merge = ('<w:vMerge w:val="restart"/>' if begins else "<w:vMerge/>") * (cell.row_span > 1)
        yield f"<w:tc><w:tcPr>{span}{merge}</w:tcPr>{_paragraph(cell.text if begins else '')}</w:tc>"


def _paragraph(text: str, style: str = "") -> str:
    leftwards = is_right_to_left(text)
    named = f'<w:pStyle w:val="{style}"/>' if style else ""
    properties = f"<w:pPr>{named}{'<w:bidi/>' * leftwards}</w:pPr>" if named or leftwards else ""
    lines = "<w:br/>".join(f'<w:t xml:space="preserve">{content(line)}</w:t>' for line in text.split("\n"))
    run = f"<w:r>{'<w:rPr><w:rtl/></w:rPr>' * leftwards}{lines}</w:r>" if text else ""
    return f"<w:p>{properties}{run}</w:p>"


@contextmanager
def _part(archive: zipfile.ZipFile, name: str, source: Source) -> Iterator[IO[bytes]]:
    # the moment of the reading, so that a document comes out the same each time
    part = zipfile.ZipInfo(name, max(source.read_at.timetuple()[:6], (1980, 1, 1, 0, 0, 0)))
    part.compress_type = zipfile.ZIP_DEFLATED
    with archive.open(part, "w") as file:
        yield file


class _Sink:
    """What a ZIP is written to and taken from bit by bit."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def write(self, data: bytes) -> int:
        self._bytes += data
        return len(data)

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        """Nothing is open."""

    def taken(self) -> bytes:
        """All since the last time."""
        taken, self._bytes = bytes(self._bytes), bytearray()
        return taken
