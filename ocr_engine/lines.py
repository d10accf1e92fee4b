"""From the boxes of a page and what was read in them to its lines in reading order, with their rows and words."""

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from ocr_engine.boxes import Quads, inside, part
from ocr_engine.crops import Cuts, turn_back
from ocr_engine.layout import Piece, from_the_top, pieces_in_order, row_order
from ocr_engine.options import EngineOptions
from ocr_engine.recognition import words
from ocr_engine.recognition.ctc import Reading
from ocr_engine.recognition.script import Support, as_believed
from ocr_engine.result import OcrLine, OcrWord, Polygon, Rotation


class View(Struct, frozen=True, kw_only=True):
    """How a viewer shows the page that was read."""

    width: int
    height: int
    rotation: Rotation
    """Degrees clockwise by which it was turned to be read."""
    zoom: float
    """How many times as large it was made to be read."""
    right_to_left: bool = False
    """Its text runs so, and so do its columns."""

    def shown(self, quads: Quads) -> list[Polygon]:
        """Where boxes (n, 4, 2) on the page as it was read are shown; none outside of the page."""
        size = (self.width, self.height)
        seen = turn_back(np.asarray(quads / self.zoom, np.float32), self.rotation, *size)
        return [polygon(quad) for quad in np.round(np.clip(seen, 0, size).astype(np.float64), 1)]


def lines_of(
    page: Cuts,
    quads: Quads,
    readings: Sequence[Reading],
    supports: Sequence[Support],
    view: View,
    options: EngineOptions,
) -> tuple[OcrLine, ...]:
    """The lines that hold text, in reading order, where a viewer shows them; `quads` (n, 4, 2) are their boxes.

    `supports` (n): whether the models hold their script; what they do not hold is not believed.
    """
    kept = [i for i, reading in enumerate(readings) if reading.text.strip()]
    if not kept:
        return ()
    quads, readings = quads[kept], [as_believed(readings[i], supports[i]) for i in kept]
    supports = [supports[i] for i in kept]
    pieces = _pieces(np.asarray(quads / view.zoom, np.float32), readings, view, options)
    # from here on each box begins at the text's own top left
    quads = np.array([np.roll(quad, -reading.corner, axis=0) for quad, reading in zip(quads, readings, strict=True)])
    placed = [words.places(page.cut(quad), reading) for quad, reading in zip(quads, readings, strict=True)]
    shown = view.shown(
        np.array([part(quads[piece.line], piece.begins, piece.ends) for piece in pieces]).reshape(-1, 4, 2)
    )
    return tuple(
        OcrLine(
            text=readings[piece.line].text[piece.first : piece.last].strip(),
            confidence=round(readings[piece.line].confidence, 4),
            polygon=polygon_,
            low_confidence=readings[piece.line].confidence < options.min_confidence,
            unsupported_script=supports[piece.line] != "read",
            row=piece.row,
            words=_words(
                quads[piece.line],
                readings[piece.line],
                [word for word in placed[piece.line] if piece.first <= word.first < piece.last],
                view,
            ),
        )
        for piece, polygon_ in zip(pieces, shown, strict=True)
    )


def _words(
    quad: NDArray[np.float32], reading: Reading, placed: Sequence[words.Place], view: View
) -> tuple[OcrWord, ...]:
    """The words of a line (4, 2), all at once: a page has hundreds."""
    if not placed:
        return ()
    shares = np.array([(word.left, word.top, word.right, word.bottom) for word in placed], np.float64)
    return tuple(
        OcrWord(reading.text[word.first : word.last], round(reading.confidence_of(word.first, word.last), 4), polygon_)
        for word, polygon_ in zip(placed, view.shown(inside(quad, shares)), strict=True)
    )


def polygon(quad: NDArray[np.floating[Any]]) -> Polygon:
    """The corners (4, 2) as plain numbers."""
    (ax, ay), (bx, by), (cx, cy), (dx, dy) = quad.tolist()
    return (ax, ay), (bx, by), (cx, cy), (dx, dy)


def _pieces(quads: Quads, readings: Sequence[Reading], view: View, options: EngineOptions) -> list[Piece]:
    """In reading order. A page that runs to the left is ordered as its mirror image, which runs to the right."""
    if view.right_to_left:
        mirrored = [_mirrored(reading) for reading in readings]
        return [_turned_over(piece) for piece in _to_the_right(_mirror(quads), mirrored, options)]
    return _to_the_right(quads, readings, options)


def _to_the_right(quads: Quads, readings: Sequence[Reading], options: EngineOptions) -> list[Piece]:
    boxes, texts = [polygon(quad) for quad in quads], [reading.text for reading in readings]
    if options.reading_order == "columns":
        return pieces_in_order(boxes, texts, [reading.places if not reading.corner else () for reading in readings])
    in_rows = (
        row_order(boxes, texts) if options.reading_order == "rows" else [[line] for line in from_the_top(boxes, texts)]
    )
    rows = enumerate(in_rows, 1)
    return [Piece(line, 0, len(texts[line]), row=row) for row, members in rows for line in members]


def _mirror(quads: Quads) -> Quads:
    """The boxes (n, 4, 2) as a mirror shows them, their corners clockwise from the top left again."""
    seen = quads[:, [1, 0, 3, 2]].copy()
    seen[..., 0] = quads[..., 0].max() - seen[..., 0]
    return seen


def _mirrored(reading: Reading) -> Reading:
    return msgspec.structs.replace(reading, places=tuple(1 - place for place in reading.places))


def _turned_over(piece: Piece) -> Piece:
    return msgspec.structs.replace(piece, begins=1 - piece.ends, ends=1 - piece.begins)
