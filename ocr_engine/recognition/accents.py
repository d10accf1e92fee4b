"""Letters that differ by an accent alone: `i`, `í`, `ī`, `ı`."""

import unicodedata
from functools import lru_cache

LAST_LATIN = "\u024f"
_BASES = dict(zip("ıłŁđĐøØħĦæÆœŒ", "ilLdDoOhHaAoO", strict=True))
"""Of letters that Unicode does not take apart."""


@lru_cache(maxsize=2048)
def base(letter: str) -> str:
    """The letter without its accents."""
    return _BASES.get(letter) or unicodedata.normalize("NFD", letter)[0]


def differ_by_accent(letter: str, other: str) -> bool:
    """Whether two Latin letters are the same but for their accents."""
    return len(letter) == len(other) == 1 and max(letter, other) <= LAST_LATIN and base(letter) == base(other)
