"""How wide the white of the paper is where it is open whether a space stands, by what the line's other gaps have.

The recogniser sees little of narrow spaces, and the letters around one may say either (`på begyndes`); the picture
shows that the letters stand as closely as in any word, or as far apart as the words of the line do. Italics are made
upright before, since their letters reach over each other.
"""

import itertools
from collections.abc import Sequence

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray

from ocr_engine.boxes import Quads
from ocr_engine.crops import Cuts, Pixels, resize
from ocr_engine.image.ink import from_paper, ink_level
from ocr_engine.recognition.ctc import Doubt, Reading

MIN_DOUBTED_SPACE = 0.001
"""Probability of a space, of those that a line leaves open, from which its gaps are measured."""
SURE_SPACE, SURE_LETTERS = 0.5, 0.0001
"""Probability from which a gap is one between words, and below which it is one between letters: those that tell how
wide both are."""
MIN_SPACES = 2
"""Of such gaps between words, on a line, that tell how wide it has them; else all of the page do."""
MAX_HEIGHT = 32
"""Pixels of a line's height that are measured: print this large has its white in whole pixels."""
SLANTS = (0.1, 0.2, 0.3)
"""Of print, by which italics lean for each pixel that they rise."""
UPRIGHT_LEAD = 1.05
"""How much more white a slant must show than upright print does."""
FULL_ROW = 0.5
"""Of the ink of a line's fullest row: rows with more are those of its small letters."""
PAST_MIDDLES = 0.1
"""Of a letter's width, beyond the middles of two letters, up to where the white between them is looked for."""
INKED = (0.15, 0.85)
"""Of the usual darkness of ink: what is less is paper, what is more covers a pixel whole."""
BARE_COLUMN = 0.25
"""Share of a column, by its darkest pixel, that is bare where a gap is."""
MIN_LEAD = 0.02
"""Of a line's height, by which words must stand further apart than letters do for that to tell anything."""
GAP_BITS = 1000.0
"""What white of a line's height says for a space, by that by which the line's words stand further apart than its
letters: gaps vary as much about either, wherever these are."""
EVEN_GAP = 0.4
"""From what letters have to what words have, where a gap says nothing."""
MIN_GAP_BITS, MAX_GAP_BITS = -12.0, 8.0

Ink = NDArray[np.float32]
"""Shape (H, W), or (W,) of columns; 0 to 1."""


class _Line(msgspec.Struct, frozen=True):
    """The white gaps of a line, by the place in its text at which they are, in shares of its height."""

    gaps: dict[int, float]
    letters: list[float]
    """Those that are surely within words."""
    words: list[float]
    """Those that are between words."""


def measured(page: Cuts, quads: Quads, readings: Sequence[Reading]) -> list[Reading]:
    """The readings of a page, doubts about spaces with the width of the white there; boxes (n, 4, 2)."""
    lines = {
        i: _line(page.cut(np.roll(quad, -reading.corner, axis=0)), reading)
        for i, (quad, reading) in enumerate(zip(quads, readings, strict=True))
        if any(doubt.is_gap and _space(doubt) >= MIN_DOUBTED_SPACE for doubt in reading.doubts)
    }
    letters = [gap for line in lines.values() for gap in line.letters]
    words = [gap for line in lines.values() for gap in line.words]
    found = [*readings]
    for i, line in lines.items():
        of_letters = line.letters or letters
        of_words = line.words if len(line.words) >= MIN_SPACES else words
        if of_letters and len(of_words) >= MIN_SPACES:
            found[i] = _told(readings[i], line, float(np.median(of_letters)), float(np.median(of_words)))
    return found


def _told(reading: Reading, line: _Line, letters: float, words: float) -> Reading:
    if words - letters < MIN_LEAD:
        return reading
    doubts = tuple(
        msgspec.structs.replace(doubt, white=_bits(line.gaps[doubt.at] - letters, words - letters))
        if doubt.is_gap and doubt.at in line.gaps
        else doubt
        for doubt in reading.doubts
    )
    return msgspec.structs.replace(reading, doubts=doubts)


def _bits(gap: float, usual: float) -> float:
    """What a gap says for a space, by how much wider it is than those between letters, and words' gaps usually are."""
    return min(MAX_GAP_BITS, max(MIN_GAP_BITS, GAP_BITS * usual * (gap - EVEN_GAP * usual)))


def _line(crop: Pixels, reading: Reading) -> _Line:
    small, whole, height = _columns(crop)
    spaces = {doubt.at: _space(doubt) for doubt in reading.doubts if doubt.is_gap}
    line = _Line({}, [], [])
    places, text = reading.places, reading.text
    reach = PAST_MIDDLES * len(small) / max(1, len(text))
    at = [i for i, sign in enumerate(text) if sign != " "]
    for left, right in itertools.pairwise(at):
        first, last = sorted((places[left], places[right]))
        begin, end = first * len(small) - reach, last * len(small) + reach
        # a `T` stands over its neighbour
        gap = _widest(small if (text[left] + text[right]).islower() else whole, begin, end) / height
        seen = spaces.get(left + 1, 1.0 if right - left > 1 else 0.0)
        if left + 1 in spaces and text[left].isalpha() and text[right].isalpha():
            line.gaps[left + 1] = gap
        if seen >= SURE_SPACE:
            line.words.append(gap)
        elif seen < SURE_LETTERS:
            line.letters.append(gap)
    return line


def _space(doubt: Doubt) -> float:
    return dict(doubt.choices).get(" ", 0.0)


def _columns(crop: Pixels) -> tuple[Ink, Ink, int]:
    """How much ink the darkest pixel of each column (W,) has, 0 to 1, of print made upright; and the line's height."""
    if len(crop) > MAX_HEIGHT:
        crop = resize(crop, max(1, round(crop.shape[1] * MAX_HEIGHT / len(crop))), MAX_HEIGHT)
    height = len(crop)
    away = from_paper(crop)
    inked = away[away > ink_level(away)]
    dark = float(np.median(inked)) if len(inked) else 255.0
    bare, full = INKED
    ink = np.clip((away.astype(np.float32) / dark - bare) / (full - bare), 0, 1)
    small = _small_letters(ink)
    best, most = small, UPRIGHT_LEAD * float((1 - small.max(axis=0)).sum())
    slant = 0.0
    for other in SLANTS:
        moved = _upright(small, other)
        if (white := float((1 - moved.max(axis=0)).sum())) > most:
            best, most, slant = moved, white, other
    whole = _upright(ink, slant) if slant else ink
    return np.asarray(best.max(axis=0), np.float32), np.asarray(whole.max(axis=0), np.float32), height


def _upright(ink: Ink, slant: float) -> Ink:
    moved = np.array([[1, slant, -slant * len(ink) / 2], [0, 1, 0]], np.float32)
    return np.asarray(cv2.warpAffine(ink, moved, ink.shape[::-1]), np.float32)


def _small_letters(ink: Ink) -> Ink:
    """Those rows of a line (H, W) that small letters fill: what stands out above or below reaches over neighbours."""
    rows = np.convolve(ink.sum(axis=1), (0.25, 0.5, 0.25), "same")
    fullest = int(rows.argmax())
    empty = np.flatnonzero(rows < FULL_ROW * rows[fullest])
    after = int(empty.searchsorted(fullest))
    top = int(empty[after - 1]) + 1 if after else 0
    bottom = int(empty[after]) if after < len(empty) else len(rows)
    return ink[top:bottom]


def _widest(columns: Ink, first: float, last: float) -> float:
    """How wide the widest white is between two columns, parts of pixels included."""
    widest = width = 0.0
    for ink in columns[max(0, round(first)) : max(round(first) + 1, round(last)) + 1].tolist():
        width = width + 1 - ink if ink < 1 - BARE_COLUMN else 0.0
        if width > widest:  # a call of max for each column costs more than all else here
            widest = width
    return widest
