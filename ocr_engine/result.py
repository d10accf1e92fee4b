"""What recognition tells: facts of an image, and what was read in it. No behaviour beyond derivation."""

import itertools
from typing import Literal

from msgspec import Struct

Point = tuple[float, float]
Polygon = tuple[Point, Point, Point, Point]
Rotation = Literal[0, 90, 180, 270]
PageSource = Literal["ocr", "text-layer"]

Measure = float | str
"""Pixels, or a share of the page's width or height as `12.5%`."""


class Area(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A rectangle of a page as a viewer shows it, from its top left."""

    x: Measure
    y: Measure
    width: Measure
    height: Measure
    page: int = 0
    """Number of the page that it is of; 0: of every page."""


class ImageInfo(Struct, frozen=True, kw_only=True):
    """What the header of an image file says, before anything is decoded."""

    media_type: str
    """IANA media type by magic number, e.g. `image/png`; never the type that the client declared."""
    width: int
    """Pixels, as a viewer shows the image (EXIF orientation applied)."""
    height: int
    frames: int
    size: int
    """Bytes of the file."""

    @property
    def pages(self) -> int:
        """How many are to be read; of an animation the first frame is. 0 of a PDF: a worker has to count its pages."""
        return self.frames if self.media_type in ("image/tiff", "application/pdf") else 1


class DocumentInfo(Struct, frozen=True, kw_only=True):
    """What a file is once a worker has opened it."""

    media_type: str
    """As `ImageInfo` has it."""
    pages: int
    """How many can be asked for, numbered from 1; a PDF may say more than it has, and those fail when they are read."""


# `gc=False` where there are many and none can be in a cycle: the collector would look at a million words again and
# again while a file of 2000 pages is decoded
class OcrWord(Struct, frozen=True, array_like=True, gc=False):
    """One word of a line, or one character of Chinese or Japanese. An array where it is stored: there are many."""

    text: str
    confidence: float
    """0 to 1: mean probability of its characters."""
    polygon: Polygon
    """Four (x, y) corners around its ink, clockwise from its own top left, in pixels as the line's."""


class OcrLine(Struct, frozen=True, kw_only=True, gc=False):
    """One line of text and where it stands."""

    text: str
    confidence: float
    """0 to 1: mean probability of the characters."""
    polygon: Polygon
    """Four (x, y) corners, clockwise from the text's own top left, in pixels of the image as a viewer shows it."""
    low_confidence: bool = False
    """True: below the threshold; reported here, left out of the page's text."""
    unsupported_script: bool = False
    """True: in a script that the models do not hold, or in a language some of whose letters they lack."""
    row: int = 0
    """Lines of one number stand level, and are read as one row: an item and its price. From 1; 0: not known."""
    words: tuple[OcrWord, ...] = ()
    """In the order of the text. Empty where it was read before words were told."""


BlockKind = Literal["paragraph", "heading", "list", "table"]


class OcrCell(Struct, frozen=True, array_like=True, gc=False):
    """A cell of a table. An array where it is stored."""

    row: int
    """From 0, the uppermost."""
    column: int
    row_span: int
    column_span: int
    text: str
    """Its lines as running text; may be empty."""
    polygon: Polygon


class OcrBlock(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What belongs together on a page: a paragraph, a heading, a list or a table."""

    kind: BlockKind
    lines: tuple[int, ...]
    """Its lines: indices into those of the page, in reading order."""
    level: int = 0
    """Of a heading: 1 for the largest print, up to 6."""
    items: tuple[tuple[int, ...], ...] = ()
    """Of a list: the lines of each of its items."""
    cells: tuple[OcrCell, ...] = ()
    """Of a table: row by row, each from the left."""
    ruled: bool = False
    """Of a table: its cells were told by the rules around them."""

    @property
    def rows(self) -> int:
        """Of a table; else 0."""
        return max((cell.row + cell.row_span for cell in self.cells), default=0)

    @property
    def columns(self) -> int:
        """Of a table; else 0."""
        return max((cell.column + cell.column_span for cell in self.cells), default=0)


PageWarning = Literal["damaged", "mirrored", "unsupported_script"]
"""`damaged`: the file lacks its end, and the page shows what viewers show of it. `mirrored`: it shows its
text as a mirror does, was read turned over and is not sure. `unsupported_script`: the page is in a script that the
models do not hold, or in a language some of whose letters they lack; its `rotation` is not known."""


class OcrPage(Struct, frozen=True, kw_only=True):
    """One page (frame) of an image: its lines in reading order."""

    number: int
    """From 1."""
    width: int
    """Pixels of the image as a viewer shows it (EXIF orientation applied)."""
    height: int
    rotation: Rotation = 0
    """Degrees clockwise by which the page has to be turned for its text to stand upright."""
    lines: tuple[OcrLine, ...] = ()
    truncated: bool = False
    """True: the page holds more text than is read of one page; what stands furthest down is missing."""
    source: PageSource = "ocr"
    """`text-layer`: taken from the text that a PDF carries itself, nothing was read."""
    dpi: float = 0.0
    """Pixels an inch of paper, so that 72 / dpi points are a pixel; 0 where the file does not say."""
    warnings: tuple[PageWarning, ...] = ()
    """What may be wrong with the page without being an error; see `PageWarning`."""
    language: str = ""
    """BCP 47: that of a page which Tesseract has read, since the models do not hold its script; else empty."""
    blocks: tuple[OcrBlock, ...] = ()
    """In reading order, each confident line in one. Empty where it was read before blocks were told."""

    @property
    def rows(self) -> list[list[OcrLine]]:
        """The confident lines in reading order, those of one row together, from left to right."""
        told = [line for line in self.lines if not line.low_confidence]
        # lines that were read before rows were told, all of them 0, stand alone
        alone = ((line.row or -number, line) for number, line in enumerate(told, 1))
        return [[line for _, line in row] for _, row in itertools.groupby(alone, key=lambda each: each[0])]

    @property
    def text(self) -> str:
        """The confident lines in reading order, one a line; what is one row of a table or a receipt on one line."""
        return "\n".join(" ".join(line.text for line in row) for row in self.rows)


class OcrModel(Struct, frozen=True, kw_only=True):
    """A model file that took part."""

    role: Literal["detection", "recognition", "angle"]
    name: str
    sha256: str


STAGES = ("decode", "detect", "orient", "recognise")
"""What recognition does with a page, in this order."""


class OcrTimings(Struct, frozen=True, kw_only=True):
    """Seconds spent in each of STAGES inside the worker, and altogether."""

    decode: float = 0.0
    detect: float = 0.0
    orient: float = 0.0
    recognise: float = 0.0
    total: float = 0.0

    def plus(self, other: "OcrTimings") -> "OcrTimings":
        """Of two pages together."""
        return OcrTimings(**{stage: getattr(self, stage) + getattr(other, stage) for stage in self.__struct_fields__})


class OcrResult(Struct, frozen=True, kw_only=True):
    """All that was read in one image."""

    pages: tuple[OcrPage, ...]
    models: tuple[OcrModel, ...] = ()
    timings: OcrTimings = OcrTimings()
    worker: str = ""
    """Name of the pool's slot that did the work; empty outside a pool."""

    @property
    def text(self) -> str:
        """The text of all pages, separated by a form feed as pdftotext has it; empty last pages add none."""
        return "\f".join(page.text for page in self.pages).rstrip("\f")

    @property
    def confidence(self) -> float:
        """Mean confidence of the lines in `text`, weighted by their length; 0 where there is no text."""
        weight, total = 0, 0.0
        # once through: log, metrics and answers ask for it
        for page in self.pages:
            for line in page.lines:
                if not line.low_confidence:
                    length = len(line.text)
                    weight += length
                    total += line.confidence * length
        return total / weight if weight else 0.0
