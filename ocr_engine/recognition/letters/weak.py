"""Letters that the recogniser is sure of and wrong about: accents that print sets small, or beside the letter.

The caron of `ť`, `ď` and `ľ` is an apostrophe to it, or nothing. So in languages that have such letters they stay open,
however sure it is, and an apostrophe behind one of theirs is its caron. Where it saw an accent, however little, that is
worth more than its probability says. What it takes for another sign in a word of letters is none in any language.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache

from ocr_engine.recognition.accents import base
from ocr_engine.recognition.ctc import APOSTROPHES, OPEN_ACCENT, Doubt, Reading
from ocr_engine.recognition.letters import scope
from ocr_engine.recognition.letters.languages import ALPHABETS
from ocr_engine.recognition.letters.spelling import CARONS, WITH_AE

_UNSEEN, _CARON, _FAINT, _FAINTEST = 0.4, 0.2, 0.1, 0.02
"""Probability that a letter has at least where it is often not seen at all: .4 for those that are hardly ever told,
capitals for the most part; .02 where 1 % of what was read are it. More costs words that are right."""
_CAPITALS = {"D": {"Ď": _UNSEEN}, "T": {"Ť": _UNSEEN}, "L": {"Ľ": _UNSEEN}, "Ž": {"Ď": _FAINT, "Ť": _FAINT}}
_CARONS = {"t": {"ť": _FAINTEST}, "d": {"ď": _FAINTEST}, "đ": {"ď": _UNSEEN}, "f": {"ť": _FAINT / 2}, **_CAPITALS}
_SLOVAK = {letter: {accented: _FAINT} for letter, accented in zip("tdl", "ťďľ", strict=True)}
_RING = {"à": {"å": _FAINT}, "A": {"Å": _FAINT, "Æ": _FAINT}, "E": {"Æ": _FAINT}}
WEAK: dict[str, dict[str, dict[str, float]]] = {
    "cs": _CARONS,
    "sk": {**_CARONS, **_SLOVAK, "í": {"ĺ": _FAINTEST}},
    "lt": {"i": {"į": _FAINTEST}, "j": {"į": _FAINTEST}, "A": {"Ą": _FAINT}},
    "lv": {
        **{letter: {accented: _FAINTEST} for letter, accented in zip("lkin", "ļķīņ", strict=True)},
        **{letter: {accented: _UNSEEN} for letter, accented in zip("GNKLE", "ĢŅĶĻĒ", strict=True)},
    },
    "nb": _RING,
    "da": _RING,
    "sv": {"A": {"Å": _FAINT}},
    "fi": {"Ä": {"Å": _FAINT}},
    "pl": {"Ż": {"Ź": _FAINT}},
    "ro": {"T": {"Ț": _CARON}, "S": {"Ș": _CARON}},
    "tr": {"i": {"ı": _FAINTEST}},
    "is": {"p": {"þ": _CARON}, "b": {"þ": _CARON}, "P": {"Þ": _CARON}, "õ": {"ö": _FAINT}},
}
"""By language: what was read, and what was printed, on pages drawn by lot."""
USUAL_EVEN = 0.05
"""Probability of an accented letter with which it is as likely as the plain one that was read."""
BARE = 0.01
"""What the probability of a plain letter is worth where one with an accent was read: on 264 drawn pages none that
belongs to the language was read where none was printed, and by .1 or 1 one and 18 words less are right."""
WITHOUT_ACCENTS = frozenset({"en", "id", "ms", "sw", "uz"})
"""Languages to which an accent that was read is dirt as likely as not."""
_EVEN_CARONS = {"t": {"ť": 0.001}, "d": {"ď": 0.002}, "f": {"ť": 0.003}, "l": {"ľ": 0.001}}
_EVEN_DANISH = {"a": {"æ": 0.005, "å": 0.01}, "o": {"ø": 0.006}}
EVEN: dict[str, dict[str, dict[str, float]]] = {
    "cs": {**_EVEN_CARONS, "i": {"í": 0.01}, "ú": {"ů": 0.003}, "r": {"ř": 0.003}, "R": {"Ř": 0.01}},
    "sk": {**_EVEN_CARONS, "i": {"í": 0.02}},
    "lt": {"i": {"į": 0.002}, "j": {"į": 0.003}, "a": {"ą": 0.02}, "I": {"Į": 0.01}},
    "lv": {"i": {"ī": 0.003}, "g": {"ģ": 0.001}, "ġ": {"ģ": 0.001}, "k": {"ķ": 0.02}, "l": {"ļ": 0.005}},
    "hu": {"i": {"í": 0.007}, "ö": {"ő": 0.04}, "ü": {"ű": 0.006}, "ú": {"ű": 0.003}},
    "hr": {"d": {"đ": 0.005}},
    "et": {"ö": {"õ": 0.03}, "ó": {"õ": 0.0005}},
    "fi": {"a": {"ä": 0.008}, "o": {"ö": 0.01}},
    "da": _EVEN_DANISH,
    "nb": _EVEN_DANISH,
    "sv": {"a": {"å": 0.01}},
    "ro": {"t": {"ț": 0.006}},
    "tr": {"i": {"ı": 0.01}, "g": {"ğ": 0.006}},
    "is": {"b": {"þ": 0.001}, "p": {"þ": 0.001, "Þ": 0.001}, "P": {"Þ": 0.002}},
}
"""By language: what was read, what was printed, and the same for these. Of 563 times that `t` was printed and read on
pages of Slovak, `ť` had .001 or more never; of 63 times that `ť` was printed and `t` was read it had so 58 times. Of 27
hints of .01 and more at `þ` where `b` or `p` was read, on 24 pages of Icelandic, all were `þ`."""
_ALIKE = re.compile(r"m|(?<![^\W_])l(?=[a-zà-öø-ÿ])|(?<=[Ææa])e")
RN, HINTED_RN = 0.02, 0.3
"""Probability that an `m` is `r` and `n`, where nothing hints at that, and where the `r` is seen: of 6350 on 264 drawn
pages 7, and 7 of 10."""
INITIAL_I, LINE_I, SENTENCE_I = 0.2, 0.5, 0.8
"""That an `l` at the beginning of a word is an `I`, which many fonts draw alike; at that of a line; of a sentence."""
_ENDED = re.compile(r"\w[.!?] $")
SECOND_E = 0.2
"""That an `e` behind an `æ` is the rest of it."""


def opened(reading: Reading, doubts: Sequence[Doubt], language: str) -> list[Doubt]:
    """The doubts about a reading, from left to right, and those about the letters that are easily wrong in it."""
    weak, even = WEAK.get(language, {}), _evens(language)
    text = reading.text
    doubts = [_as_caron(text, doubt, CARONS.get(language, {})) for doubt in doubts]
    doubts = [_with_accents(doubt, weak) for doubt in doubts]
    if language not in WITHOUT_ACCENTS:
        doubts = [_with_accent_seen(text, doubt) for doubt in doubts]
    found = {(doubt.at, doubt.length): doubt for doubt in doubts}
    hints = {doubt.at: dict(doubt.choices) for doubt in reading.doubts if doubt.length and text[doubt.at] in even}
    for at, letter in enumerate(text):
        if letter not in weak and letter not in even:
            continue
        others = dict(weak.get(letter, {}))
        stands = 1 - max(others.values(), default=0.0)
        for other, equal in even.get(letter, {}).items():
            if seen := hints.get(at, {}).get(other, 0.0):
                others[other] = max(others.get(other, 0.0), seen / (seen + equal))
                stands = min(stands, equal / (seen + equal))
        if others and scope.is_in_word(text, at):
            choices = dict(found[at, 1].choices) if (at, 1) in found else {}
            choices |= {other: max(least, choices.get(other, 0.0)) for other, least in others.items()}
            choices[letter] = min(stands, choices.get(letter, 1.0)) if letter in even else choices.get(letter, stands)
            found[at, 1] = Doubt(at, 1, (*choices.items(),))
    for at, other, seen in _alike(reading, language):
        choices = dict(found[at, 1].choices) if (at, 1) in found else {text[at]: 1 - seen}
        choices[other] = max(seen, choices.get(other, 0.0))
        found[at, 1] = Doubt(at, 1, (*choices.items(),))
    return sorted(found.values(), key=lambda doubt: (doubt.at, doubt.length))


def _alike(reading: Reading, language: str) -> Iterator[tuple[int, str, float]]:
    """Places of letters that may be others of the same shape, what they may be, and how probably."""
    text, hints = reading.text, {doubt.at: dict(doubt.choices) for doubt in reading.doubts if doubt.length}
    for alike in _ALIKE.finditer(text):
        at, letter = alike.start(), alike[0]
        if not scope.is_in_word(text, at):
            continue
        if letter == "m":
            yield at, "rn", HINTED_RN if hints.get(at, {}).get("r", 0.0) >= scope.OTHER_LETTER else RN
        elif letter == "l" and language != "tr":
            yield at, "I", _initial_i(text[:at])
        elif letter == "e" and language in WITH_AE and _may_be_ae(text[at - 1], hints.get(at - 1, {})):
            yield at, "", SECOND_E


def _initial_i(before: str) -> float:
    return LINE_I if not before else SENTENCE_I if _ENDED.search(before) else INITIAL_I


def _may_be_ae(letter: str, seen: Mapping[str, float]) -> bool:
    return letter != "a" or seen.get("æ", 0.0) >= OPEN_ACCENT


@cache
def _evens(language: str) -> Mapping[str, Mapping[str, float]]:
    """`EVEN` of a language, its other accents included."""
    found: dict[str, dict[str, float]] = {}
    for other in ALPHABETS.get(language, ""):
        for printed in {other, other.upper()}:
            plain = base(printed)
            if plain != printed:
                found.setdefault(plain, {})[printed] = USUAL_EVEN
    for letter, others in EVEN.get(language, {}).items():
        found.setdefault(letter, {}).update(others)
    return found


def _with_accent_seen(text: str, doubt: Doubt) -> Doubt:
    """The doubt about a letter that was read with an accent, the plain one less probable than it says."""
    letter = text[doubt.at : doubt.at + doubt.length]
    if len(letter) != 1 or (plain := base(letter)) == letter:
        return doubt
    choices = dict(doubt.choices)
    if plain in choices:
        choices[plain] *= BARE
    return Doubt(doubt.at, 1, (*choices.items(),))


def _with_accents(doubt: Doubt, weak: Mapping[str, Mapping[str, float]]) -> Doubt:
    """The doubt whether a letter was lost, with the accents that are easily lost on it."""
    if doubt.length or doubt.is_gap:
        return doubt
    choices = dict(doubt.choices)
    for letter, seen in doubt.choices:
        for other in weak.get(letter, ()):
            choices[other] = max(seen, choices.get(other, 0.0))
    return Doubt(doubt.at, 0, (*choices.items(),))


def _as_caron(text: str, doubt: Doubt, carons: Mapping[str, str]) -> Doubt:
    """The doubt whether an apostrophe was lost, as one whether the letter before it has a caron."""
    letter, choices = text[doubt.at - 1 : doubt.at], dict(doubt.choices)
    seen = sum(choices.get(sign, 0.0) for sign in APOSTROPHES)
    if doubt.length or doubt.is_gap or not seen or letter not in carons:
        return doubt
    return Doubt(doubt.at - 1, 1, ((letter, choices[""]), (carons[letter], seen)))
