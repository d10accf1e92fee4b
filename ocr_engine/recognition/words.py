"""Where each word of a line stands: by the recogniser's steps roughly, and by the ink exactly.

A step of the model's output is 8 pixels of a line 48 high, and its answer comes somewhere within a letter. So the steps
only tell between which letters a gap lies; the widest white space there is the gap, and the ink on both sides of it
tells where the words end. Chinese and Japanese, which set no spaces, have a word of one character each.
"""

import re
from collections.abc import Iterator
from itertools import pairwise

import cv2
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from ocr_engine.crops import Pixels
from ocr_engine.image.ink import components, from_paper, ink_level
from ocr_engine.models.characters import FIRST_EAST_ASIAN
from ocr_engine.recognition.ctc import Reading

Flags = NDArray[np.bool_]

_WORD = re.compile(r"\S+")

EAST_ASIAN = (
    ("\u2e80", "\u30ff"),
    ("\u31c0", "\u9fff"),
    ("\uf900", "\ufaff"),
    ("\uff00", "\uffef"),
    ("\U00020000", "\U0003ffff"),
)
"""Blocks of radicals, kana, ideographs and their signs. Not Hangul: Korean sets spaces."""
MIN_INK_CONTRAST = 24
"""Levels that ink differs from the paper by at least: what differs less is the paper's own."""
FAINT_INK = 0.6
"""Of what parts ink from paper: from there on a pixel is a thin letter's, or a letter's grey rim."""
LINE_RIM = 0.12
"""Share of a line's height, at its top and bottom: what keeps to it belongs to the lines above and below."""
MIN_RULE_LENGTH = 2.0
"""By the line's height: what runs on for longer is a rule, not a letter. One that slopes a little is in parts."""
MIN_BORDER_SHARE = 0.9
"""Share of the line's height that a table's border covers at its ends, and of a short line's width that a rule does."""
RULE_ZONE = 0.35
"""Share of the line's height, at each of its ends, in which rules of cells and under words are looked for."""
RULE_COVER = 0.85
"""Share of the crop that such a rule runs along, gaps of a pixel or two and a slight slope aside."""
RULE_SLOPE = 0.04
"""Of the line's height, by which such a rule may rise and fall about its middle."""
RULE_WHITE = 0.25
"""Share of the crop that is inked at most between the rule and the letters: serifs touch their stems."""
MAX_INK_OVERHANG = 1.6
"""Ink further from the middle of the line's first or last character, in its characters, is no part of it."""
_INK = b"\x01"
"""Of a column, as a flag's byte."""
_NO_INK = b"\x00"
MAX_DIRT = 0.06
"""Share of the line's height: what is smaller in both directions is dirt, unless nothing else is there."""

AIR = 0.04
"""Of a word's height, left and right of its ink: letters have that much of their own, whatever stands beside them."""
NEAR_EDGE = 3
"""Pixels at each side of a word, of which blur and interpolation make the outer ones grey."""
COVERED = 0.8
"""Of the darkest of these, from which a pixel is all ink."""


class Place(Struct, frozen=True):
    """A word: its characters from `first` up to `last` in the line's text, and its box in shares of the line's own."""

    first: int
    last: int
    left: float
    top: float
    right: float
    bottom: float


def spans(text: str) -> Iterator[tuple[int, int]]:
    """The words of a text, first character and the one behind the last; East Asian characters one each."""
    if max(text, default="") < FIRST_EAST_ASIAN:
        yield from (word.span() for word in _WORD.finditer(text))
        return
    begun = -1
    for i, character in enumerate(text):
        alone = is_east_asian(character)
        if begun >= 0 and (alone or character.isspace()):
            yield begun, i
            begun = -1
        if alone:
            yield i, i + 1
        elif begun < 0 and not character.isspace():
            begun = i
    if begun >= 0:
        yield begun, len(text)


def is_east_asian(character: str) -> bool:
    """Whether it is of a script that sets no spaces between words."""
    return character >= FIRST_EAST_ASIAN and any(low <= character <= high for low, high in EAST_ASIAN)


def places(crop: Pixels, reading: Reading) -> list[Place]:
    """Where the words of a crop (H, W, 3) stand, whose text was read; by their places alone where no ink is seen."""
    words = [*spans(reading.text)]
    if not words or len(reading.places) != len(reading.text):
        return []
    width = crop.shape[1]
    # plain numbers: of so few, NumPy's calls cost more than what they compute
    middles = [min(max(place, 0.0), 1.0) * width for place in reading.places]
    parts = [middles[first:last] for first, last in words]
    ink, away = _ink(crop)
    dark = away * ink
    darkest = dark.max(axis=0)
    columns = np.asarray(darkest > 0, bool)
    # as they stand, from the left: scripts that run to the left have them in another order
    stand = sorted(range(len(words)), key=lambda i: sum(parts[i]) / len(parts[i]))
    first, last = ([end(parts[i]) for i in stand] for end in (min, max))
    edges = _ends(first[0], last[-1], width / max(1, len(middles)), width)
    gaps = [_boundary(columns, ink, left, right) for left, right in zip(last[:-1], first[1:], strict=True)]
    bounds = [*pairwise([edges[0], *gaps, edges[1]])]
    placed = {i: _place(dark, darkest, words[i], *bounds[k]) for k, i in enumerate(stand)}
    return [placed[i] for i in range(len(words))]


def _ends(first: float, last: float, pitch: float, width: int) -> tuple[int, int]:
    """Between which columns the line's ink is, by the middles of its leftmost and rightmost character."""
    return max(0, round(first - MAX_INK_OVERHANG * pitch)), min(width, round(last + MAX_INK_OVERHANG * pitch) + 1)


def _boundary(columns: Flags, ink: Flags, left: float, right: float) -> int:
    """The column that parts two words, by the middles of the letters on its sides: in the widest white space there."""
    first, last = round(min(left, right)), max(round(min(left, right)) + 1, round(max(left, right)))
    between = columns[first : last + 1]
    if not len(between):
        return min(first, len(columns))
    # few columns, and thousands of gaps a page: bytes are split in a tenth of the time of NumPy's calls
    inked = between.tobytes()
    widest = max(inked.split(_INK), key=len)
    if not widest:
        # the letters touch: where there is least ink
        return first + int(ink[:, first : last + 1].sum(axis=0).argmin())
    begins = inked.index(widest)
    return first + (begins + begins + len(widest)) // 2


def _place(dark: Pixels, darkest: Pixels, word: tuple[int, int], left: int, right: int) -> Place:
    """A word between two columns of its line; how dark its ink is, (H, W), and the darkest of each column."""
    height, width = dark.shape
    right = max(left + 1, right)
    columns = darkest[left:right].tobytes()
    if not columns.strip(_NO_INK):
        return Place(*word, left / width, 0.0, right / width, 1.0)
    (begin, end), (top, bottom) = (
        _extent(columns),
        _extent(cv2.reduce(dark[:, left:right], 1, cv2.REDUCE_MAX).tobytes()),
    )
    air = AIR * (bottom - top)
    return Place(
        *word,
        (left + max(0.0, begin - air)) / width,
        top / height,
        min(float(right), left + end + air) / width,
        bottom / height,
    )


def _extent(profile: bytes) -> tuple[float, float]:
    """Where ink begins and ends along its darkest pixels: as bytes, which for so few take a tenth of NumPy's time."""
    first, last = len(profile) - len(profile.lstrip(_NO_INK)), len(profile.rstrip(_NO_INK))
    return first + _bare(profile[first:last]), last - _bare(profile[first:last][::-1])


def _bare(profile: bytes) -> float:
    """How much of the first pixels is bare: one half as dark as its neighbours within is covered by half."""
    near, bare = profile[:NEAR_EDGE], 0.0
    darkest = max(near)
    for level in near:
        if level / darkest >= COVERED:
            break
        bare += 1 - level / darkest
    return bare


def _ink(crop: Pixels) -> tuple[Flags, Pixels]:
    """Which pixels (H, W) of a line are its letters: without rules, borders, dirt, and parts of other lines.

    And how far each (H, W) is from the paper, 0 to 255.
    """
    away = from_paper(crop)
    height = len(away)
    ink = (away > max(MIN_INK_CONTRAST, ink_level(away) * FAINT_INK)).astype(np.uint8)
    rim = max(1, round(LINE_RIM * height))
    seen = ink.copy()
    _clear_outer_rules(ink, seen, height)
    _clear_outer_rules(ink.T, seen.T, height)
    ink = _without_rules(ink, rim)
    count, labels, boxes = components(ink)
    _, top, wide, high, _ = boxes.T
    foreign = ((top == 0) & (high <= 2 * rim)) | ((top + high == height) & (high <= 2 * rim))
    dirt = (wide <= MAX_DIRT * height) & (high <= MAX_DIRT * height)
    kept = ~foreign & ~dirt
    if cv2.countNonZero(rules := cv2.subtract(seen, ink)):
        # what is left of a rule that slopes
        ruled = cv2.dilate(rules, np.ones((3, 5), np.uint8)) * ink
        beside = np.bincount(labels.ravel(), ruled.ravel(), count) > 0
        kept &= ~(beside & (high <= rim) & (wide > high))
    kept[0] = False
    if not kept.any():
        kept = ~foreign
        kept[0] = False
    return np.asarray(kept.take(labels), bool), np.asarray(away, np.uint8)


def _clear_outer_rules(ink: NDArray[np.uint8], seen: NDArray[np.uint8], height: int) -> None:
    """Takes out of `ink` rules that are `seen` to run along its upper and lower end, and all beyond them.

    They may slope a little, so that no row holds the whole of one; `height`: of the line, by which ends are measured.
    """
    zone, slack = round(RULE_ZONE * height), max(1, round(RULE_SLOPE * height))
    for rows, cleared in ((seen, ink), (seen[::-1], ink[::-1])):
        near = cv2.dilate(np.ascontiguousarray(rows[: zone + slack]), np.ones((2 * slack + 1, 1), np.uint8))[:zone]
        closed = cv2.morphologyEx(near, cv2.MORPH_CLOSE, np.ones((1, 5), np.uint8))
        ruled = np.flatnonzero(cv2.reduce(closed, 1, cv2.REDUCE_SUM, dtype=cv2.CV_32S) / closed.shape[1] >= RULE_COVER)
        if not len(ruled):
            continue
        # the last row of the outermost rule, and what follows it
        last = int(ruled[np.append(np.diff(ruled) > 1, True).argmax()])
        plain = rows[last + 1 - slack : min(zone, last + 4)].mean(axis=1)
        if last + 1 < zone and plain.min(initial=1.0) <= RULE_WHITE:
            cleared[: last + 1] = 0


def _without_rules(ink: NDArray[np.uint8], rim: int) -> NDArray[np.uint8]:
    """The ink (H, W) without rules along it and without the borders of a table, within `rim` pixels of its ends."""
    height, width = ink.shape
    if width >= height:
        long = round(min(MIN_RULE_LENGTH * height, MIN_BORDER_SHARE * width))
        ink = cv2.subtract(ink, cv2.morphologyEx(ink, cv2.MORPH_OPEN, np.ones((1, long), np.uint8))).astype(np.uint8)
    high = max(1, round(MIN_BORDER_SHARE * height))
    upright = cv2.morphologyEx(ink, cv2.MORPH_OPEN, np.ones((high, 1), np.uint8))
    upright[:, rim : width - rim] = 0
    return cv2.subtract(ink, upright).astype(np.uint8)
