"""JSON: all that is known of each page, words, blocks and tables included."""

from collections.abc import Iterable, Iterator
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from ocr_engine.formats.source import Source
from ocr_engine.result import BlockKind, OcrBlock, OcrCell, OcrLine, OcrPage, PageSource, PageWarning, Polygon, Rotation

Share = Annotated[float, Meta(ge=0, le=1)]


class WordView(Struct, frozen=True, kw_only=True):
    """A word, or one character of Chinese or Japanese."""

    text: str
    confidence: Share
    polygon: Annotated[Polygon, Meta(description="Four corners around its ink, clockwise from its own top left.")]


class LineView(Struct, frozen=True, kw_only=True):
    """A line of text and where it stands."""

    text: str
    confidence: Share
    polygon: Annotated[
        Polygon, Meta(description="Four (x, y) corners, clockwise from the text's own top left, in image pixels.")
    ]
    low_confidence: Annotated[bool, Meta(description="True: left out of the text.")]
    unsupported_script: Annotated[bool, Meta(description="True: the models lack its script, or some of its letters.")]
    row: Annotated[int, Meta(description="Lines of one number are one row of the page: an item and its price.")]
    words: Annotated[
        tuple[WordView, ...] | UnsetType, Meta(description="Where they are asked for, with `detail=words`.")
    ] = UNSET


class CellView(Struct, frozen=True, kw_only=True):
    """A cell of a table."""

    row: int
    column: int
    row_span: int
    column_span: int
    text: str
    polygon: Polygon


class BlockView(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A paragraph, heading, list or table."""

    kind: BlockKind
    lines: Annotated[tuple[int, ...], Meta(description="Indices into the page's lines.")]
    level: Annotated[int | UnsetType, Meta(description="Of a heading: 1 for the largest print.")] = UNSET
    items: Annotated[tuple[tuple[int, ...], ...] | UnsetType, Meta(description="Of a list: each item's lines.")] = UNSET
    cells: Annotated[tuple[CellView, ...] | UnsetType, Meta(description="Of a table: row by row.")] = UNSET


class PageView(Struct, frozen=True, kw_only=True):
    """A page: its lines in reading order."""

    number: int
    width: int
    height: int
    rotation: Annotated[Rotation, Meta(description="Degrees clockwise by which it has to be turned to be read.")]
    lines: tuple[LineView, ...]
    truncated: bool
    source: Annotated[PageSource, Meta(description="`text-layer`: the PDF's own text, nothing was read.")]
    dpi: Annotated[float, Meta(description="Pixels an inch of paper; 0 where the file does not say.")]
    warnings: tuple[PageWarning, ...]
    language: Annotated[str, Meta(description="BCP 47, of a page in another script, read by Tesseract; else empty.")]
    blocks: Annotated[tuple[BlockView, ...], Meta(description="Paragraphs, headings, lists, tables.")]


def write(pages: Iterable[OcrPage], source: Source) -> Iterator[str]:
    """One object: `pages`, each on a line of its own, with its words where it has any."""
    yield f'{{"file_name":{msgspec.json.encode(source.file_name).decode()},"pages":['
    for number, page in enumerate(pages):
        view = page_view(page, words=any(line.words for line in page.lines))
        yield (",\n" if number else "\n") + msgspec.json.encode(view).decode()
    yield "\n]}\n"


def page_view(page: OcrPage, *, words: bool) -> PageView:
    """The page as clients see it."""
    return PageView(
        number=page.number,
        width=page.width,
        height=page.height,
        rotation=page.rotation,
        lines=tuple(_line(line, words) for line in page.lines),
        truncated=page.truncated,
        source=page.source,
        dpi=page.dpi,
        warnings=page.warnings,
        language=page.language,
        blocks=tuple(_block(block) for block in page.blocks),
    )


def _line(line: OcrLine, words: bool) -> LineView:
    told = (WordView(text=word.text, confidence=word.confidence, polygon=word.polygon) for word in line.words)
    return LineView(
        text=line.text,
        confidence=line.confidence,
        polygon=line.polygon,
        low_confidence=line.low_confidence,
        unsupported_script=line.unsupported_script,
        row=line.row,
        words=tuple(told) if words else UNSET,
    )


def _block(block: OcrBlock) -> BlockView:
    return BlockView(
        kind=block.kind,
        lines=block.lines,
        level=block.level or UNSET,
        items=block.items or UNSET,
        cells=tuple(_cell(cell) for cell in block.cells) or UNSET,
    )


def _cell(cell: OcrCell) -> CellView:
    return CellView(**{name: getattr(cell, name) for name in cell.__struct_fields__})
