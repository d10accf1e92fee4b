"""Dotted leaders of lists of contents: the dots that lead the eye from a title to its page's number, which are no text.

A box that holds some of them is read worse, as they look like little to squeeze and come out as points, ellipses or
nothing; a lone `v` behind them is in no box. Told by the ink: small spots of one size, level with each other at one
pitch, with nothing above. Where others than numbers of pages stand behind most of them, they are left as they are.
"""

import re
from collections.abc import Iterator, Sequence

import cv2
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from ocr_engine.boxes import Quads
from ocr_engine.crops import Pixels
from ocr_engine.image.ink import components, from_paper, ink_of

MIN_ENTRIES = 3
"""Lines of a page that end in the number of a page, from which it may list contents."""
MIN_NUMBER_SHARE = 0.6
"""Of the leaders with a line behind them, those that lead to a number."""
MIN_DOTS = 5
"""Dots of a leader."""
MAX_DOTS = 20_000
"""Spots of a page that are looked at, which bounds what a page of noise costs."""
DOT_SIZE = 0.25
"""By the height of the page's boxes, in which letters fill two thirds: of a dot, at most."""
BOX_BY_LETTERS = 2.6
"""Height of a box by the median of its letters', at most."""
DOT_FILLED = 0.45
"""Of the square around a dot, at least."""
MAX_PITCH, LEVEL, PITCHES = 1.0, 0.09, (0.6, 1.5)
"""By that height, from dot to dot along a leader, and up or down; by the leader's median, pitches of most of it."""
MIN_EVEN = 0.8
"""Share of the pitches of a leader that are so."""
ABOVE, BELOW = 0.55, 0.12
"""By the same height, around a leader, where nothing else stands: dots under letters underline them."""
NUMBER_REACH = 2.5
"""How far behind a leader its number stands, by the same height."""
MARGIN, BESIDE_DOTS = 0.22, 0.07
"""Around what is cut off from a leader, by the same height; beside the leader."""
RISE, DEPTH = 0.62, 0.28
"""Above and below a leader, by the same height, what is cut off from it reaches at least: of a lone `v` without the
white above it nothing tells that it is no `V`."""
SMALL = 0.85
"""By the height of digits, of small letters, at most."""
_SMALL = {"V": "v", "X": "x", "<": "v", "く": "v"}
_HINT = re.compile(r"[.·•…]\s*[.·•…]|…|(?<!\S)[.·•]|[^\W\d]\.\s*\d+$")
_NUMBER = re.compile(r"(?:^|[\s.·•…])[.·•…]*(?:\d{1,4}|[ivxlcdm]{1,7}|[IVXLC]{1,7})$")


class _Leader(Struct, frozen=True):
    left: float
    right: float
    y: float


def torn(page: Pixels, quads: Quads, texts: Sequence[str]) -> dict[int, Quads]:
    """What is left, by their numbers, of the boxes (n, 4, 2) of a page of contents that hold leaders, without these.

    By -1 boxes of what stands behind leaders and is in none. Empty where it is none; `texts`: what was read in each.
    """
    numbers = np.array([bool(_NUMBER.search(text)) for text in texts], bool)
    if np.count_nonzero(numbers) < MIN_ENTRIES or not (any(map(_HINT.search, texts)) or _are_pages(quads, texts)):
        return {}
    low, high = quads.min(axis=1), quads.max(axis=1)
    unit = float(np.median((high - low)[:, 1]))
    ink = _ink(page)
    _, _, stats, centres = cv2.connectedComponentsWithStats(ink, connectivity=8)
    shapes, middles = np.asarray(stats[1:], np.int32), np.asarray(centres[1:], np.float64)
    letters = shapes[:, cv2.CC_STAT_HEIGHT] > 0.2 * unit
    if not letters.any():
        return {}
    # boxes of long lines are thick
    unit = min(unit, BOX_BY_LETTERS * float(np.median(shapes[letters, cv2.CC_STAT_HEIGHT])))
    leaders = _leaders(shapes, middles, unit)
    lines = [_level(leader, low, high) for leader in leaders]
    ends = [_behind(leader, line, low, high, unit) for leader, line in zip(leaders, lines, strict=True)]
    led = [end for end in ends if end is not None]
    if np.count_nonzero(numbers[led]) < max(MIN_ENTRIES, MIN_NUMBER_SHARE * len(led)):
        return {}
    found: dict[int, list[NDArray[np.float32]]] = {-1: []}
    for i in {i for line in lines for i in line}:
        mine = sorted(
            (leader for leader, line in zip(leaders, lines, strict=True) if i in line), key=lambda each: each.left
        )
        stops = [*(each.left for each in mine), float(high[i, 0])]
        begins = [float(low[i, 0]), *(each.right for each in mine)]
        parts = [
            _boxed(ink, (begin, float(low[i, 1]), stop, float(high[i, 1])), unit, mine[0].y)
            for begin, stop in zip(begins, stops, strict=True)
        ]
        found[i] = [part for part in parts if part is not None]
    for leader, end in zip(leaders, ends, strict=True):
        if end is None:
            around = (
                leader.right,
                leader.y - ABOVE * unit,
                leader.right + NUMBER_REACH * unit,
                leader.y + 2 * BELOW * unit,
            )
            if (part := _boxed(ink, around, unit, leader.y)) is not None:
                found[-1].append(part)
    return {i: np.array(parts, np.float32).reshape(-1, 4, 2) for i, parts in found.items()}


def spelt(page: Pixels, quads: Quads, texts: Sequence[str]) -> list[str]:
    """What was read in the boxes (n, 4, 2) of a page of contents, `v` for the `V` that it looks like alone."""
    small = [i for i, text in enumerate(texts) if text in _SMALL]
    digits = [i for i, text in enumerate(texts) if text.isdecimal()]
    if not small or not digits:
        return [*texts]
    usual = float(np.median([_height(page, quads[i]) for i in digits]))
    low = {i for i in small if _height(page, quads[i]) < SMALL * usual}
    return [_SMALL[text] if i in low else text for i, text in enumerate(texts)]


def _height(page: Pixels, quad: NDArray[np.float32]) -> int:
    """Of the ink in a box (4, 2)."""
    left, top = np.maximum(quad.min(axis=0), 0).astype(int).tolist()
    right, bottom = np.ceil(quad.max(axis=0)).astype(int).tolist()
    rows = np.flatnonzero(_ink(page[top : max(bottom, top + 1), left : max(right, left + 1)]).any(axis=1))
    return int(np.ptp(rows)) + 1 if len(rows) else 0


def _ink(page: Pixels) -> NDArray[np.uint8]:
    return ink_of(from_paper(page))


def _are_pages(quads: Quads, texts: Sequence[str]) -> bool:
    """Whether the lines that are numbers and nothing else rise from the top of a page to its end."""
    lone = [i for i, text in enumerate(texts) if text.isdecimal()]
    numbers = [int(texts[i]) for i in sorted(lone, key=lambda i: float(quads[i, :, 1].mean()))]
    return len(numbers) >= MIN_ENTRIES and numbers == sorted(numbers) and numbers[0] < numbers[-1]


def _leaders(shapes: NDArray[np.int32], middles: NDArray[np.float64], unit: float) -> list[_Leader]:
    """The leaders among the shapes (n, 5) of a page's ink, where boxes are `unit` pixels high."""
    width, height, area = (shapes[:, i] for i in (cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT, cv2.CC_STAT_AREA))
    small = np.maximum(width, height) <= max(DOT_SIZE * unit, 2)
    round_ = (np.maximum(width, height) <= 2 * np.minimum(width, height)) & (area >= DOT_FILLED * width * height)
    dots = middles[small & round_]
    others = shapes[~small]
    if not MIN_DOTS <= len(dots) <= MAX_DOTS:
        return []
    found = (_leader(chain, others, unit) for chain in _chains(dots, unit))
    return [leader for leader in found if leader is not None]


def _chains(dots: NDArray[np.float64], unit: float) -> Iterator[list[tuple[float, float]]]:
    """Dots (n, 2) that follow each other from left to right."""
    open_: list[list[tuple[float, float]]] = []
    pitch, level = MAX_PITCH * unit, max(LEVEL * unit, 1)
    for x, y in dots[np.argsort(dots[:, 0], kind="stable")].tolist():
        yield from [chain for chain in open_ if x - chain[-1][0] > pitch]
        open_ = [chain for chain in open_ if x - chain[-1][0] <= pitch]
        near = [chain for chain in open_ if abs(y - chain[-1][1]) <= level]
        if near:
            max(near, key=lambda chain: chain[-1][0]).append((x, y))
        else:
            open_.append([(x, y)])
    yield from open_


def _leader(chain: Sequence[tuple[float, float]], others: NDArray[np.int32], unit: float) -> _Leader | None:
    """The longest part of a chain of dots that stands apart from all others, shapes (n, 5)."""
    dots = np.array(chain)
    if len(dots) < MIN_DOTS:
        return None
    x, y = dots[:, 0], float(np.median(dots[:, 1]))
    near = others[(others[:, 1] < y + BELOW * unit) & (others[:, 1] + others[:, 3] > y - ABOVE * unit)]
    begins, ends = near[:, 0] - BESIDE_DOTS * unit, near[:, 0] + near[:, 2] + BESIDE_DOTS * unit
    free = ~((x[:, None] > begins) & (x[:, None] < ends)).any(axis=1)
    edges = np.flatnonzero(np.diff(np.concatenate(([0], free, [0]))))
    runs = edges.reshape(-1, 2)
    if not len(runs):
        return None
    first, last = runs[(runs[:, 1] - runs[:, 0]).argmax()]
    x = x[first:last]
    if len(x) < MIN_DOTS:
        return None
    pitches = np.diff(x)
    usual = float(np.median(pitches))
    even = (pitches >= PITCHES[0] * usual) & (pitches <= PITCHES[1] * usual)
    return _Leader(float(x[0]), float(x[-1]), y) if np.count_nonzero(even) >= MIN_EVEN * len(pitches) else None


def _level(leader: _Leader, low: NDArray[np.float32], high: NDArray[np.float32]) -> list[int]:
    """The boxes that hold some of a leader, in the middle or lower part of their heights."""
    depth = (leader.y - low[:, 1]) / np.maximum(high[:, 1] - low[:, 1], 1)
    held = (low[:, 0] < leader.right) & (high[:, 0] > leader.left) & (depth > 0.35) & (depth < 0.9)
    return np.flatnonzero(held).tolist()


def _behind(
    leader: _Leader, line: Sequence[int], low: NDArray[np.float32], high: NDArray[np.float32], unit: float
) -> int | None:
    """The box that a leader leads to, if any."""
    over = [i for i in line if high[i, 0] > leader.right + DOT_SIZE * unit]
    if over:
        return max(over, key=lambda i: float(high[i, 0]))
    depth = (leader.y - low[:, 1]) / np.maximum(high[:, 1] - low[:, 1], 1)
    away = low[:, 0] - leader.right
    near = np.flatnonzero((depth > 0.35) & (depth < 0.9) & (away > -DOT_SIZE * unit) & (away < NUMBER_REACH * unit))
    return min(near.tolist(), key=lambda i: float(away[i]), default=None)


def _boxed(
    ink: NDArray[np.uint8], around: tuple[float, float, float, float], unit: float, y: float
) -> NDArray[np.float32] | None:
    """The box (4, 2) of the letters between a left, a top, a right and a bottom, beside a leader at `y`, if any."""
    left, top = (max(0, round(each)) for each in around[:2])
    part = ink[top : max(top, round(around[3])), left : max(left, round(around[2]))]
    if not part.size:
        return None
    shapes = components(part)[2][1:]
    large = shapes[shapes[:, cv2.CC_STAT_HEIGHT] > DOT_SIZE * unit]
    if not len(large):
        return None
    x, upper, width, height, _ = large.T
    begin, end = left + float(x.min()) - BESIDE_DOTS * unit, left + float((x + width).max()) + BESIDE_DOTS * unit
    upper_end = min(top + float(upper.min()) - MARGIN * unit, y - RISE * unit)
    lower_end = max(top + float((upper + height).max()) + MARGIN * unit, y + DEPTH * unit)
    return np.array([(begin, upper_end), (end, upper_end), (end, lower_end), (begin, lower_end)], np.float32)
