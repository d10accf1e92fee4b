"""Letters that the recogniser is sure of and wrong about: accents that print sets small, or beside the letter.

The caron of `ť`, `ď` and `ľ` is an apostrophe to it, or nothing. So in languages that have such letters they stay open,
however sure it is, and an apostrophe behind one of theirs is its caron. What it takes for another sign in a word of
letters is none in any language.
"""

import re
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from ocr_engine.recognition.ctc import APOSTROPHES, Doubt, Reading
from ocr_engine.recognition.letters import scope

_SLOVAK, _CARON, _FAINT, _FAINTEST = 0.4, 0.2, 0.1, 0.05
"""Probability that a letter has at least where it is often not seen. On 110 pages drawn by lot, word F1 .9924 became
.9938 with .2 for all of them, .9934 with .1, .9930 with .05; `i` became `í` too often. In Slovak, which has most,
.4 reads three more of its words on four pages right than .2, and none wrong."""
WEAK: dict[str, dict[str, dict[str, float]]] = {
    "cs": {"t": {"ť": _CARON}, "d": {"ď": _CARON}, "đ": {"ď": _SLOVAK}, "i": {"í": _FAINTEST}},
    "sk": {
        "t": {"ť": _SLOVAK},
        "d": {"ď": _SLOVAK},
        "đ": {"ď": _SLOVAK},
        "l": {"ľ": _SLOVAK},
        "i": {"í": _FAINTEST},
    },
    "lt": {"i": {"į": _FAINTEST}, "A": {"Ą": _FAINT}, "e": {"ė": _FAINTEST}},
    "lv": {"l": {"ļ": _FAINTEST}, "k": {"ķ": _FAINTEST}, "i": {"ī": _FAINTEST}, "n": {"ņ": _FAINTEST}},
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


def opened(text: str, doubts: Sequence[Doubt], language: str) -> list[Doubt]:
    """The doubts about a text, from left to right, and those about the letters that are easily wrong in it."""
    weak = WEAK.get(language)
    if not weak:
        return [*doubts]
    doubts = [_as_caron(text, doubt, CARONS.get(language, {})) for doubt in doubts]
    found = {(doubt.at, doubt.length): doubt for doubt in doubts}
    for at, letter in enumerate(text):
        if letter in weak and scope.is_in_word(text, at):
            others = weak[letter]
            doubt = found.get((at, 1), Doubt(at, 1, ((letter, 1 - max(others.values())),)))
            choices = dict(doubt.choices)
            choices |= {other: max(least, choices.get(other, 0.0)) for other, least in others.items()}
            found[at, 1] = msgspec.structs.replace(doubt, choices=(*choices.items(),))
    return sorted(found.values(), key=lambda doubt: (doubt.at, doubt.length))


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
