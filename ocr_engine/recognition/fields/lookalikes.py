"""Letters and digits that print draws alike."""

from collections.abc import Iterator
from itertools import combinations, islice

DIGIT_OF = {"O": "0", "Q": "0", "D": "0", "I": "1", "L": "1", "Z": "2", "S": "5", "G": "6", "B": "8"}
"""What a letter is where only digits stand."""
LETTER_OF = {"0": "O", "1": "I", "2": "Z", "5": "S", "6": "G", "8": "B"}
"""What a digit is where only letters stand."""
_EITHER = LETTER_OF | {letter: digit for digit, letter in LETTER_OF.items()}
MAX_CHANGED = 3
"""Signs of a text that are taken for others at a time."""
MAX_TRIED = 400
"""Texts that are tried, which bounds what a line costs."""


def as_digits(text: str) -> str:
    """The text with the digits that its letters look like."""
    return "".join(DIGIT_OF.get(sign, sign) for sign in text)


def as_letters(text: str) -> str:
    """The text with the letters that its digits look like."""
    return "".join(LETTER_OF.get(sign, sign) for sign in text)


def variants(text: str, most: int = MAX_CHANGED) -> Iterator[str]:
    """The text, then with one sign taken for the one that looks like it, then two, up to `most`; `0` and `1` first."""
    places = sorted((i for i, sign in enumerate(text) if sign in _EITHER), key=lambda i: "O0I1".find(text[i]) < 0)
    chosen = (some for count in range(most + 1) for some in combinations(places, count))
    for some in islice(chosen, MAX_TRIED):
        yield "".join(_EITHER[sign] if i in some else sign for i, sign in enumerate(text))
