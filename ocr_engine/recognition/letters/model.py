"""How likely a letter is after the four before it, in one language: a file that all workers share.

The file is a sorted array of 32-bit numbers, the hash of an n-gram above and its weight below. It is mapped, not read:
the pages that are used are in memory once, however many processes look at them.
"""

import mmap
from bisect import bisect_left
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ocr_engine.recognition.letters.ngrams import END, HASH_BITS, ORDER, Grams, hashed

STEPS = 16
"""Of a weight, to a bit: weights are bits, 0 to 15.9."""
LITTLE_PROSE = 20_000
"""Entries below which a model was made of little prose: 250 kB give 45 000 to 50 000, 10 kB 7000."""
UNSEEN = 16.0
"""Bits of a letter that the language was never seen to use."""
MAX_REMEMBERED = 20_000
"""N-grams whose weight is kept at hand, of a language: some 2 MB."""

_WEIGHT_BITS = 32 - HASH_BITS
_WEIGHTS = (1 << _WEIGHT_BITS) - 1


def quantised(probability: float) -> int:
    """The weight of a probability, or of a factor."""
    return min(_WEIGHTS, max(0, round(-float(np.log2(probability)) * STEPS)))


class LetterModel:
    """The letters of one language."""

    def __init__(self, language: str, file: Path) -> None:
        """Raises OSError where the file cannot be had."""
        self.language = language
        with file.open("rb") as opened:
            self._entries = memoryview(mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ)).cast("I")
        self._remembered: dict[str, float] = {}

    @property
    def is_of_little(self) -> bool:
        """Whether it was made of some kilobytes of prose."""
        return len(self._entries) < LITTLE_PROSE

    def bits(self, before: str, letter: str) -> float:
        """Minus the binary logarithm of a folded letter's probability after up to four folded ones."""
        gram = before[1 - ORDER :] + letter
        known = self._remembered.get(gram)
        if known is None:
            if len(self._remembered) >= MAX_REMEMBERED:
                self._remembered.clear()
            known = self._remembered[gram] = self._bits(gram)
        return known

    def text_bits(self, text: str | Grams) -> NDArray[np.float32]:
        """`bits` of each character of a folded text after those before it; its n-grams, where several models ask."""
        grams = Grams(text) if isinstance(text, str) else text
        entries, known = self._looked_up(grams.keys)
        weights, known = grams.placed(entries), grams.placed(known)
        found = np.zeros(grams.count, np.float32)
        open_ = np.ones(grams.count, bool)
        for length in range(ORDER, 0, -1):
            # the first characters have fewer before them
            bits, still, at = found[length - 1 :], open_[length - 1 :], np.s_[length - 1, length - 1 :]
            seen = known[0][at]
            bits += np.where(still & seen, weights[0][at], 0)
            still &= ~seen
            backing = np.where(known[1][at], weights[1][at], 0) if length > 1 else UNSEEN
            bits += np.where(still, backing, 0)
        return found

    def _bits(self, gram: str) -> float:
        codes = [*map(ord, gram)]
        bits = 0.0
        while codes:
            weight = self._weight(hashed(codes))
            if weight is not None:
                return bits + weight
            bits += self._weight(hashed([*codes[:-1], END])) or 0.0
            codes = codes[1:]
        return bits + UNSEEN

    def _weight(self, key: int) -> float | None:
        at = bisect_left(self._entries, key << _WEIGHT_BITS)
        if at < len(self._entries) and (entry := self._entries[at]) >> _WEIGHT_BITS == key:
            return (entry & _WEIGHTS) / STEPS
        return None

    @cached_property
    def _array(self) -> NDArray[np.uint32]:
        return np.frombuffer(self._entries, np.uint32)

    def _looked_up(self, keys: NDArray[np.uint32]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        at = np.minimum(np.searchsorted(self._array, keys << np.uint32(_WEIGHT_BITS)), len(self._array) - 1)
        entries = self._array[at]
        return (entries & np.uint32(_WEIGHTS)).astype(np.float32) / np.float32(STEPS), entries >> np.uint32(
            _WEIGHT_BITS
        ) == keys
