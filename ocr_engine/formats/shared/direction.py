"""Which way a text runs."""

import unicodedata

_RIGHT_TO_LEFT = ("R", "AL")


def is_right_to_left(text: str) -> bool:
    """Whether more of its letters run to the left, as Arabic and Hebrew ones do, than to the right."""
    directions = [unicodedata.bidirectional(character) for character in text]
    return sum(each in _RIGHT_TO_LEFT for each in directions) > directions.count("L")
