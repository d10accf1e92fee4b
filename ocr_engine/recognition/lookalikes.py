"""Digits that look like letters, told apart by the word around them.

The model sees shapes: `\\label` in a typewriter's print comes out as `\\1abel`. Where it is not sure, and all the rest
of the word is letters, the word decides.
"""

import re
from collections.abc import Iterator, Sequence

LETTER_PROBABILITY = 0.2
"""Of the letter, from where the word decides."""
MIN_WORD_LETTERS = 4
"""Characters of a word that has a say: less are `1st`, `5mm`, `0pt`."""
LETTERS = {"0": "o", "1": "li", "2": "z", "5": "s", "6": "b", "9": "gq"}
"""Small letters that each digit may be."""
_DIGIT_IN_WORD = re.compile(r"(?<![^\W_])(?P<before>[^\W\d_]*)[012569][a-z][^\W\d_]*(?![^\W_])")


def doubtful(characters: Sequence[str]) -> Iterator[tuple[int, str]]:
    """Places of digits that their word speaks against, and the letters that they may be.

    At a word's end a digit may count (`latin1`), before a capital be a footnote's: they are left alone.
    """
    text = "".join(character[:1] or " " for character in characters)
    for word in _DIGIT_IN_WORD.finditer(text):
        if len(word[0]) >= MIN_WORD_LETTERS:
            yield word.end("before"), LETTERS[text[word.end("before")]]
