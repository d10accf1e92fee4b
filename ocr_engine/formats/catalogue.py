"""The formats there are, by the names that clients give them."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType

from msgspec import Struct

from ocr_engine.formats import csv, docx, html, json, layout, markdown, text, tsv
from ocr_engine.formats.source import Source
from ocr_engine.formats.xml import alto, hocr, page
from ocr_engine.result import OcrPage

Writer = Callable[[Iterable[OcrPage], Source], Iterator[str]]
"""Gives the whole in parts, none of which is longer than a page's."""


class Format(Struct, frozen=True, kw_only=True):
    """One way to give what was read."""

    name: str
    about: str
    """What it is, in a sentence, for people who choose one."""
    media_type: str
    suffix: str
    """Of a file, with its dot."""


class TextFormat(Format, frozen=True, kw_only=True):
    """One that is written from the stored run alone."""

    write: Writer
    words: bool = False
    """True: it tells of each word; `write` has no use for them otherwise."""
    one_page: bool = False
    """True: a document of it has one page; `write` takes no more."""

    def encoded(self, pages: Iterable[OcrPage], source: Source) -> Iterator[bytes]:
        """The same parts in UTF-8."""
        # half of a pair of surrogates, should one have been read, has no bytes
        return (part.encode(errors="replace") for part in self.write(pages, source))


class BinaryFormat(Format, frozen=True, kw_only=True):
    """One that is written from the stored run alone, and is no text."""

    encoded: Callable[[Iterable[OcrPage], Source], Iterator[bytes]]
    words: bool = False
    """As of TextFormat."""
    one_page: bool = False
    """As of TextFormat."""


WrittenFormat = TextFormat | BinaryFormat


_PAGE_XML = "application/vnd.prima.page+xml"

FORMATS: Mapping[str, TextFormat] = MappingProxyType(
    {
        each.name: each
        for each in (
            TextFormat(
                name="text",
                about="Plain text in reading order, a row a line; pages apart by a form feed.",
                media_type="text/plain",
                suffix=".txt",
                write=text.write,
            ),
            TextFormat(
                name="layout",
                about="Text as it stands on the page, columns aligned by blanks.",
                media_type="text/plain",
                suffix=".layout.txt",
                write=layout.write,
            ),
            TextFormat(
                name="markdown",
                about="Headings, paragraphs, lists and tables (GitHub's).",
                media_type="text/markdown",
                suffix=".md",
                write=markdown.write,
            ),
            TextFormat(
                name="html",
                about="The same for reading and pasting, spans of cells kept.",
                media_type="text/html",
                suffix=".html",
                write=html.write,
            ),
            TextFormat(
                name="csv",
                about="The tables alone (RFC 4180), an empty line between two.",
                media_type="text/csv",
                suffix=".csv",
                write=csv.write,
            ),
            TextFormat(
                name="json",
                about="Pages with lines, polygons, confidences and blocks; words where asked for.",
                media_type="application/json",
                suffix=".json",
                write=json.write,
            ),
            TextFormat(
                name="tsv",
                about="Tesseract's twelve columns, a line a word.",
                media_type="text/tab-separated-values",
                suffix=".tsv",
                write=tsv.write,
                words=True,
            ),
            TextFormat(
                name="hocr",
                about="hOCR 1.2, as XHTML.",
                media_type="text/vnd.hocr+html",
                suffix=".hocr",
                write=hocr.write,
                words=True,
            ),
            TextFormat(
                name="alto",
                about="ALTO XML 4.4.",
                media_type="application/alto+xml",
                suffix=".alto.xml",
                write=alto.write,
                words=True,
            ),
            TextFormat(
                name="page",
                about="PAGE XML 2019-07-15, of one page.",
                media_type=_PAGE_XML,
                suffix=".page.xml",
                write=page.write,
                words=True,
                one_page=True,
            ),
        )
    }
)
"""By name; where a media type has two, the first is what it asks for."""

PDF = Format(
    name="pdf",
    about="Searchable PDF: the file with what was read unseen on its print.",
    media_type="application/pdf",
    suffix=".pdf",
)
"""Made by a worker, of the file: see ocr_engine/searchable."""
DOCX = BinaryFormat(
    name="docx",
    about="Word: headings, paragraphs, lists, tables.",
    media_type="application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    suffix=".docx",
    encoded=docx.write,
)
EVERY_FORMAT: Mapping[str, Format] = MappingProxyType({**FORMATS, DOCX.name: DOCX, PDF.name: PDF})
"""By name."""
