"""From the words in a table's cells to the cells as they are told."""

from collections.abc import Iterable, Sequence
from itertools import groupby

from msgspec import Struct

from ocr_engine.formats.shared.running_text import joined
from ocr_engine.structure.frame import Box, Word


class Placed(Struct, frozen=True):
    """A word in a cell, and the line that it is of."""

    line: int
    word: Word
    follows_blank: bool = True


def text_of(words: Sequence[Placed]) -> str:
    """The text of a cell whose words come in reading order: its lines as running text."""
    lines = []
    for _, members in groupby(words, key=lambda placed: placed.line):
        text = ""
        for placed in members:
            text += (" " if text and placed.follows_blank else "") + placed.word.text
        lines.append(text)
    return joined(lines)


def around(boxes: Iterable[Box]) -> Box:
    """The smallest box around all; at least one."""
    first, *rest = boxes
    for box in rest:
        first = first.around(box)
    return first
