"""What belongs together: the order of a page, rows of a receipt, cells of a table."""

import bisect
import itertools
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct

from benchmarks.accuracy.letters import words
from benchmarks.accuracy.signs import normalise
from benchmarks.accuracy.truth import Cell, Line, Overlap, Share, Table


class PairsKept(Struct, frozen=True):
    """Pairs of texts that belong on one line."""

    pairs: int = 0
    read: int = 0
    """Of which both texts were read, wherever."""
    kept: int = 0
    """Which stand on one line."""

    def __add__(self, other: "PairsKept") -> "PairsKept":
        return PairsKept(self.pairs + other.pairs, self.read + other.read, self.kept + other.kept)


def words_out_of_order(truth: Iterable[str], read: Iterable[str]) -> Share:
    """Of the words that occur once in the truth and once in what was read, those that would have to be moved.

    Ulam's distance (1972): all but the longest common subsequence. Misread, missed and repeated words do not count.
    """
    true_words = [word.casefold() for line in truth for word in words(line)]
    read_words = [word.casefold() for line in read for word in words(line)]
    once = _once(true_words) & _once(read_words)
    place = {word: i for i, word in enumerate(true_words) if word in once}
    ends: list[int] = []  # of the ascending sequences of each length: the least last place
    for word in read_words:
        if word in once:
            at = bisect.bisect(ends, place[word])
            ends[at : at + 1] = [place[word]]
    return Share(len(once) - len(ends), len(once))


def text_rows(lines: Sequence[Line]) -> list[str]:
    """The lines of the text, those of one row joined by a blank."""
    rows = itertools.groupby(enumerate(lines, 1), key=lambda each: each[1].row or -each[0])
    return [" ".join(line.text for _, line in row) for _, row in rows]


def pairs_kept(pairs: Sequence[tuple[str, str]], text: Sequence[str]) -> PairsKept:
    """Which pairs, of an item and its price for instance, the lines of a text keep together.

    Signs that look alike, white space, upper and lower case do not count; a number is not found within a longer one.
    """
    rows = [_plain(line) for line in text]
    whole = "\n".join(rows)
    read = [pair for pair in pairs if all(_stands_in(part, whole) for part in pair)]
    kept = sum(any(all(_stands_in(part, row) for part in pair) for row in rows) for pair in read)
    return PairsKept(len(pairs), len(read), kept)


def cell_f1(truth: Iterable[Table], read: Iterable[Table]) -> Overlap:
    """Neighbours in the tables of a page: texts next to each other in a row or a column, empty cells passed over.

    The measure of the ICDAR 2013 table competition (Göbel, Hassan, Oro and Orsi): a bag of relations, of which the F1
    is told. It does not mind rows or columns that are counted from elsewhere.
    """
    true_bag, read_bag = (Counter(pair for table in tables for pair in _neighbours(table)) for tables in (truth, read))
    return Overlap((true_bag & read_bag).total(), true_bag.total(), read_bag.total())


def _neighbours(cells: Iterable[Cell]) -> Iterator[tuple[str, str, str]]:
    filled = [cell for cell in cells if _key(cell.text)]
    turned = [Cell(cell.column, cell.row, cell.text, cell.column_span, cell.row_span) for cell in filled]
    for direction, table in (("across", filled), ("down", turned)):
        for left, right in _beside(table):
            yield _key(table[left].text), _key(table[right].text), direction


def _beside(cells: Sequence[Cell]) -> set[tuple[int, int]]:
    """Each cell with the nearest one on its right in each of its rows, by their numbers."""
    found = set()
    for i, cell in enumerate(cells):
        for row in range(cell.row, cell.row + cell.row_span):
            right = [
                (other.column, j)
                for j, other in enumerate(cells)
                if other.column >= cell.column + cell.column_span and other.row <= row < other.row + other.row_span
            ]
            found |= {(i, min(right)[1])} if right else set()
    return found


def _once(found: Sequence[str]) -> set[str]:
    return {word for word, count in Counter(found).items() if count == 1}


def _key(text: str) -> str:
    return normalise(text).casefold()


def _plain(text: str) -> str:
    """A line whose words can still be told apart."""
    return " ".join(_key(word) for word in unicodedata.normalize("NFKC", text).split())


def _stands_in(part: str, text: str) -> bool:
    """Whether a text stands in another one, wherever it has blanks, and not within a longer number."""
    letters = _key(part)
    if not letters:
        return False
    before = r"(?<!\d)(?<!\d[.,])" if letters[0].isdigit() else ""
    behind = r"(?![.,]?\d)" if letters[-1].isdigit() else ""
    return re.search(before + " ?".join(map(re.escape, letters)) + behind, text) is not None
