"""What the words of lines say for running text, and against it.

Sentences run on from line to line: most lines of prose begin with a small letter. Names, addresses, numbers and other
cells of tables do not, however well they fill their column; and where lines do, they need not fill it.
"""

import re
from collections.abc import Sequence

import numpy as np

from ocr_engine.layout.blocks import around, surroundings
from ocr_engine.layout.lines import Floats, Indices, Lines, grade

WORD = re.compile(r"[\"'(\[\u2018-\u201f\u00ab\u00bf\u00a1]*[^\W\d_]+(?:['\u2019-][^\W\d_]+)*[^\w\s]*(?:\s|$)")
"""A word, and no address, name of a file or number in its place."""
UNSPOKEN_LIMITS = (1.0, 1.0, 1.0, 0.5, 0.0)
"""How much like prose lines are at most, of which 0, 1, 2, 3, 4 or more begin otherwise and none goes on."""
GOING_ON = (0.0, 0.5)
"""Share of lines that go on with a sentence: in lists, in prose (with names and numbers at the beginning of others)."""
WORDING_WEIGHTS = (0.0, 0.5, 0.75, 1.0)
"""How much a block of 1, 2, 3 lines can say, or of more."""


def goes_on(texts: Sequence[str]) -> Floats:
    """Which lines go on with a sentence, shape (n,): 1 those that do, 0 those that do not, nan where none can tell.

    None can tell in scripts without small letters, and where all letters are capitals.
    """
    return np.array([_goes_on(text) for text in texts], dtype=np.float64)


def by_words(prose: Floats, lines: Lines, blocks: Sequence[Indices], running: Floats) -> tuple[Floats, Floats]:
    """How much each line looks like part of running text, by its place and its words, at most and at least.

    `prose` (n,): how much by its place; `running` (n,) as `goes_on` has it. Shape (n,) each, 0 to 1.
    """
    least, most = prose.copy(), prose.copy()
    for block in blocks:
        # the first of a block may begin a sentence
        told = np.concatenate(([np.nan], running[block[1:]]))
        going, silent = around(told == 1).sum(axis=1), around(told == 0).sum(axis=1)
        _, count, wide = surroundings(lines, block)
        enough = np.array(WORDING_WEIGHTS)[np.minimum(count, len(WORDING_WEIGHTS)) - 1]
        spoken = grade(going / np.maximum(going + silent, 1), GOING_ON) * wide * enough
        most[block] = np.maximum(prose[block], spoken)
        least[block] = most[block] * np.where(
            going > 0, 1.0, np.array(UNSPOKEN_LIMITS)[np.minimum(silent, len(UNSPOKEN_LIMITS) - 1)]
        )
    return most, least


def _goes_on(text: str) -> float:
    first = next(filter(str.isalnum, text), "")
    if first.isalpha() and (first.lower() == first.upper() or text.upper() == text):
        return np.nan
    return float(first.islower() and WORD.match(text) is not None) if first else np.nan
