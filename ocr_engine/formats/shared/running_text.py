"""Lines of a paragraph as one, words that were hyphenated at a line's end whole again where that is safe."""

import re
from collections.abc import Sequence

from ocr_engine.result import OcrBlock, OcrPage

_BROKEN = re.compile(r"(?P<whole>.*?)(?P<head>[^\W\d_]{2,})[-\u2010\u00ad]$", re.DOTALL)
"""A line that ends within a word."""
_REST = re.compile(r"(?P<rest>[^\W\d_]+)")
_LINKS = frozenset({"and", "or", "to", "und", "oder", "bis", "et", "ou", "y", "o", "e", "ed", "of", "en", "och", "og"})
"""What follows a hyphen that stands for a left-out end: `pre- and post-war`."""
_FIRST_EAST_ASIAN = "\u2e80"


def paragraph_of(page: OcrPage, lines: Sequence[int]) -> str:
    """The text of these lines of a page; what stands in one row stays apart by a blank."""
    return joined([page.lines[i].text for i in lines])


def joined(lines: Sequence[str]) -> str:
    """The lines as running text. A hyphen goes where a small letter follows and the rest shows no other use of it."""
    text = ""
    for line in lines:
        if not text:
            text = line
        elif (broken := _BROKEN.match(text)) and _is_one_word(broken["whole"], line):
            text = text[:-1] + line
        elif text[-1] >= _FIRST_EAST_ASIAN and line[:1] >= _FIRST_EAST_ASIAN:
            text += line  # no blanks between words, so none at a line's end
        else:
            text += f" {line}"
    return text


def _is_one_word(before: str, line: str) -> bool:
    rest = _REST.match(line)
    if rest is None or not rest["rest"][0].islower() or rest["rest"] in _LINKS:
        return False
    # `state-of-the-` goes on with its own hyphens
    return not before.endswith("-")


def heading_level(block: OcrBlock) -> int:
    """1 to 6."""
    return min(6, max(1, block.level))
