"""Whether what stands on a page is in a script that the models hold, judged by what they read there.

A model that lacks a script does not say so: Russian comes out as commas, Korean as next to nothing, Hebrew as doubtful
Latin, Vietnamese without the letters that bear a tone mark. Two numbers tell: how many letters are read by the length
of a line, and how probable they are; and so does print in which nothing was read beside what was (`scripts.unread`).
Vietnamese is told by letters that no other language has, Greek by its words, whose accents are lost.

On drawn pages of ru uk el ar he ko hi th vi, thresholds as they were found on others: see `docs/accuracy.md`.
"""

import re
from collections.abc import Callable, Sequence
from typing import Literal

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from ocr_engine.boxes import Quads, extents
from ocr_engine.recognition.ctc import Reading

Support = Literal["read", "letters_missing", "unread"]
"""Of a script by the models: it is read; some of its letters are lacking, and the others are read; it is not read."""

MIN_LINE_RATIO = 3.0
"""Length by height of boxes that have a say: in shorter ones a letter more or less is much."""
MIN_LETTERS_BY_HEIGHT = 0.5
"""Letters by heights of a line: 0 to .2 are read of Korean, Hindi, Arabic and Russian, 1 to 1.4 of Chinese and
Japanese, 1.6 to 2.9 of Latin languages."""
MIN_PROBABILITY = 0.89
"""Mean of the letters of a page: .5 to .88 on pages of Greek, Thai and Hebrew, .97 to 1 where the script is held; .81
on some photographs, which have less than `QUORUM` lines."""
MIN_LINE_PROBABILITY = 0.9
"""The same of a single line, and of pages with less than `QUORUM` lines, where there are too few letters, too."""
MIN_LINE_LETTERS = 3
"""Of a line without digits that is believed on an unread page: round letters of Burmese are a sure `C`, `O` or `S`."""
QUORUM, MIN_QUORUM = 4, 2
"""Lines of a page from which one of the numbers is enough; from which both are."""
VIETNAMESE_ONLY, CROATIAN_TOO, FRENCH_TOO = frozenset("ơưƠƯ"), frozenset("đĐ"), frozenset("âêôăÂÊÔĂ")
"""Letters of Vietnamese alone; two kinds that no other language has both of."""
MIN_VIETNAMESE, MIN_VIETNAMESE_SHARE = 2, 0.008
"""Of those letters, or of pairs of the two kinds, on a page, and by all of its letters: 1.4 to 5 % in Vietnamese, none
in any other language."""
MIN_PASSED_OVER = 0.4
"""Share of a line's length with print in which nothing was read, from which the line is not read."""
MIN_HOLED = 2
"""Lines with such print that make a page unread, if they are more than those with words in Latin letters: 4 to 9 on
Russian receipts, none on the 50 images of the accuracy set."""
SURE_OF_WORDS = 0.9
"""Confidence of those."""
MIN_GREEK, MIN_GREEK_SHARE = 8, 0.5
"""Greek letters in words of a page, and by all of its letters: the models hold them without accents, and are sure of
what is left. Formulas have no words of them."""
MIN_GREEK_LINE = 6
"""The same of a line."""
MIN_GREEK_ASKED, MIN_GREEK_SHARE_ASKED = 6, 0.35
"""The same beside any other letter, from which a reader of Greek is asked: of `Τσάι` is read `Tσ`."""
MAX_CONFIDENCE: dict[Support, float] = {"read": 1.0, "letters_missing": 0.5, "unread": 0.2}
"""In what was read: of a script that is not read it is nonsense, however probable."""

_GREEK = re.compile("[\u0370-\u03ff]")
_GREEK_WORD = re.compile("[\u0370-\u03ff\u1f00-\u1fff]{3,}")
_GREEK_BESIDE = re.compile(r"(?<=[^\W\d_])[\u0370-\u03ff]|[\u0370-\u03ff](?=[^\W\d_])")
_LATIN_WORD = re.compile("[A-Za-z\u00c0-\u024f]{3}")


class Judgement(Struct, frozen=True):
    """Which scripts of a page are read."""

    page: Support
    lines: tuple[Support, ...]
    """Of each box of the page."""
    open: bool = False
    """There are too few lines to say so, and one of the numbers does: another reader may know."""
    code: str = ""
    """ISO 15924 of the script, where the letters that were read tell it."""
    ruled_out: str = ""
    """The same of one that it is not: no letter of it was read, and the models know most of them."""


def judge(
    quads: Quads,
    readings: Sequence[Reading],
    is_prose: Callable[[str], bool] = lambda _: False,
    passed_over: Sequence[float] | None = None,
) -> Judgement:
    """Whether the models hold the script of a page, by what was read in its boxes (n, 4, 2), if anything.

    `is_prose`: of a text that was read doubtfully, whether it is nevertheless one, as dot print is. `passed_over`: of
    each box the share, 0 to 1, of its length with print in which nothing was read.
    """
    lacking: Support = "letters_missing"
    text = " ".join(reading.text for reading in readings)
    if _is_vietnamese(text):
        return Judgement(lacking, (lacking,) * len(readings))
    longer, shorter = extents(quads)
    letters = np.array([len(reading.text.replace(" ", "")) for reading in readings]) * shorter / np.maximum(longer, 1)
    probability = np.array([reading.confidence for reading in readings], np.float64)
    long = longer >= MIN_LINE_RATIO * shorter
    few, doubtful = long & (letters < MIN_LETTERS_BY_HEIGHT), probability < MIN_LINE_PROBABILITY
    unread = _is_unread(letters[long], probability[long], longer[long])
    if unread:
        doubted = (reading.text for reading, is_ in zip(readings, long & (few | doubtful), strict=True) if is_)
        unread = not is_prose(" ".join(doubted))
    missed = np.array(passed_over if passed_over is not None else [0.0] * len(readings), np.float64)
    holed = missed > 0
    latin = [bool(_LATIN_WORD.search(each.text)) and each.confidence >= SURE_OF_WORDS for each in readings]
    mostly_holed = holed.sum() > (np.array(latin, bool) & ~holed).sum()
    is_greek = _has_greek(_GREEK_WORD, text, MIN_GREEK, MIN_GREEK_SHARE)
    maybe_greek = is_greek or _has_greek(_GREEK_BESIDE, text, MIN_GREEK_ASKED, MIN_GREEK_SHARE_ASKED)
    is_nothing, unread = unread, unread or is_greek or bool(mostly_holed and holed.sum() >= MIN_HOLED)
    # a line alone is of another script where both speak for that
    short = np.array([len(each.text) < MIN_LINE_LETTERS and not each.text.isdecimal() for each in readings], bool)
    greek = np.array([_has_greek(_GREEK_WORD, each.text, MIN_GREEK_LINE, MIN_GREEK_SHARE) for each in readings], bool)
    lines = few | doubtful | short | holed if unread else few & doubtful
    lines = lines | greek | (missed >= MIN_PASSED_OVER)
    asked = long & (few | doubtful | holed)
    return Judgement(
        "unread" if unread else "read",
        tuple("unread" if is_ else "read" for is_ in lines),
        open=maybe_greek or (0 < long.sum() < QUORUM and bool(asked.sum() == long.sum())),
        # beside lines of which nothing is read, as of Korean, a few of Greek say nothing of the others
        code="Grek" if maybe_greek and not is_nothing else "",
        ruled_out="" if _GREEK.search(text) or not unread else "Grek",
    )


def as_believed(reading: Reading, support: Support) -> Reading:
    """The reading with no more confidence than what is read of its script deserves."""
    most = MAX_CONFIDENCE[support]
    if most == 1:
        return reading
    certainty = tuple(min(most, each) for each in reading.certainty)
    return msgspec.structs.replace(reading, confidence=min(most, reading.confidence), certainty=certainty)


def _is_unread(letters: NDArray[np.float64], probability: NDArray[np.float64], lengths: NDArray[np.float32]) -> bool:
    if len(letters) < MIN_QUORUM:
        return False
    letter, sure = (float(np.average(values, weights=lengths)) for values in (letters, probability))
    if len(letters) >= QUORUM:
        return letter < MIN_LETTERS_BY_HEIGHT or sure < MIN_PROBABILITY
    return letter < MIN_LETTERS_BY_HEIGHT and sure < MIN_LINE_PROBABILITY


def _has_greek(words: re.Pattern[str], text: str, least: int, share: float) -> bool:
    greek = sum(map(len, words.findall(text)))
    return greek >= least and greek >= share * sum(map(str.isalpha, text))


def _is_vietnamese(text: str) -> bool:
    only, one, other = (sum(map(text.count, kind)) for kind in (VIETNAMESE_ONLY, CROATIAN_TOO, FRENCH_TOO))
    signs = only + min(one, other + only)
    return signs >= MIN_VIETNAMESE and signs >= MIN_VIETNAMESE_SHARE * sum(map(str.isalpha, text))
