"""How languages spell: capitals where a line or sentence begins, one letter for what was read as two signs.

`begun` goes before all doubts are decided: of capitals that differ from their small letters in size alone, `š` or `Š`,
the recogniser, which sees a line scaled to one height, takes one for the other. `spelt` goes after, by the text alone.
"""

import re
from collections.abc import Iterator

import msgspec

from ocr_engine.recognition.ctc import Doubt, Reading

CAPITAL = 0.2
"""Probability of the capital from which it is one: of 25 such doubts on 100 drawn pages the 5 small letters with a
capital of .24 to .46 were wrong, and 10 of less than .2, which stand within sentences, were right."""
_BEGINS = re.compile(r"(?:^|(?<=[^\W\d]{2}[.!?] ))[a-zà-öø-ɏ](?=[^\W\d_A-ZÀ-ÖØ-Þ])")
"""A small letter, with another one behind it, at the beginning of a line or sentence."""
_CZECH = {**dict.fromkeys("tť", "ť"), **dict.fromkeys("dďđ", "ď"), "T": "Ť", "D": "Ď"}
CARONS = {"cs": _CZECH, "sk": {**_CZECH, **dict.fromkeys("lľ", "ľ"), "L": "Ľ"}}
"""By language: what a letter with an apostrophe behind it is."""
WITH_AE = frozenset({"da", "nb", "nn", "is", "fo"})
WITHOUT_O = frozenset({"en", "de", "fr", "nl", "da", "nb", "nn", "fi", "et", "lv", "hu", "is"})
"""Languages in which `o` is no word, and no short form of one as in Swedish."""
_SPELT = {"ro": str.maketrans("şţŞŢ", "șțȘȚ"), "eo": str.maketrans("ǔǓċĊġĠ", "ŭŬĉĈĝĜ")}
"""By language: letters that it does not have, and those that they are; cedillas are of encodings without commas."""
_TURKISH_BEGIN = re.compile(r"(?<=\w{3}[.!?] )i(?=\w)")
"""Of a sentence, where its large letter stands."""
_LONE_O = re.compile(r"(?<=[\w,;:(] )o(?=,? [a-zà-öø-ÿ]| \([a-zà-öø-ÿ]|,? \d|[),;:]|\.$)|(?<=\()o(?=[ ,;:)])")
"""Not where a line begins or ends, or before a capital: there it is a bullet, or the circle of a choice on a form."""
_WITH_APOSTROPHE = re.compile(r"([tťdďđlľTDL])['’´]")
_SAME = re.compile(r"íí|íi|(?:ľľ|ľl|lľ)['’´]?|đđ|đd|dđ|ćč|čć")
"""One letter whose accent the recogniser saw in one of its two steps; no language has these pairs."""
_OPENS = re.compile(r"(?<!\w)['‘‚]")
_AE = re.compile(r"(?<!\w)A[Ee](?=[a-zæøåäöþðáéíóúý])")


def begun(reading: Reading) -> Reading:
    """The reading with capitals for small letters that begin a line or sentence, where the model leaves that open.

    They are open no more. A capital never gives way.
    """
    # beyond Latin-1 capitals and small letters stand side by side
    places = {found.start() for found in _BEGINS.finditer(reading.text) if found[0].islower()}
    large = {doubt.at: sign for doubt in reading.doubts if doubt.at in places and (sign := _capital(reading, doubt))}
    if not large:
        return reading
    text = "".join(large.get(at, sign) for at, sign in enumerate(reading.text))
    doubts = tuple(doubt for doubt in reading.doubts if doubt.at not in large or not doubt.length)
    return msgspec.structs.replace(reading, text=text, doubts=doubts)


def _capital(reading: Reading, doubt: Doubt) -> str:
    capital = reading.text[doubt.at].upper()
    return capital if doubt.length and dict(doubt.choices).get(capital, 0.0) >= CAPITAL else ""


def spelt(reading: Reading, language: str) -> Reading:
    """The reading, which has no doubts any more, as the language spells it."""
    text, places, certainty = _with_its_letters(reading.text, language), [*reading.places], [*reading.certainty]
    found = [*_in_pieces(text, language)]
    if text == reading.text and not found:
        return reading
    for begin, end, letter in reversed(found):
        text = text[:begin] + letter + text[end:]
        del places[begin + 1 : end], certainty[begin + 1 : end]
    return msgspec.structs.replace(reading, text=text, places=tuple(places), certainty=tuple(certainty))


def _with_its_letters(text: str, language: str) -> str:
    """The text, of the same length."""
    if language in WITHOUT_O:
        text = _LONE_O.sub("0", text)
    if language in _SPELT:
        return text.translate(_SPELT[language])
    return _TURKISH_BEGIN.sub("İ", text) if language == "tr" else text


def _in_pieces(text: str, language: str) -> Iterator[tuple[int, int, str]]:
    """Where letters that were read as two or three signs begin and end, and what they are, from left to right."""
    found = [(*some.span(), next(sign for sign in some[0] if not sign.isascii())) for some in _SAME.finditer(text)]
    carons = CARONS.get(language, {})
    # a quotation between such signs may end behind a `t`
    if carons and not _OPENS.search(text):
        pairs = ((*caron.span(), carons.get(caron[1])) for caron in _WITH_APOSTROPHE.finditer(text))
        found += [(begin, end, letter) for begin, end, letter in pairs if letter]
    if language in WITH_AE:
        found += [(*ligature.span(), "Æ") for ligature in _AE.finditer(text)]
    behind = 0
    for begin, end, letter in sorted(found):
        if begin >= behind:
            yield begin, end, letter
            behind = end
