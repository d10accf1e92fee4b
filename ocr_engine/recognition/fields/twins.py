"""`0` or `O`, `1` or `l` or `I` in monospaced serials and program code, told by how the page's own print draws them.

The recogniser takes them for what is likeliest in such words, digits mostly. What stands in numbers and in words of the
same page shows how its font draws each of them: where one that may be another has that one's shape, and not its own,
that is what stands there. Where a font draws them alike, or shows neither surely, nothing is changed.
"""

import re
from collections.abc import Iterator, Mapping, Sequence

import cv2
import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from ocr_engine.boxes import Quads, extents
from ocr_engine.crops import Pixels, cut
from ocr_engine.image.ink import components, from_paper, ink_of
from ocr_engine.recognition.ctc import Reading

FAMILIES = ("0Oo", "1lI|")
"""Signs that look like each other."""
MAX_TWINS, MAX_EXAMPLES = 2000, 8
"""Such signs of a page that are looked at, and of each those compared with, which bounds what a page of them costs."""
MIN_PITCHED, MIN_PITCHED_WORDS = 6, 3
"""Characters of words that tell a page's pitch, and how many of these there are at least."""
MAX_PITCH_SPREAD, MAX_ASTRAY = 0.03, 0.45
"""By the pitch: what a word's differs from the page's, and a character's place from its own, both in the median. On 33
drawn pages of code and serials at most .022 and .39, on pages that are not monospaced .03 and more; receipts are."""
MIN_TWIN_HEIGHT = 5
"""Pixels of the ink of such a sign, from which its shape tells."""
NEAR_PLACE = 0.2
"""By the height of a line, how far from where the model says a sign's ink may stand."""
CAPITALS, CAPITALS_BY_BOX = 32.0, 0.5
"""Pixels of a capital's height where shapes are compared, and its height by that of its box."""
SHAPE_SIDE = 52
"""Pixels of the square around the middle of a sign's ink there."""
BLUR, RIM = 1.2, 2
"""Pixels: of those there, which evens out where ink falls on the page's own; of these around the ink, as grey rim."""
ALIKE, CLEARLY = 0.25, 0.67
"""Share of the ink that differs between shapes of one sign, at most; by that to the sign that was read. On those pages
it is .12 in the median within a sign, and .16 to 1 between two."""
EXAMPLE = 33
"""Percentile of the distances to a sign's examples that counts: some of these are blurred or wrongly read."""
MIN_OTHERS, MIN_DIGITS = 2, 3
"""Signs of a word that have no twins, from which it says what its twins are; digits of a number that does."""
_FAMILY = {sign: family for family in FAMILIES for sign in family}
_TOKEN = re.compile(r"[^\W_]+|\|")
_WORD = re.compile(rf"\S{{{MIN_PITCHED},}}")


class _Sign(Struct, frozen=True):
    """One of these signs in a line."""

    at: int
    surely: bool
    """Is it in a word or a number that leaves no doubt what it is?"""
    lettered: bool = False
    """Is it in a word of letters, and one itself?"""


class _Glyph(Struct, frozen=True, eq=False):
    """One of these signs as it is drawn."""

    line: int
    at: int
    sign: str
    surely: bool
    lettered: bool
    shape: NDArray[np.float32]
    """Its ink (SHAPE_SIDE, SHAPE_SIDE), 0 to 1."""


def put_right(page: Pixels, quads: Quads, readings: Sequence[Reading]) -> list[Reading]:
    """The readings of the boxes (n, 4, 2) of a page, such signs as their shapes say."""
    readings = [*readings]
    signs = [_signs(reading) for reading in readings]
    if all(sign.surely for line in signs for sign in line) or not pitch(quads, readings):
        return readings
    scale = CAPITALS / (CAPITALS_BY_BOX * float(np.median(extents(quads)[1])))
    glyphs: list[_Glyph] = []
    for i, line in enumerate(signs):
        if line and len(glyphs) < MAX_TWINS:
            glyphs += _glyphs(i, cut(page, quads[i]), readings[i], line, scale)
    for family in FAMILIES:
        for glyph, sign in _told([glyph for glyph in glyphs if glyph.sign in family]):
            reading = readings[glyph.line]
            text = reading.text[: glyph.at] + sign + reading.text[glyph.at + 1 :]
            readings[glyph.line] = msgspec.structs.replace(reading, text=text, doubts=())
    return readings


def _signs(reading: Reading) -> list[_Sign]:
    """Where such signs stand, if their places are known."""
    if reading.corner or len(reading.places) != len(reading.text):
        return []
    return [
        _Sign(at, surely, token[0].isalpha() and len(token[0]) > 1)
        for token in _TOKEN.finditer(reading.text)
        if not _FAMILY.keys().isdisjoint(token[0])
        for surely in [_is_sure(token[0])]
        for at in range(token.start(), token.end())
        if reading.text[at] in _FAMILY
    ]


def _is_sure(token: str) -> bool:
    others = sum(sign not in _FAMILY for sign in token)
    if token.isdecimal():
        return len(token) >= (MIN_OTHERS if others else MIN_DIGITS)
    return others >= MIN_OTHERS and token.isalpha() and (token.isupper() or token[1:].islower())


def pitch(
    quads: Quads, readings: Sequence[Reading], spread: float = MAX_PITCH_SPREAD, astray: float = MAX_ASTRAY
) -> float:
    """Pixels from character to character of the boxes (n, 4, 2) of a monospaced page, 0 where they follow no pitch."""
    pitches, errors = list[float](), list[float]()
    for length, reading in zip(extents(quads)[0].tolist(), readings, strict=True):
        if reading.corner or len(reading.places) != len(reading.text):
            continue
        for word in _WORD.finditer(reading.text):
            places = np.array(reading.places[word.start() : word.end()]) * length
            own = float(places[-1] - places[0]) / (len(places) - 1)
            if own > 0:
                pitches.append(own)
                errors.append(float(np.abs(places - places[0] - own * np.arange(len(places))).max()) / own)
    if len(pitches) < MIN_PITCHED_WORDS:
        return 0.0
    usual = float(np.median(pitches))
    differ = float(np.median(np.abs(np.array(pitches) - usual))) / usual
    return usual if differ <= spread and float(np.median(errors)) <= astray else 0.0


def _told(glyphs: Sequence[_Glyph]) -> Iterator[tuple[_Glyph, str]]:
    """The doubtful ones of a family that are another sign than was read, and which."""
    known: dict[str, list[_Glyph]] = {}
    for glyph in glyphs:
        if glyph.surely and len(known.setdefault(glyph.sign, [])) < MAX_EXAMPLES:
            known[glyph.sign].append(glyph)
    doubtful = [glyph for glyph in glyphs if not glyph.surely] if known else []
    distances = [_distances(glyph, known) for glyph in doubtful]
    for glyph, near in zip(doubtful, distances, strict=True):
        best = min(near, key=lambda sign: near[sign])
        if best == glyph.sign or near[best] > ALIKE or (glyph.lettered and not best.isalpha()):
            continue
        # how this font draws the sign that was read is else shown by others that were read so
        others = (other[best] for each, other in zip(doubtful, distances, strict=True) if each.sign == glyph.sign)
        if near[best] < CLEARLY * (near[glyph.sign] if glyph.sign in near else max(others)):
            yield glyph, best


def _distances(glyph: _Glyph, known: Mapping[str, Sequence[_Glyph]]) -> dict[str, float]:
    """To each sign as the page draws it."""
    return {
        sign: float(np.percentile([_distance(glyph, other) for other in some], EXAMPLE)) for sign, some in known.items()
    }


def _distance(a: _Glyph, b: _Glyph) -> float:
    """Share of the ink of two signs that is not the same, 0 to 2; a pixel astray costs nothing."""
    inner = a.shape[1:-1, 1:-1]
    shifts = (b.shape[1 + y : SHAPE_SIDE - 1 + y, 1 + x : SHAPE_SIDE - 1 + x] for y in (-1, 0, 1) for x in (-1, 0, 1))
    ink = (float(a.shape.sum()) + float(b.shape.sum())) / 2
    return min(cv2.norm(inner, each, cv2.NORM_L1) for each in shifts) / max(ink, 1.0)


def _glyphs(line: int, crop: Pixels, reading: Reading, signs: Sequence[_Sign], scale: float) -> Iterator[_Glyph]:
    """Such signs in the crop (H, W, 3) of a line, whose ink stands apart."""
    away = from_paper(crop)
    ink = ink_of(away)
    shapes = components(ink)[2][1:].astype(np.int64)
    shapes = shapes[shapes[:, cv2.CC_STAT_HEIGHT] >= MIN_TWIN_HEIGHT]
    if not len(shapes):
        return
    left, top, right = shapes[:, 0], shapes[:, 1], shapes[:, 0] + shapes[:, 2]
    full = np.clip(away / max(1.0, float(np.percentile(away[ink > 0], 90))), 0, 1).astype(np.float32)
    for sign in signs:
        x = reading.places[sign.at] * crop.shape[1]
        gaps = np.maximum(np.maximum(left - x, x - right), 0)
        chosen = np.lexsort((np.abs((left + right) / 2 - x), gaps))[0]
        # a dot or a stroke within a zero is part of it; what reaches beyond is none of its own
        beside = (left < right[chosen]) & (right > left[chosen])
        beyond = (left < left[chosen]) | (right > right[chosen]) | (top < top[chosen] - RIM)
        if gaps[chosen] <= NEAR_PLACE * len(ink) and not (beside & beyond).any():
            shape = _window(full, shapes[chosen], scale)
            yield _Glyph(line, sign.at, reading.text[sign.at], sign.surely, sign.lettered, shape)


def _window(full: NDArray[np.float32], box: NDArray[np.int64], scale: float) -> NDArray[np.float32]:
    """The ink (H, W) of a box (left, top, width, height …) around its middle, so many times as large."""
    x, y, wide, high = box[:4].tolist()
    x0, y0 = max(0, x - RIM), max(0, y - RIM)
    part = full[y0 : y + high + RIM, x0 : x + wide + RIM]
    ink = max(float(part.sum()), 1e-3)
    middle_x = float((part.sum(axis=0) * np.arange(part.shape[1])).sum()) / ink
    middle_y = float((part.sum(axis=1) * np.arange(part.shape[0])).sum()) / ink
    half = (SHAPE_SIDE - 1) / 2
    matrix = np.array([[scale, 0, half - scale * middle_x], [0, scale, half - scale * middle_y]], np.float32)
    grown = cv2.warpAffine(part, matrix, (SHAPE_SIDE, SHAPE_SIDE), flags=cv2.INTER_LINEAR)
    return np.asarray(cv2.GaussianBlur(grown, (0, 0), BLUR), np.float32)
