"""What stands in an image, and what was read there: what all figures of accuracy compare."""

from typing import Literal

from msgspec import Struct

from benchmarks.accuracy.polygons import Shape

Order = Literal["reader", "rows", "unknown"]
"""How the lines of a truth are ordered: as a person reads them, by rows from the top, or nobody says."""


class Line(Struct, frozen=True):
    """A line of text and where it stands, in pixels; None where that is not known."""

    text: str
    shape: Shape | None = None
    words: tuple["Line", ...] = ()
    """Its words and their places, where they are known."""
    row: int = 0
    """Lines of one number, one after the other, are one row of the text; 0: each is a row of its own."""


class Cell(Struct, frozen=True):
    """A cell of a table, rows and columns counted from 0."""

    row: int
    column: int
    text: str
    row_span: int = 1
    column_span: int = 1


Table = tuple[Cell, ...]


class Read(Struct, frozen=True):
    """What an engine read in an image."""

    lines: tuple[Line, ...] = ()
    """In the order in which it gives them."""
    tables: tuple[Table, ...] = ()
    """Of an engine that tells tables."""


class Truth(Struct, frozen=True, kw_only=True):
    """What stands in an image."""

    lines: tuple[str, ...]
    """In reading order."""
    boxed: tuple[Line, ...] = ()
    """The same text, word by word or line by line, with its places; empty where they are not known."""
    by_word: bool = False
    """Whether `boxed` has words rather than lines."""
    ignore: tuple[Shape, ...] = ()
    """Places whose text is not known; what is read there does not count."""
    complete: bool = True
    """False: more text may stand in the image than `lines` tells."""
    order: Order = "unknown"
    pairs: tuple[tuple[str, str], ...] = ()
    """What belongs together on one line, such as an item and its price; empty where nothing does, or nobody says."""
    tables: tuple[Table, ...] | None = None
    """None where nobody says which tables there are."""


class Overlap(Struct, frozen=True):
    """Two bags compared."""

    common: int = 0
    truth: int = 0
    read: int = 0

    @property
    def precision(self) -> float:
        """Share of what was read that is true."""
        return self.common / self.read if self.read else 0.0

    @property
    def recall(self) -> float:
        """Share of the truth that was read."""
        return self.common / self.truth if self.truth else 0.0

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        return 2 * self.common / (self.truth + self.read) if self.common else 0.0

    def __add__(self, other: "Overlap") -> "Overlap":
        return Overlap(self.common + other.common, self.truth + other.truth, self.read + other.read)


class Share(Struct, frozen=True):
    """Some of all."""

    part: float = 0.0
    whole: int = 0

    @property
    def value(self) -> float | None:
        """0 to 1; None of nothing."""
        return self.part / self.whole if self.whole else None

    def __add__(self, other: "Share") -> "Share":
        return Share(self.part + other.part, self.whole + other.whole)
