"""Dates, amounts and rates: digits in a form that leaves no room for letters, or signs that no number has."""

import re
from collections.abc import Sequence

LIKE = {"O": "0", "o": "0", "l": "1", "I": "1", "|": "1"}
"""Letters that are read for digits; others, such as `S` and `B`, mean something beside numbers."""
SURE_NOUGHT = 0.995
"""Certainty from which a nought among capitals stays one: those of ten such words that were read wrong have .52 to
.99, one 1."""
CODE_LABELS = frozenset(
    {"REF", "NO", "NR", "ID", "SN", "S/N", "CODE", "KEY", "SERIAL", "SKU", "LOT", "PNR", "VIN", "ORDER"}
)
"""What stands before a code."""
_IN_NUMBERS = str.maketrans("OoS", "005")
_D = "[0-9OolI|]"
_DATE = re.compile(rf"(?<![\w.,/|-]){_D}{{1,2}}([./-]){_D}{{1,2}}\1{_D}{{2}}(?:{_D}{{2}})?(?![\w/|-]|[.,]\w)")
_ISO_DATE = re.compile(rf"(?<![\w.,/|-]){_D}{{4}}-{_D}{{2}}-{_D}{{2}}(?![\w/|-]|[.,]\w)")
_TIME = re.compile(rf"(?<![\w.,:|]){_D}{{1,2}}(?::{_D}{{2}}){{1,2}}(?![\w:|])")
_AMOUNT = re.compile(
    rf"(?<![\w.,/|-]){_D}{{1,3}}(?:(?:[., ']{_D}{{3}})+[.,]{_D}{{2}}|{_D}{{0,6}}[.,]{_D}{{2}})(?![\w/|-]|[.,]\w)"
)
_TENS = re.compile(r"(?<![\w.,/|-])([1-9]\d*)o(?!\w|\.\w)")
"""A small `o` behind digits, and nothing more: in its size it is no letter of theirs. Ordinals are `3.º` or `3º`."""
_DIAMETER = re.compile(r"∅(?= ?\d)")
"""Before a number the sign of a diameter: the empty set looks like it."""
_POUNDS = re.compile(r"(?<=[\d½¼¾] )Ib(?![\w.])")
_MEASURE = re.compile(
    r"(?<![\w.,])\d[\dOo]*?(?:[Oo]+(?=(?:[Mm][Ll]|[CcMm][Mm]|[Kk][Gg]|[Gg][Mm]?|[Pp][Cc][Ss])(?!\w))"
    r"|S(?=(?:ML|[CM]M|KG|PCS)(?!\w)))"
)
"""A number before its unit."""
_PRICE_OF_RM = re.compile(r"(?<!\w)RM\d*S\d*(?=[.,]\d\d(?!\w))")
"""Malaysia's currency is written before the number."""
_AT_RATE = re.compile(
    r"(?<=\b(?:GST|VAT|TAX|SST|TVA|IVA))( ?)0(?= ?[1-9]\d?%)|(?<=\bMWST)( ?)0(?= ?[1-9]\d?%)", re.IGNORECASE
)
"""A tax at a rate: no rate begins with a nought, and `@` of small or worn print looks like one."""
_ROUND_RATE = re.compile(r"(?<![\w.,])([1-9])[Oo](?=%)")
_NOUGHT_IN_CAPITALS = re.compile(r"(?<![\w@#./-])(?=[A-Z0]{5,}(?![\w@#/-]))[A-Z]{1,4}0[A-Z]{2,}")
"""A nought with nothing but capitals around it: a word's `O`; serials have other digits as well, mostly."""
_SP_Z_OO = re.compile(r"\b(z) ?(o\.) ?0\.")
"""The form of a Polish company."""


def put_right(text: str) -> str:
    """The text, of the same length, with digits for the letters in its dates, times, amounts and round numbers."""
    for form in (_DATE, _ISO_DATE, _TIME, _AMOUNT):
        text = form.sub(_digits, text)
    text = _POUNDS.sub("lb", _DIAMETER.sub("Ø", _TENS.sub(r"\g<1>0", text)))
    text = _MEASURE.sub(lambda found: found[0].translate(_IN_NUMBERS), text)
    text = _PRICE_OF_RM.sub(lambda found: found[0].translate(_IN_NUMBERS), text)
    text = _ROUND_RATE.sub(r"\g<1>0", _AT_RATE.sub(_at, text))
    return _SP_Z_OO.sub(lambda found: found[0].replace("0", "o"), text)


def with_words(text: str, certainty: Sequence[float]) -> str:
    """The text with its letter for a nought in a word of capitals that is not certain (0 to 1, each character's)."""
    for found in _NOUGHT_IN_CAPITALS.finditer(text):
        at = found.start() + found[0].index("0")
        if certainty[at] < SURE_NOUGHT and not _is_code(found):
            text = text[:at] + "O" + text[at + 1 :]
    return text


def _at(found: re.Match[str]) -> str:
    return found[0].replace("0", "@")


def _is_code(found: re.Match[str]) -> bool:
    """By its letters, or by what stands before it."""
    label = "".join(found.string[: found.start()].split()[-1:]).rstrip(".:#").upper()
    return label in CODE_LABELS or re.search(r"Q(?!U)|[^AEIOUY0]{4}", found[0]) is not None


def _digits(found: re.Match[str]) -> str:
    """What was found in digits, where more than half of it is digits already."""
    signs = [sign for sign in found[0] if sign in LIKE or sign.isdigit()]
    if 2 * sum(map(str.isdigit, signs)) <= len(signs):
        return found[0]
    return "".join(LIKE.get(sign, sign) for sign in found[0])
