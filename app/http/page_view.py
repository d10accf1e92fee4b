"""What clients see of a page that was read: OcrPage -> PageView. Words only where they were asked for."""

from collections.abc import Iterable
from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from ocr_engine.result import OcrLine, OcrPage, PageSource, Polygon, Rotation

Share = Annotated[float, Meta(ge=0, le=1)]
Detail = Literal["lines", "words"]
"""How far the answer goes into a page; words make it some five times as long."""


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
        Polygon,
        Meta(description="Four (x, y) corners, clockwise from the text's own top left, in the picture's pixels."),
    ]
    low_confidence: Annotated[bool, Meta(description="True: left out of the text.")]
    unsupported_script: Annotated[bool, Meta(description="True: the models lack its script, or some of its letters.")]
    row: Annotated[int, Meta(description="Lines of one number are one row of the page: an item and its price.")]
    words: Annotated[tuple[WordView, ...] | UnsetType, Meta(description="With `detail=words` only.")] = UNSET


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
    warnings: tuple[str, ...]


def page_views(pages: Iterable[OcrPage], detail: Detail = "lines") -> tuple[PageView, ...]:
    """The pages as clients see them."""
    return tuple(
        PageView(
            number=page.number,
            width=page.width,
            height=page.height,
            rotation=page.rotation,
            lines=tuple(_line(line, detail) for line in page.lines),
            truncated=page.truncated,
            source=page.source,
            dpi=page.dpi,
            warnings=page.warnings,
        )
        for page in pages
    )


def _line(line: OcrLine, detail: Detail) -> LineView:
    words = (WordView(text=word.text, confidence=word.confidence, polygon=word.polygon) for word in line.words)
    return LineView(
        text=line.text,
        confidence=line.confidence,
        polygon=line.polygon,
        low_confidence=line.low_confidence,
        unsupported_script=line.unsupported_script,
        row=line.row,
        words=tuple(words) if detail == "words" else UNSET,
    )
