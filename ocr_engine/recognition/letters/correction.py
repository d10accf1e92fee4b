"""What a page's lines leave open, decided by the language that they are written in."""

from collections.abc import Iterable, Iterator, Sequence
from operator import itemgetter
from pathlib import Path

import msgspec

from ocr_engine.recognition.accents import base
from ocr_engine.recognition.ctc import APOSTROPHES, Doubt, Reading
from ocr_engine.recognition.letters import choice, scope, spelling, strangers, weak
from ocr_engine.recognition.letters.files import FOLDER, SUFFIX
from ocr_engine.recognition.letters.languages import alphabet
from ocr_engine.recognition.letters.model import LetterModel
from ocr_engine.recognition.letters.ngrams import TURKISH, Grams, folded
from ocr_engine.recognition.spaces import is_unsure

MIN_LETTERS = 30
"""Of a page, from which its language is asked for: a shop's sign is of none."""
MAX_BITS = 4.6
"""A letter, up to which a text is of the language that fits it best. Prose has 2.3 to 3.3, lines without any space
between their words up to 5; receipts, formulae and languages without a model have 4.7 to 7."""
CLEAR_LEAD = 0.8
"""Bits a letter by which the best language is ahead of the next in prose: with it `MAX_LED_BITS` count."""
MAX_LED_BITS = 5.2
MIN_PROSE_LETTERS = 60
"""Of a text, from which it can be told from what is read of a script that the models lack."""
MAX_PROSE_BITS = 5.9
"""A letter, up to which it is: hardly legible dot print has up to 5.6, other scripts of so many letters 6.4 to 9."""
FIRST_SAMPLE, SAMPLE = 150, 600
"""Characters by which all languages are compared, and the best few of them."""
FINALISTS = 4
TIGHT_SHARE, MIN_TIGHT = 0.1, 8
"""Share of a page's spaces, and their number, that the model is not sure of, from which its print is tightly set: of
usual pages it is 0.00 to 0.08, of drawn ones with word spaces under 0.17 em mostly 0.3 to 0.9."""
ALL_TIGHT = 0.5
"""The share from which all of it is. Between them a space is the harder to see the larger the share is: a few tight
lines of a page of usual print made two words of one (`už šalo`)."""
MIN_TELLING_CONFIDENCE = 0.8
"""Confidence of lines that say what language a page is of."""


class Letters:
    """The letter models of all languages; each is opened when it is first asked."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self._files = {file.stem: file for file in sorted(folder.glob(f"*{SUFFIX}"))}
        self._models: dict[str, LetterModel] = {}

    def decided(self, readings: Sequence[Reading], told: Sequence[str] = ()) -> list[Reading]:
        """The readings of a page without what letters may decide. `told`: its languages; none: by what is read."""
        readings = [spelling.begun(reading) for reading in readings]
        language = self.language(readings, told)
        if language is None and not told:
            readings = strangers.without(readings)
        doubts = [scope.in_scope(reading) for reading in readings]
        letters = alphabet(told or ([language] if language else []))
        if letters is not None:
            doubts = [
                [_masked(doubt, letters) for doubt in of_line if not _is_sign(reading.text, doubt, letters)]
                for reading, of_line in zip(readings, doubts, strict=True)
            ]
        even = even_space(readings, doubts)
        if language is not None:
            doubts = [
                weak.opened(reading, of_line, language) for reading, of_line in zip(readings, doubts, strict=True)
            ]
        decided = [
            edited(reading, of_line, self._chosen(reading.text, of_line, language, even))
            for reading, of_line in zip(readings, doubts, strict=True)
        ]
        return [spelling.spelt(reading, language) for reading in decided] if language is not None else decided

    def language(self, readings: Sequence[Reading], told: Sequence[str] = ()) -> str | None:
        """The language that fits the readings best, of those that are told; None where none fits, or has a model."""
        candidates = [language for language in told or self._files if language in self._files]
        if told and len(candidates) < 2:
            return candidates[0] if candidates else None
        text = " ".join(
            reading.text for reading in readings if reading.confidence >= MIN_TELLING_CONFIDENCE and reading.text
        )
        text = " ".join(word for word in text.split() if any(map(scope.is_latin, word)))
        if sum(map(scope.is_latin, text)) < MIN_LETTERS:
            return None
        fits = sorted(self._fits(text[:FIRST_SAMPLE], candidates))[:FINALISTS]
        fits = sorted(self._fits(text[:SAMPLE], [language for _, language in fits]))
        (bits, language), (next_bits, _) = fits[0], fits[1]
        most = MAX_LED_BITS if next_bits - bits >= CLEAR_LEAD else MAX_BITS
        return language if told or bits <= most else None

    def is_prose(self, text: str) -> bool:
        """Whether a text of the page, badly read as it may be, is in a language rather than in another script."""
        text = " ".join(word for word in text.split() if any(map(scope.is_latin, word)))[:SAMPLE]
        if sum(map(scope.is_latin, text)) < MIN_PROSE_LETTERS:
            return False
        return min(self._fits(text, self._files))[0] <= MAX_PROSE_BITS

    def _fits(self, text: str, languages: Iterable[str]) -> list[tuple[float, str]]:
        """Bits a letter of the text in each language."""
        # all but one fold alike
        folds = {language == TURKISH: Grams(folded(text, language)) for language in (TURKISH, "")}
        return [
            (float(self._model(language).text_bits(folds[language == TURKISH]).mean()), language)
            for language in languages
        ]

    def _chosen(self, text: str, doubts: Sequence[Doubt], language: str | None, even: float) -> list[str]:
        if language is not None:
            return choice.chosen(text, doubts, self._model(language), even=even)
        # all that speaks is the alphabet: spaces stay, letters are the likeliest of those that it has
        return [
            text[doubt.at : doubt.at + doubt.length] if doubt.is_gap else max(doubt.choices, key=itemgetter(1))[0]
            for doubt in doubts
        ]

    def _model(self, language: str) -> LetterModel:
        if language not in self._models:
            self._models[language] = LetterModel(language, self._files[language])
        return self._models[language]


def even_space(readings: Sequence[Reading], doubts: Sequence[Sequence[Doubt]]) -> float:
    """With which probability a space is none either way: the less, the more of a page's spaces the model doubts."""
    gaps = [doubt for of_line in doubts for doubt in of_line if doubt.is_gap]
    unsure = sum(map(is_unsure, gaps))
    sure = sum(reading.text.count(" ") for reading in readings) - sum(gap.length for gap in gaps)
    if unsure < MIN_TIGHT:
        return choice.EVEN_SPACE
    tightness = (unsure / (unsure + sure) - TIGHT_SHARE) / (ALL_TIGHT - TIGHT_SHARE)
    return float(choice.EVEN_SPACE * (choice.EVEN_TIGHT_SPACE / choice.EVEN_SPACE) ** min(1.0, max(0.0, tightness)))


def edited(reading: Reading, doubts: Sequence[Doubt], chosen: Sequence[str]) -> Reading:
    """The reading with what was chosen at some doubts, from left to right; none is open any more."""
    text, places, certainty = reading.text, [*reading.places], [*reading.certainty]
    for doubt, choice_ in reversed([*zip(doubts, chosen, strict=True)]):
        begins, ends = doubt.at, doubt.at + doubt.length
        text = text[:begins] + choice_ + text[ends:]
        if doubt.length and choice_:
            places[begins:ends] = [places[begins]] * len(choice_)
            certainty[begins:ends] = [certainty[begins]] * len(choice_)
        elif len(choice_) != doubt.length:
            left, right = max(0, begins - 1), min(begins, len(places) - 1)
            places[begins:ends] = [(places[left] + places[right]) / 2] * len(choice_)
            # as sure as its neighbours: the language has spoken for it
            certainty[begins:ends] = [min(certainty[left], certainty[right])] * len(choice_)
    return msgspec.structs.replace(reading, text=text, places=tuple(places), certainty=tuple(certainty), doubts=())


def _is_sign(text: str, doubt: Doubt, letters: frozenset[str]) -> bool:
    """Whether a letter stands alone that no word of the language has: a box with a check mark is read as `ý`."""
    if doubt.is_gap or not doubt.length:
        return False
    alone = not (text[: doubt.at][-1:].strip() or text[doubt.at + 1 :][:1].strip())
    return alone and text[doubt.at] not in letters and not _is_accent_of_it(text, doubt, letters)


def _is_accent_of_it(text: str, doubt: Doubt, letters: frozenset[str]) -> bool:
    """Whether the letter may be one of the language with another accent: `à` is `å`, which is a word."""
    plain = base(text[doubt.at])
    return any(letter in letters and letter != plain == base(letter) for letter, _ in doubt.choices)


def _masked(doubt: Doubt, letters: frozenset[str]) -> Doubt:
    """Without the letters that the language does not have, if one is left that it has.

    What speaks for an accent of others speaks for its own: those that were seen, else all.
    """
    kept = {
        letter: probability
        for letter, probability in doubt.choices
        if not letter.strip() or letter in APOSTROPHES or letters.issuperset(letter)
    }
    if not kept:
        return doubt
    seen = {*kept}
    for letter, probability in doubt.choices:
        if letter not in seen:
            others = [*_accented(letter, letters)]
            # an accent alone is no letter that was lost
            for other in [other for other in others if other in seen] or (others if doubt.length else ()):
                kept[other] = kept.get(other, 0.0) + probability
    return msgspec.structs.replace(doubt, choices=(*kept.items(),))


def _accented(letter: str, letters: frozenset[str]) -> Iterator[str]:
    """Those of an alphabet that have another accent than a letter with one."""
    plain = base(letter) if len(letter) == 1 and letter not in scope.UPRIGHT else letter
    return (other for other in letters if letter != plain != other and base(other) == plain)
