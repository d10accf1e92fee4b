"""Fractions in one sign, such as `¾`, told by their ink: a small number above, a slash, another one below.

The recogniser hardly knows any but `½`: it reads others as `½`, `%`, `3` or `1/4`, or says nothing of them. Where a
line hints at one, what stands in it like one is taken apart, and its numbers are read enlarged, as `3/4` in a line of
their own; where that was one, so are all other lines of the page.
"""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import pairwise

import cv2
import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from ocr_engine.boxes import Quads
from ocr_engine.crops import Pixels, cut
from ocr_engine.image.ink import components, from_paper, ink_of
from ocr_engine.recognition.ctc import Read, Reading

_Box = tuple[int, int, int, int]

SIGNS = {
    "1/2": "½", "1/3": "⅓", "2/3": "⅔", "1/4": "¼", "3/4": "¾", "1/5": "⅕", "2/5": "⅖", "3/5": "⅗", "4/5": "⅘",
    "1/6": "⅙", "5/6": "⅚", "1/8": "⅛", "3/8": "⅜", "5/8": "⅝", "7/8": "⅞",
}  # fmt: skip
"""By what their two numbers are read as."""
MAX_FRACTIONS = 64
"""Signs of a page that are read so, which bounds what a hostile one costs."""
MIN_CAPITALS = 9
"""Pixels of a capital's height, from which a fraction's digits can be read."""
WIDTH, HEIGHT = (0.55, 1.8), (0.75, 1.4)
"""Of a fraction, by the height of capitals."""
MAX_APART = 0.2
"""By the same height, between a slash and its numbers."""
SLANT = (0.2, 1.1)
"""Of its slash, to the right, by its height."""
MAX_BEHIND = 0.2
"""By the height of the line, how far behind it what was read of its lower number may stand."""
COVER = 0.9
"""Share of the slash's length that is ink."""
WITHIN_STROKE = 0.02
"""Of that share, by which a line may have less than the best one and run within the same stroke."""
FEW_ROWS = 3
"""Every so many rows of a picture tell where a slash may be at all."""
BLANK_CORNER = 0.3
"""Share of its height, under the upper number and above the lower one, that is blank but for the slash."""
SPECKS = 0.03
"""Of its ink, that may be left of the slash's rim there."""
NUMBER = (0.3, 0.8)
"""Height of each number by the fraction's."""
MIN_CONFIDENCE = 0.84
"""Of the numbers, read enlarged."""
DIGIT_HEIGHT, MARGIN, GAP = 30, 9, 8
"""Pixels of the enlarged digits; around them; beside the slash."""
_HINT = re.compile(r"[½¼¾⅓⅔⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞]|(?<!\d)%|(?<![\d/])\d{1,3}/\d?(?![\d/])")
_NOISE = re.compile(r"[^\d/]")
_OF_FRACTION = frozenset("0123456789/")
_LITRE = re.compile(r"(?<=[½¼¾⅓⅔⅕⅖⅗⅘⅛⅜⅝⅞] )[I1|](?= [a-zà-ÿ]|b\b|$)")
_PARTS = re.compile(r"(\d)[/17]+(\d)")
_REPLACED = re.compile(r"[\d¹²³½¼¾⅓⅔⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞%/.,'’ -]{0,5}|.?")


class _Sign(Struct, frozen=True):
    """Of a line what looks like a fraction."""

    line: int
    begin: float
    end: float
    """Along the line, 0 to 1."""
    height: float
    """Of the line, by its length."""
    crop: Pixels
    """Its numbers enlarged, with a slash between."""


def put_right(page: Pixels, quads: Quads, readings: Sequence[Reading], read: Read) -> list[Reading]:
    """The readings of the boxes (n, 4, 2) of a page with the fractions that their ink shows; `read` reads crops."""
    readings = [*readings]
    lines = [i for i, reading in enumerate(readings) if reading.places and not reading.corner]
    hints = [i for i in lines if _HINT.search(readings[i].text)]
    # most of what hints is a percentage or a date: all else is looked at where one line has a fraction
    if _tell(page, quads, readings, hints, read):
        _tell(page, quads, readings, [i for i in lines if i not in hints], read)
    return [*map(_with_litres, readings)]


def _tell(page: Pixels, quads: Quads, readings: list[Reading], lines: Sequence[int], read: Read) -> bool:
    """Puts the fractions of some lines into their readings; whether there are any."""
    signs: list[_Sign] = []
    for i in lines:
        if len(signs) < MAX_FRACTIONS:
            signs += _signs(i, cut(page, quads[i]))
    told = zip(signs, read([sign.crop for sign in signs]), strict=True)
    taken: list[_Sign] = []
    for sign, fraction in sorted(told, key=lambda each: -each[1].confidence):
        text = _sign_of(fraction.text)
        if text and fraction.confidence >= MIN_CONFIDENCE and not any(_overlap(sign, other) for other in taken):
            taken.append(sign)
            readings[sign.line] = _with_sign(readings[sign.line], sign, text, fraction.confidence)
    return bool(taken)


def _sign_of(text: str) -> str:
    """The fraction that was read as two numbers, its slash twice or as a `1` or `7`; empty where it is none."""
    told = _PARTS.fullmatch(_NOISE.sub("", text))
    return SIGNS.get(f"{told[1]}/{told[2]}", "") if told else ""


def _overlap(sign: _Sign, other: _Sign) -> bool:
    return sign.line == other.line and sign.begin < other.end and other.begin < sign.end


def _with_litres(reading: Reading) -> Reading:
    """The reading with a small `l` behind a fraction, where none but a unit can stand."""
    text = _LITRE.sub("l", reading.text)
    return reading if text == reading.text else msgspec.structs.replace(reading, text=text, doubts=())


def _with_sign(reading: Reading, sign: _Sign, fraction: str, confidence: float) -> Reading:
    """The reading with a fraction for what was read in its place."""
    text = reading.text
    inside = [i for i, place in enumerate(reading.places) if sign.begin <= place <= sign.end and text[i] != " "]
    first = inside[0] if inside else sum(place < sign.begin for place in reading.places)
    last = inside[-1] + 1 if inside else first
    end = sign.end + MAX_BEHIND * sign.height
    while inside and last < len(text) and text[last] in _OF_FRACTION and reading.places[last] < end:
        last += 1
    if not _REPLACED.fullmatch(text[first:last]):
        return reading
    certainty = (*reading.certainty[:first], confidence, *reading.certainty[last:]) if reading.certainty else ()
    return msgspec.structs.replace(
        reading,
        text=text[:first] + fraction + text[last:],
        places=(*reading.places[:first], (sign.begin + sign.end) / 2, *reading.places[last:]),
        certainty=certainty,
        doubts=(),
    )


def _signs(line: int, crop: Pixels) -> Iterator[_Sign]:
    """What looks like a fraction in the crop (H, W, 3) of a line, from the left."""
    away = from_paper(crop)
    ink = ink_of(away)
    shapes = components(ink)[2][1:].astype(np.int64)
    tall = shapes[:, cv2.CC_STAT_HEIGHT]
    tall = tall[tall > 0.25 * len(ink)]
    if not len(tall):
        return
    capitals = float(np.percentile(tall, 75))
    if capitals < MIN_CAPITALS:
        return
    groups = [*_groups(shapes)]
    # two neighbours are a pair of either
    boxes = dict.fromkeys(box for at in range(len(groups)) for box in _around(groups, at, capitals))
    for left, top, right, bottom in boxes:
        numbers = _taken_apart(ink[top:bottom, left:right])
        if numbers is not None:
            grown = _enlarged(away[top:bottom, left:right], numbers)
            yield _Sign(line, left / ink.shape[1], right / ink.shape[1], len(ink) / ink.shape[1], grown)


def _around(groups: Sequence[_Box], at: int, capitals: float) -> Iterator[_Box]:
    """A group of parts, and the same with its neighbours: numbers stand apart from some slashes."""
    left, top, right, bottom = groups[at]
    if bottom - top < HEIGHT[0] * capitals or right - left > WIDTH[1] * capitals:
        return
    for first, last in ((at, at), (at - 1, at + 1), (at - 1, at), (at, at + 1)):
        some = groups[max(first, 0) : last + 1]
        box = some[0][0], min(each[1] for each in some), some[-1][2], max(each[3] for each in some)
        gaps = [after[0] - before[2] for before, after in pairwise(some)]
        wide, high = (box[2] - box[0]) / capitals, (box[3] - box[1]) / capitals
        if all(gap <= MAX_APART * capitals for gap in gaps) and WIDTH[0] <= wide <= WIDTH[1] and high <= HEIGHT[1]:
            yield box


def _groups(shapes: NDArray[np.int64]) -> Iterator[_Box]:
    """Left, top, right and bottom of shapes (n, 5) that share columns, from the left."""
    group: list[int] = []
    for x, y, width, height, _ in shapes[np.argsort(shapes[:, 0], kind="stable")].tolist():
        if group and x < group[2]:
            group = [group[0], min(group[1], y), max(group[2], x + width), max(group[3], y + height)]
            continue
        if group:
            yield group[0], group[1], group[2], group[3]
        group = [x, y, x + width, y + height]
    if group:
        yield group[0], group[1], group[2], group[3]


def _taken_apart(ink: NDArray[np.uint8]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]] | None:
    """Where the ink (H, W) of the upper number is, and that of the lower one; None where it is no fraction."""
    height, width = ink.shape
    slash = _slash(ink)
    if slash is None:
        return None
    foot, head = slash
    middle = head + (foot - head) * (np.arange(height)[:, None] + 0.5) / height
    away = np.arange(width) + 0.5 - middle
    thick = _thickness(ink, middle[:, 0])
    rim = thick / 2 + 0.75
    upper, lower = (ink > 0) & (away < -rim), (ink > 0) & (away > rim)
    cut_off = round(BLANK_CORNER * height)
    corners = upper[height - cut_off :], lower[:cut_off]
    if max(map(np.count_nonzero, corners)) > max(SPECKS * np.count_nonzero(ink), 2):
        return None
    for corner in corners:
        corner[:] = False
    upper, lower = _without_specks(upper), _without_specks(lower)
    for part in (upper, lower):
        lines = np.flatnonzero(part.any(axis=1))
        if not len(lines) or not NUMBER[0] <= (np.ptp(lines) + 1) / height <= NUMBER[1]:
            return None
    return upper, lower


def _without_specks(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The largest piece of a mask (H, W): what is left of a slash's rim is none."""
    _, labels, stats = components(mask.astype(np.uint8))
    return np.asarray(labels == 1 + stats[1:, cv2.CC_STAT_AREA].argmax(), bool) if len(stats) > 1 else mask


def _slash(ink: NDArray[np.uint8]) -> tuple[float, float] | None:
    """Where the middle of a fraction's slash stands at its foot and at its head; None where there is none."""
    height, width = ink.shape
    feet, heads = _slants(height, width)
    # the ends of a slash are cut level or square, and may be short of the numbers'
    rows = np.arange(1, height - 1)
    # what is bare in more of a few rows than it may be in all is none: that is most of what there is
    few = rows[::FEW_ROWS]
    bare = len(few) - _inked(ink, few, feet, heads).sum(axis=0, dtype=np.int64)
    possible = bare <= (1 - COVER + WITHIN_STROKE) * len(rows)
    feet, heads = feet[possible], heads[possible]
    if not len(feet):
        return None
    cover = _inked(ink, rows, feet, heads).mean(axis=0)
    best = cover.max()
    if best < COVER:
        return None
    # the middle of all that run within its stroke
    chosen = cover >= best - WITHIN_STROKE
    return float(np.median(feet[chosen])) + 0.5, float(np.median(heads[chosen])) + 0.5


@lru_cache(512)
def _slants(height: int, width: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Where slashes (n,) may stand at their feet and heads in a picture of that size; most are of few sizes."""
    feet, heads = np.mgrid[0 : 0.7 * width : 1, 0.3 * width : width + 1 : 1]
    feet, heads = feet.ravel(), heads.ravel()
    slant = (heads - feet) / height
    fits = (slant >= SLANT[0]) & (slant <= SLANT[1])
    return feet[fits], heads[fits]


def _inked(
    ink: NDArray[np.uint8], rows: NDArray[np.intp], feet: NDArray[np.float64], heads: NDArray[np.float64]
) -> NDArray[np.uint8]:
    """Whether there is ink (rows, n) in some rows on the way from each head down to its foot."""
    height, width = ink.shape
    down = (rows[:, None] + 0.5) / height
    on_the_way = np.clip(heads + (feet - heads) * down, 0, width - 1).astype(int)
    return np.asarray(ink[rows[:, None], on_the_way], np.uint8)


def _thickness(ink: NDArray[np.uint8], middle: NDArray[np.float64]) -> float:
    """Of a slash along its rows, where nothing touches it."""
    width = ink.shape[1]
    columns, x = np.arange(width), middle.astype(int)[:, None]
    bare = ink == 0
    left = np.where(bare & (columns <= x), columns, -1).max(axis=1)
    right = np.where(bare & (columns >= x), columns, width).min(axis=1)
    at = x[:, 0]
    on_ink = (at >= 0) & (at < width) & ~bare[np.arange(len(ink)), np.clip(at, 0, width - 1)]
    lengths = (right - left - 1)[on_ink]
    return float(np.percentile(lengths, 30)) if len(lengths) else 0.0


def _enlarged(away: NDArray[np.uint8], numbers: tuple[NDArray[np.bool_], NDArray[np.bool_]]) -> Pixels:
    """The two numbers in black on white, as high as digits of a line, with a slash between."""
    strongest = max(1, int(away.max()))
    parts = []
    for mask in numbers:
        # the grey rim of its ink belongs to it
        around = cv2.dilate(mask.astype(np.uint8), np.ones((3, 3), np.uint8))
        rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        part = (np.where(around > 0, away, 0))[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        wide = max(4, round(part.shape[1] * DIGIT_HEIGHT / part.shape[0]))
        grown = cv2.resize(part.astype(np.float32), (wide, DIGIT_HEIGHT), interpolation=cv2.INTER_CUBIC)
        parts.append(255 - np.clip(grown * 255 / strongest, 0, 255))
    slash = np.full((DIGIT_HEIGHT, DIGIT_HEIGHT // 2), 255, np.uint8)
    cv2.line(slash, (1, DIGIT_HEIGHT - 1), (DIGIT_HEIGHT // 2 - 2, 0), (0,), 3, cv2.LINE_AA)
    blank = np.full((DIGIT_HEIGHT, GAP), 255)
    row = np.concatenate([blank, parts[0], blank[:, : GAP // 2], slash, blank[:, : GAP // 2], parts[1], blank], axis=1)
    row = np.pad(row, ((MARGIN, MARGIN), (0, 0)), constant_values=255).astype(np.uint8)
    return np.asarray(cv2.cvtColor(row, cv2.COLOR_GRAY2BGR), np.uint8)
