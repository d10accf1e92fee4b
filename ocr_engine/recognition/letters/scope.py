"""What letters may decide: words of running text. Codes, serials, formulae and other scripts are left as read."""

import re

from ocr_engine.recognition.accents import LAST_LATIN, base
from ocr_engine.recognition.ctc import APOSTROPHES, OPEN_LETTER, Doubt, Reading

OTHER_LETTER = 0.05
"""Probability from which a letter may give way to another one; to itself with or without an accent, from any."""
ABBREVIATION = 3
"""Capitals up to which a word is taken for an abbreviation: its letters say nothing about each other. Longer words in
capitals are names as often as not: only signs that look alike, and accents, are put right in them."""
ENDS_CLAUSE = frozenset(",;:!?")
UPRIGHT = frozenset("Il1|iıİ!")
"""Signs that many fonts draw alike."""
LARGE_I = frozenset("Iİ")
"""Of these, what stands behind no small letter: `CtrlD` has an `l`, which no language is against."""

GREEK_ALIKE = frozenset("αβγικνορτυωχΑΒΕΖΗΙΚΜΝΟΡΤΥΧ")
"""Letters of Greek that look like Latin ones: between these they are none."""

WITH_CARON_BESIDE = frozenset("ďľťĽ")
"""Letters whose caron is an apostrophe to the model: it is no other one."""
LIGATURES = {"æ": "ae", "œ": "oe", "Æ": "AE", "Œ": "OE"}
"""Of which parts the model sees a second time."""
_ROMAN = re.compile(r"[IVXLCDM]{2,}")
_NO_WORD = re.compile(r"[\d_@\\/=<>{}\[\]|#$^~+*]")


def in_scope(reading: Reading) -> list[Doubt]:
    """The doubts that the letters around them may settle, with those of their choices that come into question."""
    found = []
    for doubt in reading.doubts:
        settle = _space if doubt.is_gap else _letter if doubt.length else _lost
        chosen = settle(reading.text, doubt)
        if chosen is not None:
            found.append(chosen)
    return found


def _space(text: str, doubt: Doubt) -> Doubt | None:
    before, after = doubt.at - 1, doubt.at + doubt.length
    if before < 0 or after >= len(text) or not is_latin(text[after]):
        return None
    left, right = _around(text, doubt)
    if _NO_WORD.search(left) or _NO_WORD.search(right) or _ROMAN.fullmatch((left[-1:] + right).rstrip(".,;:)")):
        return None
    if is_latin(text[before]):
        return doubt
    if not doubt.length and text[before] in ENDS_CLAUSE and len(left) > 2 and len(right) > 1:
        return doubt
    # a sentence's end; `z.B.` and `U.S.` are not
    is_end = text[before] == "." and text[after].isupper() and len(left) > 3 and left[-4:-1].islower()
    return doubt if is_end and not doubt.length else None


def _lost(text: str, doubt: Doubt) -> Doubt | None:
    """Of a letter that may be lost within a word, or an apostrophe between two letters."""
    left, right = _around(text, doubt)
    word = left + right
    if _NO_WORD.search(word) or word.isupper() or not any(map(is_latin, left[-1:] + right[:1])):
        return None
    choices = [
        (choice, probability)
        for choice, probability in doubt.choices
        if not choice
        or (choice in APOSTROPHES and left.isalpha() and right[:1].isalpha() and left[-1] not in WITH_CARON_BESIDE)
        or (is_latin(choice) and (choice.islower() or not left) and choice not in LIGATURES.get(left[-1:], ""))
    ]
    return Doubt(doubt.at, 0, tuple(choices)) if len(choices) > 1 else None


def _letter(text: str, doubt: Doubt) -> Doubt | None:
    stands = text[doubt.at]
    left, right = _around(text, doubt)
    if _NO_WORD.search(left) or _NO_WORD.search(right):
        return None
    if stands.isdigit() or stands == "|":
        # as a footnote's number, or a measure's, it would stand at an end
        is_inside = right[:1].isalpha() and (left[-1:].isalpha() or (right[:3].isalpha() and len(right) > 2))
        if not is_inside:
            return None
    elif not is_latin(stands) and not (stands in GREEK_ALIKE and is_latin(left[-1:]) and is_latin(right[:1])):
        return None
    word = left + stands + right
    is_long = sum(map(str.isalpha, word)) > ABBREVIATION
    alike = UPRIGHT if is_long or _begins_clause(text, doubt, word) else frozenset[str]()
    choices = [
        (choice, probability)
        for choice, probability in doubt.choices
        if choice == stands
        or (
            is_latin(choice)
            and probability >= OPEN_LETTER
            and _may_replace(stands, choice, probability)
            and not (choice in UPRIGHT and left[-1:].islower() and (choice in LARGE_I or right[:1].isupper()))
            and not (word.isupper() and base(choice) != base(stands) and not {choice, stands} <= alike)
        )
    ]
    return Doubt(doubt.at, doubt.length, tuple(choices)) if len(choices) > 1 else None


def _begins_clause(text: str, doubt: Doubt, word: str) -> bool:
    """Whether `II` begins a clause, and goes on in small letters: `Il` rather than a numeral."""
    before = text[: doubt.at].rsplit(" ", 1)[0] if " " in text[: doubt.at] else ""
    after = text[doubt.at :].split(" ", 1)[1:]
    return word == "II" and (not before or before[-1] in ".!?:") and bool(after and after[0][:1].islower())


def _may_replace(stands: str, choice: str, probability: float) -> bool:
    if (stands in UPRIGHT and choice in UPRIGHT) or not is_latin(stands) or choice == 2 * stands:
        return True
    if stands.isupper() != choice.isupper():
        return False
    return base(stands) == base(choice) or probability >= OTHER_LETTER


def _around(text: str, doubt: Doubt) -> tuple[str, str]:
    """What stands before and behind the doubt without a space between."""
    before, after = text[: doubt.at], text[doubt.at + doubt.length :]
    return before[before.rfind(" ") + 1 :], after.split(" ", 1)[0]


def is_in_word(text: str, at: int) -> bool:
    """Whether the letter at a place is one of a word of running text, other than one of capitals."""
    word = text[text.rfind(" ", 0, at) + 1 :].split(" ", 1)[0]
    return not _NO_WORD.search(word) and not (len(word) > 1 and word.isupper())


def is_latin(character: str) -> bool:
    """Whether it is a letter of the Latin script, as far as European languages use it."""
    return character.isalpha() and character[0] <= LAST_LATIN
