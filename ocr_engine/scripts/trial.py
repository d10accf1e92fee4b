"""Which language a page is in, by what several read in a few of its lines."""

import math
from collections.abc import Hashable, Sequence

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from ocr_engine.boxes import Quads, sides
from ocr_engine.crops import Pixels
from ocr_engine.recognition.ctc import Reading
from ocr_engine.recognition.script import Judgement
from ocr_engine.scripts.languages import LANGUAGES, VIETNAMESE, Language, Script
from ocr_engine.scripts.letters.fit import bits, is_modelled
from ocr_engine.scripts.lines import Box, middle, own_share, read_once, read_well
from ocr_engine.scripts.readers import Readers
from ocr_engine.scripts.tesseract import LineReader

SAMPLES = 3
"""Lines of a page that are read to find its language."""
MIN_TRIAL_LETTERS = 3
"""Of its own script, that a language must read in a line to have a say."""
FIRST_RATIO = 20.0
"""Length by height of what is read by all languages first: the middle of the longest of those lines."""
MAX_AFTER_FIRST, MAX_OF_DOUBTFUL = 3, 6
"""Of the languages, each way, those that are best there read the lines; and where none of them reads these."""
MAX_GAIN = 0.2
"""By so much a whole line may have a higher score than that, in the crop that suits it best."""
MIN_FIRST = 0.2
"""Score of the best there under which all of them do."""
SURE_SCORE = 0.85
"""Score of a script, 0 to 1, from which no other one is tried. On drawn pages the right one has .72 to .97."""
UPRIGHT_SCORE = 0.7
"""Of what is read first, from which the lines are not tried on their heads: so no script has more than .54."""
MIN_SCORE = 0.6
"""Score below which a page is in none of the scripts that are read: wrong ones have up to .57."""
MIN_SCORE_OF_FEW = 0.75
"""The same of a page with too few lines for the models to say that they do not read it."""
MIN_SCORE_OF_LEADER = 0.45
"""Score of a line in the language that stands for its script, from which the others of it are tried: of Ukrainian in
Russian .5 to .8, in its own .85 to .95."""
BETTER_SCORE = 0.01
"""By so much another language of a script must be ahead of the one that stands for it."""
MIN_VIETNAMESE = 0.1
"""Share of the letters that are of Vietnamese alone: .2 of its prose. Its reader is sure of no other script by .45."""
CLOSE_BITS = 1.0
"""A letter, by which what the first language of a script reads may fit another one worse than the one that it fits
best, and that is asked as well."""
BIT_SCORE = 0.05
"""What a bit a letter is worth beside a score: readers of related languages are within .02 of each other."""
MIN_TELLING_LETTERS = 60
"""Of a text, from which its letters count in full; of fewer, by their number."""


class Found(Struct, frozen=True):
    """What lines are in."""

    language: Language
    upside_down: bool
    lacks_letters: bool = False
    """What it reads are rather the words of another one of its script, which nobody here reads and has more letters."""


class LineFound(Struct, frozen=True):
    """What a line is in, and says."""

    language: Language
    reading: Reading


class _Scored(Struct, frozen=True):
    language: Language
    score: float
    text: str = ""


def find_language(
    readers: Readers, languages: Sequence[Language], boxes: Sequence[Box], least: float = MIN_SCORE
) -> Found | None:
    """The one of the languages that reads the lines, as they stand or on their heads; None where none of them does."""
    if not boxes or not languages:
        return None
    turned = [msgspec.structs.replace(box, upside_down=True) for box in boxes]
    found, boxes = _leader(readers, _leaders(readers, languages), (boxes, turned))
    alike = [language for language in languages if language.script is found.language.script]
    found = _best_of_script(readers, alike, boxes)
    if found.score < least:
        return None
    return Found(found.language, boxes[0].upside_down, _is_of_another(found, languages))


def is_vietnamese(readers: Readers, language: Language, boxes: Sequence[Box]) -> bool:
    """Whether upright lines that the models do not read are in it: its reader is sure of them, and sees its letters."""
    readings = [read_once(readers.of(language), box, language.script) for box in boxes]
    text = "".join(reading.text for reading in readings)
    return _score(readings, language.script) >= MIN_SCORE and own_share(text, language.script) >= MIN_VIETNAMESE


def lines_by_themselves(
    readers: Readers, languages: Sequence[Language], boxes: Sequence[Box], least: float
) -> list[LineFound | None]:
    """Of each upright line, who of the languages reads it best, and what; None where none of them reads it."""
    best: list[LineFound | None] = [None] * len(boxes)
    scores = [min(least, MIN_SCORE_OF_LEADER)] * len(boxes)
    # one reader after the other, as only a few are kept
    for language in _leaders(readers, languages) if boxes else ():
        reader = readers.of(language)
        for i, box in enumerate(boxes):
            if (scores[i] >= SURE_SCORE and best[i]) or _first_score(reader, language, box) < scores[i] - MAX_GAIN:
                continue
            reading = read_well(reader, box, language.script)
            score = weight(reading, language.script)
            if score >= scores[i]:
                best[i], scores[i] = LineFound(language, reading), score
    of_script: dict[Script, list[int]] = {}
    for i, found in enumerate(best):
        if found:
            of_script.setdefault(found.language.script, []).append(i)
    for script, lines in of_script.items():
        if min(scores[i] for i in lines) >= SURE_SCORE:
            continue
        alike = [language for language in languages if language.script is script]
        language = _best_of_script(readers, alike, [boxes[i] for i in lines[:SAMPLES]]).language
        for i in lines:
            reading = read_well(readers.of(language), boxes[i], script)
            score = weight(reading, script)
            if score >= scores[i]:
                best[i], scores[i] = LineFound(language, reading), score
    return [found if score >= least else None for found, score in zip(best, scores, strict=True)]


def samples(page: Pixels, quads: Quads, script: Judgement) -> list[Box]:
    """Some of the lines that the models do not read, from all over the longer half; of all where they read all."""
    unread = np.flatnonzero([each != "read" or script.open for each in script.lines])
    if not len(unread):
        unread = np.arange(len(quads))
    length: NDArray[np.float32] = np.maximum(*sides(quads[unread]))
    by_length = unread[np.argsort(-length, kind="stable")]
    longer = by_length[: max(SAMPLES, len(by_length) // 2)]
    return [Box(page, quads[i]) for i in longer[:: max(1, len(longer) // SAMPLES)][:SAMPLES]]


def _leaders(readers: Readers, languages: Sequence[Language]) -> list[Language]:
    """One of each script, which tells best whether something is in it."""
    leaders: dict[Script, Language] = {}
    for language in languages:
        leaders.setdefault(language.script, language)
    # what is loaded costs nothing, and is most likely, too; another language of its script would not tell as well
    return sorted(leaders.values(), key=lambda language: not readers.is_loaded(language))


def _leader(
    readers: Readers, languages: Sequence[Language], ways: Sequence[Sequence[Box]]
) -> tuple[_Scored, Sequence[Box]]:
    """The language of a script that reads lines best, and which of the ways they lie in; the first way is likelier."""
    first: dict[tuple[Language, int], float] = {}
    for way, boxes in enumerate(ways):
        for language in languages:
            first[language, way] = _first_score(readers.of(language), language, boxes[0])
            if first[language, way] >= SURE_SCORE:
                score = _once(readers, language, boxes)
                if score >= SURE_SCORE:
                    return _Scored(language, score), boxes
        if max(first.values()) >= UPRIGHT_SCORE:
            break
    by_score = sorted(first, key=lambda tried: -first[tried])
    most = first[by_score[0]]
    hopeful = len(by_score) if most < MIN_FIRST else MAX_AFTER_FIRST
    best, read = _Scored(languages[0], 0.0), ways[0]
    for i, (language, way) in enumerate(by_score):
        # a line that is read and a page that is not: the line is in another script than most
        if i >= hopeful and (best.score >= MIN_SCORE or (most < MIN_SCORE and i >= MAX_OF_DOUBTFUL)):
            break
        if best.score >= max(MIN_SCORE, first[language, way] + MAX_GAIN):
            break
        score = _once(readers, language, ways[way])
        if score > best.score:
            best, read = _Scored(language, score), ways[way]
    return best, read


def _first_score(reader: LineReader, language: Language, box: Box) -> float:
    crop = msgspec.structs.replace(box, quad=middle(box.quad, FIRST_RATIO))
    return weight(read_once(reader, crop, language.script), language.script)


def _once(readers: Readers, language: Language, boxes: Sequence[Box]) -> float:
    reader = readers.of(language)
    return _score([read_once(reader, box, language.script) for box in boxes], language.script)


def _best_of_script(readers: Readers, languages: Sequence[Language], boxes: Sequence[Box]) -> _Scored:
    """The language of one script that reads lines best and whose letters they are; in doubt, its first."""
    first = languages[0]
    readings: dict[Hashable, list[Reading]] = {}
    best, lead = _Scored(first, 0.0), -BETTER_SCORE
    for language in (first, *_likely(readers, languages, boxes, readings)):
        read = _read_all(readers, language, boxes, readings)
        score = _score(read, language.script)
        text = " ".join(reading.text for reading in read)
        counted = score - BIT_SCORE * bits(text, language) * min(1.0, len(text) / MIN_TELLING_LETTERS)
        if language is first or counted > lead + BETTER_SCORE:
            best, lead = _Scored(language, score, text), counted
    return best


def _likely(
    readers: Readers, languages: Sequence[Language], boxes: Sequence[Box], readings: dict[Hashable, list[Reading]]
) -> list[Language]:
    """Those but the first that what the first one reads fits best, or nearly so."""
    first, *others = languages
    if not others:
        return []
    text = " ".join(reading.text for reading in _read_all(readers, first, boxes, readings))
    found = {language: bits(text, language) for language in languages}
    return [language for language in others if found[language] <= min(found.values()) + CLOSE_BITS]


def _is_of_another(found: _Scored, languages: Sequence[Language]) -> bool:
    """Whether what a language reads fits one better that was not asked, and that has letters of its own."""
    if len(found.text) < MIN_TELLING_LETTERS:
        return False
    alike = (each for each in LANGUAGES if each.script is found.language.script and each not in languages)
    absent = [each for each in alike if is_modelled(each) and not set(each.signs) <= set(found.language.signs)]
    least = min((bits(found.text, each) for each in absent), default=math.inf)
    return least + CLOSE_BITS <= bits(found.text, found.language)


def _read_all(
    readers: Readers, language: Language, boxes: Sequence[Box], readings: dict[Hashable, list[Reading]]
) -> list[Reading]:
    """The lines as the language's reader reads them, once for each reader."""
    key = readers.key(language)
    if key not in readings:
        reader = readers.of(language)
        readings[key] = [read_well(reader, box, language.script) for box in boxes]
    return readings[key]


def _score(readings: Sequence[Reading], script: Script) -> float:
    """0 to 1: how surely lines were read in letters of a script, the mean of all."""
    return sum(weight(reading, script) for reading in readings) / len(readings)


def weight(reading: Reading, script: Script) -> float:
    """0 to 1: how surely a line was read in letters of a script."""
    if script is VIETNAMESE:
        # of letters that only it has there are few
        return reading.confidence
    if sum(map(script.holds, reading.text)) < MIN_TRIAL_LETTERS:
        return 0.0
    return max(0.0, reading.confidence * own_share(reading.text, script) - script.chance) / (1 - script.chance)
