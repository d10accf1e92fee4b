"""Letters that were passed over: print where the models read nothing, as they do beside figures of Russian receipts."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from ocr_engine.boxes import Quads, extents
from ocr_engine.crops import Cuts, Pixels
from ocr_engine.image.ink import MIN_PRINT_CONTRAST, components, from_paper, ink_of
from ocr_engine.recognition.ctc import Reading

MIN_HOLE = 1.6
"""Heights of a line without a character, from which its ink is looked at; blanks between words are .2 to .5."""
CHARACTER = 0.35
"""Heights of the line that a character beside a hole fills on each side of its place."""
LETTER_HEIGHTS = 0.25, 0.92
"""Of the line's height, those of parts that may be letters: leaders and rules are lower, bars and frames higher."""
MIN_PARTS = 3
"""Of a hole with letters in it: a pictogram has one."""
MIN_COVER = 0.5
"""Share of a hole's columns under such parts."""


def passed_over(cuts: Cuts, quads: Quads, readings: Sequence[Reading]) -> NDArray[np.float64]:
    """Of each box (n, 4, 2): the length of print in it that was not read, by the line's length, 0 to 1."""
    longer, shorter = extents(quads)
    ratios = (longer / np.maximum(shorter, 1)).tolist()
    return np.array(
        [_share(cuts, quad, read, ratio) for quad, read, ratio in zip(quads, readings, ratios, strict=True)], np.float64
    )


def _share(cuts: Cuts, quad: NDArray[np.float32], reading: Reading, ratio: float) -> float:
    holes = [] if reading.corner else [*_holes(reading, ratio)]
    if not holes:
        return 0.0
    columns = _letters(cuts.cut(quad))
    return sum(_filled(columns, begin, end) for begin, end in holes)


def _holes(reading: Reading, ratio: float) -> Iterator[tuple[float, float]]:
    """Stretches of a line, 0 to 1, without a character; `ratio` is its length by its height."""
    if len(reading.places) != len(reading.text):
        return
    places = [place for place, character in zip(reading.places, reading.text, strict=True) if character != " "]
    reach = CHARACTER / ratio
    begins, ends = [0.0, *(place + reach for place in places)], [*(place - reach for place in places), 1.0]
    yield from ((begin, end) for begin, end in zip(begins, ends, strict=True) if end - begin >= MIN_HOLE / ratio)


def _letters(crop: Pixels) -> list[tuple[float, float]]:
    """Left and right, 0 to 1, of what may be letters in a crop (H, W, 3)."""
    away = from_paper(crop)
    if away.max() < MIN_PRINT_CONTRAST:
        return []
    height, width = away.shape
    boxes = components(ink_of(away, contrast=0))[2][1:]
    lowest, highest = LETTER_HEIGHTS
    letters = boxes[(boxes[:, 3] >= lowest * height) & (boxes[:, 3] <= highest * height)]
    return [(x / width, (x + w) / width) for x, w in letters[:, [0, 2]].tolist()]


def _filled(letters: Sequence[tuple[float, float]], begin: float, end: float) -> float:
    """The length of a hole, where letters fill it; else 0."""
    inside = [(max(begin, left), min(end, right)) for left, right in letters if begin <= (left + right) / 2 <= end]
    cover = sum(right - left for left, right in inside)
    return end - begin if len(inside) >= MIN_PARTS and cover >= MIN_COVER * (end - begin) else 0.0
