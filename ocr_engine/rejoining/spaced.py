"""Letterspaced print: a row whose letters all stand apart is read with them set closely, and told in one way.

The recogniser takes some of the gaps for blanks and others not, and detection makes several boxes of a row. Where the
gaps are as wide as a typed blank there is a blank between all letters of the row, else between its words only.
"""

import itertools
from collections.abc import Sequence

import numpy as np
from msgspec import Struct

from ocr_engine.boxes import Quads, in_middle
from ocr_engine.crops import Pixels
from ocr_engine.image.ink import components, from_paper, ink_of
from ocr_engine.models.characters import FIRST_EAST_ASIAN
from ocr_engine.recognition.ctc import Read, Reading
from ocr_engine.rejoining.rows import Row, narrow, with_rows

MAX_SPACED_BOXES, MAX_SPACED = 400, 24
"""Boxes of a page up to which its rows are looked at; rows that are read, which bounds what a page of them costs."""
WIDE_SIGNS = 0.57
"""Length of a row by its signs and their height, from which it may be letterspaced: usual print has .3 to .5."""
MIN_READ, MIN_SPACED_SIGNS = 2, 3
"""Signs that were read in a row, and signs that stand in it, where it is letterspaced."""
ROW_SHIFT, ROW_GAP = 0.35, 2.6
"""By the height of the higher box, how far boxes of a row differ in their middles, and stand apart."""
NARROWEST, USUAL_GAPS = 0.2, (0.4, 1.7)
"""By the height of the signs, the least gap between two of a row, and the median one: letters of a word stand closer,
cells of tables further apart."""
BESIDE_ROW, GOES_ON_BY = 2.0, 1.7
"""By the height of its box, what is looked at beside a row, whose outer signs detection may have missed, and by the
height of the signs the gap within which these follow."""
TYPED_BLANK = 0.85
"""By the same height, the median gap from which blanks were typed between the letters."""
WORD_BREAK = 1.6
"""By the median gap and half a letter, from which a gap is between two words."""
SPECK, TALLEST = 0.1, 1.8
"""By the height of the signs, of what is a sign."""
MAX_STROKES_BESIDE, RULE = 2, 4.0
"""Pieces of ink of a row that are larger: more are the strokes of a comb field or a table; width of one, by the height
of the signs, that is a rule."""
CLOSE_GAP, BLANK_GAP = 0.14, 0.55
"""By the height of the row, between letters and between words that are set closely."""
SURELY_READ = 0.9
"""Certainty of all signs of a row from which it is not read again, where they are as many as stand there."""
SURE_SPACED = 0.8
"""Confidence from which what was read so stands."""


class _Row(Struct, frozen=True, eq=False):
    """A letterspaced row, in pixels of the page."""

    top: int
    bottom: int
    signs: tuple[tuple[int, int], ...]
    """Where each begins and ends."""
    breaks: frozenset[int]
    """Numbers of the signs after which a word ends."""
    typed: bool
    """Are there blanks between its letters?"""


def put_right(page: Pixels, quads: Quads, readings: Sequence[Reading], read: Read) -> tuple[Quads, list[Reading]]:
    """The boxes (n, 4, 2) of a page and their readings, one for each row that is letterspaced; `read` reads crops."""
    readings = [*readings]
    if len(quads) > MAX_SPACED_BOXES:
        return quads, readings
    rows = [
        (members, _row(page, quads[members]))
        for members in _rows(quads, readings)
        if _is_wide(quads[members], "".join(readings[i].text for i in members))
    ]
    spaced = [(members, row) for members, row in rows if row is not None][:MAX_SPACED]
    kept = np.ones(len(quads), bool)
    found: list[Row] = []
    own = [_joined([readings[i] for i in members]) for members, _ in spaced]
    anew = [
        i
        for i, (_, row) in enumerate(spaced)
        if len(own[i].text) != len(row.signs) or min(own[i].certainty) < SURELY_READ
    ]
    told = dict(zip(anew, read([_closely(page, spaced[i][1]) for i in anew]), strict=True))
    for i, (members, row) in enumerate(spaced):
        reading = _spelt(row, told.get(i, own[i]))
        # nothing is lost by it; boxes of one row may have a sign in common
        if reading is not None and len(row.signs) >= max(len(_joined([readings[j]]).text) for j in members):
            left, right, top, bottom = row.signs[0][0], row.signs[-1][1], row.top, row.bottom
            box = np.array([(left, top), (right, top), (right, bottom), (left, bottom)], np.float32)
            kept &= ~in_middle(quads, box)
            kept[members] = False
            found.append((box, reading))
    return with_rows(quads, readings, kept, found)


def _is_wide(quads: Quads, text: str) -> bool:
    """Whether a text of Latin letters or digits is wide for its boxes."""
    signs = sum(not sign.isspace() for sign in text)
    length, high = float(np.ptp(quads[:, :, 0])), float(np.median(np.ptp(quads[:, :, 1], axis=1)))
    is_wide = length >= WIDE_SIGNS * signs * high
    return signs >= MIN_READ and is_wide and max(map(narrow, text)) < FIRST_EAST_ASIAN


def _rows(quads: Quads, readings: Sequence[Reading]) -> list[list[int]]:
    """The boxes whose signs are wide and that stand level and near each other, from the left; none on its side."""
    across, down = (np.ptp(quads[:, :, axis], axis=1) for axis in (0, 1))
    signs = np.array([len(reading.text) - reading.text.count(" ") for reading in readings])
    wide = (signs > 0) & (across >= WIDE_SIGNS * signs * down)
    chosen = [i for i in np.flatnonzero(wide).tolist() if not readings[i].corner]
    left, right = quads[:, :, 0].min(axis=1).tolist(), quads[:, :, 0].max(axis=1).tolist()
    middle, size = (quads[:, :, 1].sum(axis=1) / 4).tolist(), down.tolist()
    rows: list[list[int]] = []
    ends: list[float] = []
    for i in sorted(chosen, key=left.__getitem__):
        for k, row in enumerate(rows):
            high = max(size[i], size[row[-1]])
            if abs(middle[i] - middle[row[-1]]) < ROW_SHIFT * high and left[i] - ends[k] < ROW_GAP * high:
                row.append(i)
                ends[k] = max(ends[k], right[i])
                break
        else:
            rows.append([i])
            ends.append(right[i])
    return rows


def _row(page: Pixels, quads: Quads) -> _Row | None:
    """What is in some boxes that stand level, if it is letterspaced."""
    (left, top), (right, bottom) = quads.min(axis=(0, 1)), quads.max(axis=(0, 1))
    beside = round(BESIDE_ROW * float(bottom - top))
    x0, y0 = max(0, int(left) - beside), max(0, int(top))
    part = page[y0 : int(bottom) + 1, x0 : int(right) + beside + 1]
    if min(part.shape[:2]) < 4:
        return None
    shapes = components(ink_of(from_paper(part)))[2][1:].astype(np.int64)
    if len(shapes) < MIN_SPACED_SIGNS:
        return None
    high = float(np.percentile(shapes[:, 3], 70))
    if (shapes[:, 2:4].max(axis=1) > TALLEST * high).sum() > MAX_STROKES_BESIDE or shapes[:, 2].max() > RULE * high:
        return None
    shapes = shapes[(shapes[:, 2:4].max(axis=1) >= SPECK * high) & (shapes[:, 3] <= TALLEST * high)]
    signs: list[list[int]] = []
    for x, wide in sorted((int(x), int(wide)) for x, wide in shapes[:, [0, 2]]):
        if signs and x <= signs[-1][1]:
            signs[-1][1] = max(signs[-1][1], x + wide)
        else:
            signs.append([x, x + wide])
    signs = _joining_on(signs, (left - x0, right - x0), GOES_ON_BY * high)
    if len(signs) < MIN_SPACED_SIGNS:
        return None
    gaps = np.array([after[0] - before[1] for before, after in itertools.pairwise(signs)]) / high
    usual = float(np.median(gaps))
    if gaps.min() < NARROWEST or not USUAL_GAPS[0] <= usual <= USUAL_GAPS[1]:
        return None
    apart = np.flatnonzero(gaps > WORD_BREAK * usual + 0.3)
    if np.diff(np.concatenate(([-1], apart, [len(gaps)]))).max() < MIN_SPACED_SIGNS:
        return None
    return _Row(
        top=y0,
        bottom=int(bottom) + 1,
        signs=tuple((x0 + begin, x0 + end) for begin, end in signs),
        breaks=frozenset(apart.tolist()),
        typed=usual >= TYPED_BLANK,
    )


def _joining_on(signs: list[list[int]], box: tuple[float, float], gap: float) -> list[list[int]]:
    """The signs in a box, and those beside it that follow in turn, each within a gap."""
    inside = [i for i, (begin, end) in enumerate(signs) if box[0] < (begin + end) / 2 < box[1]]
    if not inside:
        return []
    first, last = inside[0], inside[-1]
    while first and signs[first][0] - signs[first - 1][1] <= gap:
        first -= 1
    while last + 1 < len(signs) and signs[last + 1][0] - signs[last][1] <= gap:
        last += 1
    return signs[first : last + 1]


def _closely(page: Pixels, row: _Row) -> Pixels:
    """The signs of a row with little between them (H, W, 3)."""
    part = page[row.top : row.bottom]
    paper = np.median(part[:, row.signs[0][0] : row.signs[-1][1]].reshape(-1, 3), axis=0)
    close, blank = (
        np.broadcast_to(paper, (len(part), max(2, round(share * len(part))), 3)) for share in (CLOSE_GAP, BLANK_GAP)
    )
    parts = [blank]
    for i, (begin, end) in enumerate(row.signs):
        parts += [part[:, max(0, begin - 1) : end + 1], blank if i in row.breaks else close]
    return np.asarray(np.concatenate(parts, axis=1), np.uint8)


def _joined(parts: Sequence[Reading]) -> Reading:
    """What was read in boxes of a row, from the left, without blanks."""
    signs = [
        (sign, sure)
        for part in parts
        for sign, sure in zip(part.text, part.certainty or (part.confidence,) * len(part.text), strict=True)
        if sign != " "
    ]
    confidence = sum(sure for _, sure in signs) / max(1, len(signs))
    return Reading("".join(sign for sign, _ in signs), confidence, (), tuple(sure for _, sure in signs))


def _spelt(row: _Row, told: Reading) -> Reading | None:
    """What was read in a row that was set closely, at its own places; None where it is not as many signs."""
    sure = told.certainty or (told.confidence,) * len(told.text)
    signs = [(narrow(sign), each) for sign, each in zip(told.text, sure, strict=True) if sign != " "]
    if len(signs) != len(row.signs) or told.corner or told.confidence < SURE_SPACED:
        return None
    signs = [
        *zip(_with_letters("".join(sign for sign, _ in signs), row.breaks), (each for _, each in signs), strict=True)
    ]
    left, right = row.signs[0][0], row.signs[-1][1]
    text: list[str] = []
    places: list[float] = []
    certainty: list[float] = []
    for i, ((sign, each), (begin, end)) in enumerate(zip(signs, row.signs, strict=True)):
        text.append(sign)
        places.append(((begin + end) / 2 - left) / (right - left))
        certainty.append(each)
        if i + 1 < len(signs) and (row.typed or i in row.breaks):
            text.append(" ")
            places.append(((end + row.signs[i + 1][0]) / 2 - left) / (right - left))
            certainty.append(1.0)
    return Reading("".join(text), told.confidence, tuple(places), tuple(certainty))


def _with_letters(signs: str, breaks: frozenset[int]) -> str:
    """The signs with `O` for `0` in words of letters."""
    begins = [0, *sorted(i + 1 for i in breaks), len(signs)]
    words = [signs[begin:end] for begin, end in itertools.pairwise(begins)]
    return "".join(
        word.replace("0", "O")
        if len(word) > 2 and word.replace("0", "").isalpha() and len(word) > 2 * word.count("0")
        else word
        for word in words
    )
