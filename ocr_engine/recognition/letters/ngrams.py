"""What a text is to a letter model: folded letters, and the hash of each few of them that stand in a row.

Both the making of the models and their use go through here, so that they agree.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

ORDER = 5
"""Letters of the longest n-grams: order 4 loses 2 more of 2 197 doubtful spaces, order 3 a third of what is gained."""
HASH_BITS = 24
"""Of an n-gram's hash; the other 8 of an entry are its weight. One unknown n-gram in 300 is taken for a known one."""
END = 1
"""Stands for the letter that follows, in the hash of a context's own weight."""

TURKISH = "tr"
"""The one language that folds in a way of its own."""
_SAME = {
    **dict.fromkeys("’‘´`′ʼ", "'"),
    **dict.fromkeys("–—−‐‑", "-"),
    **dict.fromkeys("“”„«»″‹›‚", '"'),
    **dict.fromkeys("0123456789", "0"),
    "…": ".",
    "İ": "i",  # its small letter would be two characters
    "ſ": "s",
    "ş": "ș",  # of Romanian, in the encoding of old; Turkish has its own way below
    "ţ": "ț",
}
_TURKISH = {**_SAME, "I": "ı", "ş": "ş", "Ş": "ş"}
_PLAIN = frozenset(" '-\".,;:!?()/&%")
OTHER = "*"
"""Any other sign."""
_SEED, _PRIME = np.uint32(0x811C9DC5), np.uint32(0x01000193)
"""Of FNV-1a."""


def folded(text: str, language: str) -> str:
    """The text, character by character: small letters, one sign for all digits, one for each kind of dash and quote."""
    return text.translate(_FOLDS_OF_TURKISH if language == TURKISH else _FOLDS)


class _Folds(dict[int, str]):
    """What each character becomes, by its code point, found out when it is first met."""

    def __init__(self, same: dict[str, str]) -> None:
        super().__init__()
        self._same = same

    def __missing__(self, code: int) -> str:
        folded = self[code] = self._same.get(chr(code)) or self._small(chr(code).lower())
        return folded

    def _small(self, small: str) -> str:
        small = self._same.get(small, small)
        return small if small.isalpha() or small in _PLAIN else OTHER


_FOLDS, _FOLDS_OF_TURKISH = _Folds(_SAME), _Folds(_TURKISH)


def hashed(codes: Sequence[int]) -> int:
    """Hash of a few characters by their code points: FNV-1a with a finaliser, `HASH_BITS` of it."""
    value = 0x811C9DC5
    for code in codes:
        value = (value ^ code) * 0x01000193 & 0xFFFFFFFF
    value = (value ^ value >> 15) * 0x85EBCA6B & 0xFFFFFFFF
    return (value ^ value >> 13) >> 32 - HASH_BITS


class Grams:
    """The n-grams that end on each character of a folded text, and their contexts, as models look them up."""

    def __init__(self, text: str) -> None:
        codes = np.array([*map(ord, text)], np.uint32)
        self.count = len(codes)
        hashes = np.empty((2, ORDER, len(codes)), np.uint32)
        before = np.full(len(codes), _SEED, np.uint32)
        for length in range(ORDER):
            hashes[:, length] = (before ^ codes) * _PRIME, (before ^ np.uint32(END)) * _PRIME
            # of the first characters, what stands before them is none of theirs: it is never asked for
            before = np.roll(hashes[0, length], 1)
        keys = _finished(hashes).ravel()
        self._order = np.argsort(keys, kind="stable")
        self.keys = keys[self._order]
        """Sorted: what is looked up in turn is near each other."""

    def placed(self, values: NDArray[Any]) -> NDArray[Any]:
        """What was found for each key: of the n-grams and of their contexts, by length, by character (2, ORDER, n)."""
        found = np.empty_like(values)
        found[self._order] = values
        return found.reshape(2, ORDER, self.count)


def _finished(value: NDArray[np.uint32]) -> NDArray[np.uint32]:
    value = (value ^ value >> np.uint32(15)) * np.uint32(0x85EBCA6B)
    return np.asarray((value ^ value >> np.uint32(13)) >> np.uint32(32 - HASH_BITS), np.uint32)
