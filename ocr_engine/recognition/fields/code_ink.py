"""Underscores and backticks in the ink of a line of monospaced print: where they are, and how many of them."""

from collections.abc import Iterator

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from ocr_engine.crops import Pixels
from ocr_engine.image.ink import components, from_paper, ink_level

MIN_MARK_CONTRAST = 40
"""Levels of grey between ink and paper, at least."""
FAINT_MARK = 0.8
"""Of what parts ink from paper: thin strokes are paler than letters."""
LINE_ROWS = 1.45, 0.7
"""By the pitch, over and under the base line, what is of the line and of no other one."""
LETTER_SIZE = 0.6
"""By the pitch, the height from which a piece of ink is a letter, whose foot tells the base line."""
HIGHEST_STROKE = 0.06
"""By the pitch, over the base line, what is not of an underscore."""
OWN_STROKE, MAX_STROKES = 0.3, 4
"""By the pitch, how far the width of a run of underscores may be off a whole number; how many there are at most, or
it is a rule."""
PART_OF_STROKE, STROKE_GAP = 0.45, 0.3
"""By the pitch, how wide each of its parts is at least, and the gap that may be between two."""
TICK_SIZES, TICK_FLOOR = (0.1, 0.7), 0.7
"""By the pitch, how large a backtick is each way, and how high over the base line its middle."""
TICK_FALLS, TICK_SLIM = 0.12, 1.35
"""By its height, how much further right a backtick's lower half is; by its width, how high it is at most."""
WORD_GAPS = 0.5, 0.65
"""By the pitch, from which ink that is not there is a blank, where one was read, and where none was."""


class Mark(Struct, frozen=True):
    """Underscores, a backtick, or another sign, in pixels along the line."""

    left: float
    right: float
    text: str

    @property
    def middle(self) -> float:
        """In pixels, too."""
        return (self.left + self.right) / 2


class LineInk(Struct, frozen=True, eq=False):
    """The ink of a line and what is beside it."""

    mask: NDArray[np.uint8]
    """(H, W), 1 where ink is."""
    base: float
    """Row of the base line."""
    pitch: float
    """Pixels from character to character."""


def line_ink(crop: Pixels, pitch: float, box: tuple[float, float]) -> LineInk | None:
    """The ink of a crop (H, W, 3), where the line's box lies between two columns; None where no letter is in it."""
    away = from_paper(crop)
    mask = np.asarray(away > max(FAINT_MARK * ink_level(away), MIN_MARK_CONTRAST), np.uint8)
    x, y, _, tall, _ = components(mask)[2][1:].astype(np.int64).T
    letters = (tall >= LETTER_SIZE * pitch) & (x >= box[0] - pitch) & (x < box[1])
    if not letters.any():
        return None
    base = float(np.median((y + tall)[letters]))
    top = max(0, round(base - LINE_ROWS[0] * pitch))
    return LineInk(mask[top : round(base + LINE_ROWS[1] * pitch)], base - top, pitch)


def is_apart(ink: LineInk, edge: float, way: int, *, read: bool) -> bool:
    """Whether a blank is beside a column, on one side (-1 left, 1 right): no ink for as long; `read`: one was."""
    begin, end = sorted((edge, edge + way * WORD_GAPS[not read] * ink.pitch))
    return not ink.mask[:, max(0, round(begin)) : max(0, round(end))].any()


def strokes(ink: LineInk) -> Iterator[Mark]:
    """Runs of columns with ink under the base line only, as wide as whole numbers of characters."""
    pitch = ink.pitch
    top = max(0, round(ink.base - HIGHEST_STROKE * pitch))
    above = np.asarray(ink.mask[:top].any(axis=0), bool)
    below = np.asarray(ink.mask[top:].any(axis=0), bool)
    alone = np.concatenate(([False], below & ~above, [False]))
    edges = np.flatnonzero(alone[1:] != alone[:-1]).reshape(-1, 2)
    runs: list[list[int]] = []
    for begin, end in edges[edges[:, 1] - edges[:, 0] >= PART_OF_STROKE * pitch].tolist():
        if runs and begin - runs[-1][1] <= STROKE_GAP * pitch and not above[runs[-1][1] : begin].any():
            runs[-1][1] = end
        else:
            runs.append([begin, end])
    for begin, end in runs:
        count = round((end - begin) / pitch)
        if 1 <= count <= MAX_STROKES and abs((end - begin) / pitch - count) <= OWN_STROKE:
            yield Mark(begin, end, "_" * count)


def ticks(ink: LineInk) -> Iterator[Mark]:
    """Small pieces of ink that stand high, with nothing under them: backticks, which fall, and slim apostrophes."""
    _, labels, stats = components(ink.mask)
    least, most = (size * ink.pitch for size in TICK_SIZES)
    floor = ink.base - TICK_FLOOR * ink.pitch
    for number, (x, y, wide, tall, _) in enumerate(np.asarray(stats, np.int64)[1:].tolist(), 1):
        if not (least <= wide <= most and least <= tall <= most and y + tall / 2 < floor):
            continue
        under = ink.mask[y + tall : round(ink.base), x + wide // 4 : x + wide - wide // 4]
        shape = np.asarray(labels[y : y + tall, x : x + wide] == number, np.float64)
        if not under.any() and (_falls(shape) or tall > TICK_SLIM * wide):
            # an underscore fills its place, of these only the middle
            middle = x + wide / 2
            yield Mark(middle - ink.pitch / 2, middle + ink.pitch / 2, "`" if _falls(shape) else "'")


def _falls(shape: NDArray[np.float64]) -> bool:
    """Whether the lower half of a piece of ink (H, W) lies further right than the upper one, and it is not slim."""
    columns = np.arange(shape.shape[1])
    upper, lower = shape[: len(shape) // 2], shape[len(shape) - len(shape) // 2 :]
    if not upper.any() or not lower.any():
        return False
    shift = (lower.sum(axis=0) @ columns) / lower.sum() - (upper.sum(axis=0) @ columns) / upper.sum()
    return bool(shift > TICK_FALLS * len(shape) and len(shape) <= TICK_SLIM * shape.shape[1])
