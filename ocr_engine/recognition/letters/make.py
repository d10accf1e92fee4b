"""Makes the letter models out of running prose: `python -m ocr_engine.recognition.letters.make FOLDER [TO]`.

The folder holds one UTF-8 file a language, `de.txt`, a paragraph a line. The weights go beside this module, or to the
folder that is named; the prose is not kept. A Witten-Bell model (Witten and Bell, IEEE Transactions on Information
Theory 37, 1991), interpolated, with what is rare left out of the long n-grams and its share given back to the shorter
ones.
"""

import collections
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ocr_engine.recognition.letters.files import FOLDER, SUFFIX
from ocr_engine.recognition.letters.model import quantised
from ocr_engine.recognition.letters.ngrams import END, HASH_BITS, ORDER, folded, hashed

MAX_ENTRIES = 50_000
"""Of a language, at 4 bytes each: 0.2 MB."""
RARE = (1, 1, 2, 2, 2)
"""Least times that an n-gram of each length is seen to be kept; of the longest more where the file would be too large.
Bits a letter of prose kept apart: 2.49 with 50 000 entries, 2.52 with 40 000, 2.45 with all."""


def table(prose: str, language: str) -> NDArray[np.uint32]:
    """The entries of a language's model, in order: hash above, weight below."""
    counts = _counts(prose, language)
    probabilities = _witten_bell(counts)
    for rare in range(RARE[-1], 1000):
        kept = {
            gram for gram, count in counts.items() if count >= (rare if len(gram) == ORDER else RARE[len(gram) - 1])
        }
        contexts = {gram[:-1] for gram in kept if len(gram) > 1}
        if len(kept) + len(contexts) <= MAX_ENTRIES:
            break
    weights: dict[int, int] = {}
    backed_off = _backed_off(kept, probabilities)
    # what is seen more often has the say where two have one hash
    for gram in sorted(kept, key=lambda gram: (-counts[gram], gram)):
        weights.setdefault(hashed([*map(ord, gram)]), quantised(probabilities[gram]))
    for context in sorted(contexts, key=lambda context: (-counts[context], context)):
        weights.setdefault(hashed([*map(ord, context), END]), quantised(backed_off[context]))
    return np.array(sorted(key << 32 - HASH_BITS | weight for key, weight in weights.items()), "<u4")


def _counts(prose: str, language: str) -> collections.Counter[str]:
    counts: collections.Counter[str] = collections.Counter()
    for line in prose.splitlines():
        # a line begins and ends as a word does
        text = f" {' '.join(folded(line, language).split())} "
        for length in range(1, ORDER + 1):
            counts.update(text[at : at + length] for at in range(len(text) - length + 1))
    return counts


def _witten_bell(counts: collections.Counter[str]) -> dict[str, float]:
    """Probability of each n-gram's last letter after the others."""
    followers: collections.Counter[str] = collections.Counter()
    totals: collections.Counter[str] = collections.Counter()
    for gram, count in counts.items():
        followers[gram[:-1]] += 1
        totals[gram[:-1]] += count
    found: dict[str, float] = {}
    for gram in sorted(counts, key=len):
        context = gram[:-1]
        shorter = found[gram[1:]] if context else 1 / followers[""]
        found[gram] = (counts[gram] + followers[context] * shorter) / (totals[context] + followers[context])
    return found


def _backed_off(kept: set[str], probabilities: dict[str, float]) -> dict[str, float]:
    """By what to multiply the shorter context's probability where a context does not know the letter."""
    known: dict[str, list[float]] = {}
    for gram in kept:
        if len(gram) > 1:
            sums = known.setdefault(gram[:-1], [0.0, 0.0])
            sums[0] += probabilities[gram]
            sums[1] += probabilities[gram[1:]]
    return {context: max(1e-4, 1 - own) / max(1e-4, 1 - shorter) for context, (own, shorter) in known.items()}


def main(folder: Path, to: Path = FOLDER) -> None:
    """Writes a model for every language in the folder."""
    for file in sorted(folder.glob("[a-z][a-z].txt")):
        entries = table(file.read_text(encoding="utf-8"), file.stem)
        (to / f"{file.stem}{SUFFIX}").write_bytes(entries.tobytes())
        sys.stdout.write(f"{file.stem}: {len(entries)} entries, {entries.nbytes} bytes\n")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:3]))
