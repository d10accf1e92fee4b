"""How well the letters of a text were read, of any script: spaces, accents and words in Unicode.

Nothing is taken for the same here but what Unicode says is the same (NFC): an accent that is missing is a mistake.
"""

import unicodedata
from collections.abc import Iterable, Iterator, Sequence

from rapidfuzz.distance import Levenshtein

from benchmarks.accuracy.truth import Overlap

LETTERS_LIKE_ACCENTED = frozenset("ßẞøØłŁđĐıæÆœŒħĦŧŦŋŊþÞðÐ")
"""Letters of Latin alphabets that Unicode does not take apart, and that are misread as plain ones all the same."""
UNSPACED = (
    ("\u0e00", "\u0eff"),  # Thai, Lao
    ("\u1000", "\u109f"),  # Burmese
    ("\u1780", "\u17ff"),  # Khmer
    ("\u2e80", "\u312f"),  # radicals, kana, Bopomofo
    ("\u31a0", "\u9fff"),  # kana, ideographs
    ("\uf900", "\ufaff"),  # ideographs
    ("\uff66", "\uff9f"),  # kana of half width
    ("\U00020000", "\U0003ffff"),  # ideographs
)
"""Blocks of the scripts that set no spaces between words. Not Hangul: Korean sets them."""


def spaced(lines: Iterable[str]) -> str:
    """A text as its error rate with spaces compares it: NFC, a line's end and any run of white space one blank.

    Beside a character of a script that sets no spaces there is none.
    """
    text = " ".join(unicodedata.normalize("NFC", " ".join(lines)).split())
    return "".join(
        character
        for i, character in enumerate(text)
        if character != " " or not (is_unspaced(text[i - 1]) or is_unspaced(text[i + 1]))
    )


def words(text: str) -> list[str]:
    r"""The words of a text: runs of `\w` in NFC, combining marks and `_` included, numbers too.

    Each letter of a script that sets no spaces is a word of its own, with the marks that it carries.
    """
    found: list[str] = []
    run = ""
    for character in unicodedata.normalize("NFC", text):
        is_mark = unicodedata.category(character).startswith("M")
        is_letter = character == "_" or unicodedata.category(character)[0] in "LN"
        if run and (not (is_letter or is_mark) or (is_letter and (is_unspaced(character) or is_unspaced(run[0])))):
            found.append(run)
            run = ""
        if is_letter or is_mark:
            run += character
    return [*found, run] if run else found


def is_unspaced(character: str) -> bool:
    """Whether it is of a script that sets no spaces between words."""
    return any(first <= character <= last for first, last in UNSPACED)


def is_accented(character: str) -> bool:
    """Whether it is a letter with an accent, or one that takes the place of one; Hangul is not taken apart."""
    if character in LETTERS_LIKE_ACCENTED:
        return True
    return (
        unicodedata.category(character).startswith("L")
        and not "\uac00" <= character <= "\ud7a3"
        and not is_unspaced(character)
        and len(unicodedata.normalize("NFD", character)) > 1
    )


def accents(truth: Sequence[str], read: Sequence[str]) -> Overlap:
    """Letters with accents: those of the truth, those that were read, and those that are the same at the same place."""
    true, found = _joined(truth), _joined(read)
    common = sum(is_accented(true[i]) and true[i] == found[j] for i, j in _aligned(true, found))
    return Overlap(common, sum(map(is_accented, true)), sum(map(is_accented, found)))


def spaces(truth: Sequence[str], read: Sequence[str]) -> Overlap:
    """Spaces between two characters that were both read right: those of the truth, those read, and those that agree.

    Where a line of the truth ends, no space can be lost or made up. Scripts that set no spaces do not count.
    """
    true, found = _joined(truth), _joined(read)
    true_gaps, found_gaps = _gaps(truth), _gaps(read)
    places = {i: j for i, j in _aligned(true, found) if true[i] == found[j]}
    common = of_truth = of_read = 0
    for i, j in places.items():
        if places.get(i + 1) != j + 1 or true_gaps[i] == "\n" or is_unspaced(true[i]) or is_unspaced(true[i + 1]):
            continue
        space, found_space = bool(true_gaps[i]), bool(found_gaps[j])
        common, of_truth, of_read = common + (space and found_space), of_truth + space, of_read + found_space
    return Overlap(common, of_truth, of_read)


def _joined(lines: Iterable[str]) -> str:
    """All characters that are no white space; NFC line by line, as `_gaps` counts them."""
    return "".join("".join(unicodedata.normalize("NFC", line).split()) for line in lines)


def _gaps(lines: Iterable[str]) -> list[str]:
    """What follows each of those characters: nothing, a blank, or a line's end."""
    gaps: list[str] = []
    for line in lines:
        for word in unicodedata.normalize("NFC", line).split():
            gaps += [""] * (len(word) - 1) + [" "]
        if gaps:
            gaps[-1] = "\n"
    return gaps


def _aligned(truth: str, read: str) -> Iterator[tuple[int, int]]:
    """Places of both texts that belong together, by the least edits between them; replaced characters do."""
    for step in Levenshtein.opcodes(truth, read):
        if step.tag in ("equal", "replace"):
            yield from zip(range(step.src_start, step.src_end), range(step.dest_start, step.dest_end), strict=True)
