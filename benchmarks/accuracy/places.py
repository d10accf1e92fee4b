"""What is compared place by place: lines found, text box by box, and where words stand."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from msgspec import Struct
from rapidfuzz.distance import Levenshtein

from benchmarks.accuracy.polygons import Shape, area, bounds, iou, shared_area
from benchmarks.accuracy.signs import normalise
from benchmarks.accuracy.truth import Line, Share

HALF = 0.5
"""Share of a place that must lie in another one for the two to be the same: the usual threshold of detection."""


def without_ignored(lines: Iterable[Line], places: Sequence[Shape]) -> list[Line]:
    """The lines that do not lie in one of the places by half or more."""
    return [line for line in lines if not _is_ignored(line, places)]


def box_edits(truth: Sequence[Line], read: Sequence[Line]) -> int:
    """Edits inside each cluster of boxes that overlap by half of the smaller; boxes with no match count whole.

    Says how well is read wherever something is found, whatever the reading order. Upper and lower case are the same.
    """
    lines = [*truth, *read]
    cluster = list(range(len(lines)))

    def root(i: int) -> int:
        while cluster[i] != i:
            cluster[i] = cluster[cluster[i]]
            i = cluster[i]
        return i

    for i, true in enumerate(truth):
        for j, found in enumerate(read, start=len(truth)):
            if _covers(true, found):
                cluster[root(i)] = root(j)
    members: defaultdict[int, tuple[list[Line], list[Line]]] = defaultdict(lambda: ([], []))
    for i, line in enumerate(lines):
        members[root(i)][i >= len(truth)].append(line)
    return sum(
        Levenshtein.distance(_in_one(true).casefold(), _in_one(found).casefold()) for true, found in members.values()
    )


def lines_found(truth: Sequence[Line], read: Sequence[Line]) -> Share:
    """Which of the true places lie by half or more in places where something was read, however it was read."""
    shapes = [line.shape for line in read if line.shape is not None]
    places = [line.shape for line in truth if line.shape is not None and area(line.shape) > 0]
    found = sum(sum(shared_area(place, shape) for shape in shapes) >= HALF * area(place) for place in places)
    return Share(found, len(places))


class WordPlaces(Struct, frozen=True):
    """How well the boxes of words lie, over the words of the truth that were read."""

    words: int = 0
    iou: float = 0.0
    """Summed."""
    over_half: int = 0
    """Words whose IoU is more than 0.5."""

    def __add__(self, other: "WordPlaces") -> "WordPlaces":
        return WordPlaces(self.words + other.words, self.iou + other.iou, self.over_half + other.over_half)


def word_iou(truth: Sequence[Line], read: Sequence[Line]) -> WordPlaces:
    """Compares the places of true words with those of read words that have the same text, pairs of most overlap first.

    What was not read, or misread, has no partner and does not count: reading is counted elsewhere.
    """
    by_text: defaultdict[str, list[int]] = defaultdict(list)
    for j, word in enumerate(read):
        by_text[_folded(word.text)].append(j)
    pairs = []
    for i, word in enumerate(truth):
        for j in by_text[_folded(word.text)]:
            here, there = word.shape, read[j].shape
            if here is not None and there is not None and (overlap := iou(here, there)) > 0:
                pairs.append((overlap, i, j))
    taken_truth: set[int] = set()
    taken_read: set[int] = set()
    chosen = []
    for overlap, i, j in sorted(pairs, key=lambda pair: (-pair[0], pair[1], pair[2])):
        if i not in taken_truth and j not in taken_read:
            taken_truth.add(i)
            taken_read.add(j)
            chosen.append(overlap)
    return WordPlaces(len(chosen), sum(chosen), sum(overlap > HALF for overlap in chosen))


def in_rows(lines: Sequence[Line]) -> list[Line]:
    """The lines row by row from the top, each row from the left: to one row belong lines whose middles are close."""
    rows: list[list[tuple[float, float, float, Line]]] = []  # left, middle, height, line
    boxed = [(bounds(line.shape), line) for line in lines if line.shape is not None]
    for (left, top, _, bottom), line in sorted(boxed, key=lambda item: (item[0][1] + item[0][3]) / 2):
        middle, height = (top + bottom) / 2, bottom - top
        if rows:
            usual_middle = sum(box[1] for box in rows[-1]) / len(rows[-1])
            usual_height = sum(box[2] for box in rows[-1]) / len(rows[-1])
            near = max(0.5 * min(height, usual_height), 0.35 * max(height, usual_height))
            if abs(middle - usual_middle) < near:
                rows[-1].append((left, middle, height, line))
                continue
        rows.append([(left, middle, height, line)])
    return [line for row in rows for _, _, _, line in sorted(row, key=lambda box: box[0])]


def _folded(text: str) -> str:
    return normalise(text).casefold()


def _in_one(lines: Sequence[Line]) -> str:
    return "".join(normalise(line.text) for line in in_rows(lines))


def _covers(a: Line, b: Line) -> bool:
    if a.shape is None or b.shape is None:
        return False
    smaller = min(area(a.shape), area(b.shape))
    return smaller > 0 and shared_area(a.shape, b.shape) >= HALF * smaller


def _is_ignored(line: Line, places: Iterable[Shape]) -> bool:
    if line.shape is None:
        return False
    half = HALF * max(area(line.shape), 1e-9)
    return any(shared_area(line.shape, place) >= half for place in places)
