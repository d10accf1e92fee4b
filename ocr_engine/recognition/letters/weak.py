"""Letters that the recogniser is sure of and wrong about: accents that print sets small, or beside the letter.

The caron of `ť`, `ď` and `ľ` is an apostrophe to it, or nothing. So in languages that have such letters they stay open,
however sure it is, and an apostrophe behind one of theirs is its caron. Where it saw an accent, however little, that is
worth more than its probability says. What it takes for another sign in a word of letters is none in any language.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache

import msgspec

from ocr_engine.recognition.accents import base
from ocr_engine.recognition.ctc import APOSTROPHES, Doubt, Reading
from ocr_engine.recognition.letters import scope
from ocr_engine.recognition.letters.languages import ALPHABETS

_UNSEEN, _CARON, _FAINT, _FAINTEST = 0.4, 0.2, 0.1, 0.05
"""Probability that a letter has at least where it is often not seen. On 110 pages drawn by lot, word F1 .9924 became
.9938 with .2 for all of them, .9934 with .1, .9930 with .05; `i` became `í` too often. .4 is for those that are
hardly ever told, capitals for the most part: on four pages of Slovak it reads three more words right than .2."""
_CAPITALS = {"D": {"Ď": _UNSEEN}, "T": {"Ť": _UNSEEN}, "L": {"Ľ": _UNSEEN}, "Ž": {"Ď": _FAINT, "Ť": _FAINT}}
WEAK: dict[str, dict[str, dict[str, float]]] = {
    "cs": {"t": {"ť": _CARON}, "d": {"ď": _CARON}, "đ": {"ď": _UNSEEN}, "i": {"í": _FAINTEST}, **_CAPITALS},
    "sk": {
        "t": {"ť": _CARON},
        "d": {"ď": _CARON},
        "đ": {"ď": _UNSEEN},
        "l": {"ľ": _CARON},
        "i": {"í": _FAINTEST},
        **_CAPITALS,
    },
    "lt": {"i": {"į": _FAINTEST}, "A": {"Ą": _FAINT}, "e": {"ė": _FAINTEST}},
    "lv": {
        "l": {"ļ": _FAINTEST},
        "k": {"ķ": _FAINTEST},
        "i": {"ī": _FAINTEST},
        "n": {"ņ": _FAINTEST},
        **{letter: {accented: _UNSEEN} for letter, accented in zip("GNKLE", "ĢŅĶĻĒ", strict=True)},
    },
    "nb": {"à": {"å": _FAINT}, "A": {"Å": _FAINT, "Æ": _FAINT}},
    "da": {"à": {"å": _FAINT}, "A": {"Å": _FAINT, "Æ": _FAINT}},
    "sv": {"A": {"Å": _FAINT}},
    "fi": {"Ä": {"Å": _FAINT}},
    "pl": {"Ż": {"Ź": _FAINT}, "z": {"ż": _FAINT}},
    "ro": {"T": {"Ț": _CARON}, "S": {"Ș": _CARON}, "i": {"î": _FAINT}},
    "hu": {"ü": {"ű": _FAINT}},
    "tr": {"i": {"ı": _FAINT}},
    "is": {"p": {"þ": _CARON}, "b": {"þ": _CARON}, "P": {"Þ": _CARON}, "õ": {"ö": _FAINT}},
}
"""By language: what was read, and what was printed, on pages drawn by lot."""
USUAL_EVEN = 0.05
"""Probability of an accented letter with which it is as likely as the plain one that was read."""
EVEN: dict[str, dict[str, dict[str, float]]] = {
    "cs": {"t": {"ť": 0.002}, "d": {"ď": 0.002}, "i": {"í": 0.01}, "ú": {"ů": 0.005}},
    "sk": {"t": {"ť": 0.0007}, "d": {"ď": 0.0007}, "l": {"ľ": 0.01}},
    "lt": {"i": {"į": 0.02}, "a": {"ą": 0.03}},
    "lv": {"i": {"ī": 0.007}, "g": {"ģ": 0.001}, "ġ": {"ģ": 0.001}, "k": {"ķ": 0.02}},
    "hu": {"i": {"í": 0.01}, "ú": {"ű": 0.003}},
    "tr": {"i": {"ı": 0.003}},
}
"""By language: what was read, what was printed, and the same for these. Of 502 times that `t` was printed and read on
pages of Slovak, `ť` had .001 or more once; of 91 times that `ť` was printed and `t` was read it had so 91 times."""
_CZECH = {**dict.fromkeys("tť", "ť"), **dict.fromkeys("dďđ", "ď"), "T": "Ť", "D": "Ď"}
CARONS = {"cs": _CZECH, "sk": {**_CZECH, **dict.fromkeys("lľ", "ľ"), "L": "Ľ"}}
"""By language: what a letter with an apostrophe behind it is."""
WITH_AE = frozenset({"da", "nb", "nn", "is", "fo"})
_TWICE = re.compile(r"([tťdďđlľTDL])['’´]")
_SPELT = {"ro": str.maketrans("şţŞŢ", "șțȘȚ"), "eo": str.maketrans("ǔǓċĊġĠ", "ŭŬĉĈĝĜ")}
"""By language: letters that it does not have, and those that they are; cedillas are of encodings without commas."""
_TURKISH_BEGIN = re.compile(r"(?<=\w{3}[.!?] )i(?=\w)")
"""Of a sentence, where its large letter stands."""
_OPENS = re.compile(r"(?<!\w)['‘‚]")
_AE = re.compile(r"(?<!\w)A[Ee](?=[a-zæøåäöþðáéíóúý])")


def opened(reading: Reading, doubts: Sequence[Doubt], language: str) -> list[Doubt]:
    """The doubts about a reading, from left to right, and those about the letters that are easily wrong in it."""
    weak, even = WEAK.get(language, {}), _evens(language)
    if not weak and not even:
        return [*doubts]
    text = reading.text
    doubts = [_as_caron(text, doubt, CARONS.get(language, {})) for doubt in doubts]
    doubts = [_with_accents(doubt, weak) for doubt in doubts]
    found = {(doubt.at, doubt.length): doubt for doubt in doubts}
    hints = {doubt.at: dict(doubt.choices) for doubt in reading.doubts if doubt.length and text[doubt.at] in even}
    for at, letter in enumerate(text):
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
    return sorted(found.values(), key=lambda doubt: (doubt.at, doubt.length))


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


def joined(reading: Reading, language: str) -> Reading:
    """The reading, which has no doubts any more, with one letter for each that was read as two signs."""
    text, places, certainty = _as_spelt(reading.text, language), [*reading.places], [*reading.certainty]
    found = [*_twice(text, language)]
    if text == reading.text and not found:
        return reading
    for at, letter in reversed(found):
        text = text[:at] + letter + text[at + 2 :]
        del places[at + 1 : at + 2], certainty[at + 1 : at + 2]
    return msgspec.structs.replace(reading, text=text, places=tuple(places), certainty=tuple(certainty))


def _as_spelt(text: str, language: str) -> str:
    """The text, of the same length, as the language spells its letters."""
    if language in _SPELT:
        return text.translate(_SPELT[language])
    return _TURKISH_BEGIN.sub("İ", text) if language == "tr" else text


def _twice(text: str, language: str) -> Iterator[tuple[int, str]]:
    """Places of letters that were read as two signs, and what they are, from left to right."""
    carons = CARONS.get(language, {})
    # a quotation between such signs may end behind a `t`
    if carons and not _OPENS.search(text):
        for caron in _TWICE.finditer(text):
            if letter := carons.get(caron[1]):
                yield caron.start(), letter
    if language in WITH_AE:
        for ligature in _AE.finditer(text):
            yield ligature.start(), "Æ"
