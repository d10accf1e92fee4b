"""How well a text was read. Every figure is defined in docs/accuracy.md."""

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from operator import attrgetter

from msgspec import Struct
from rapidfuzz.distance import Levenshtein

from benchmarks.accuracy.polygons import Shape, area, bounds, shared_area

_ALIKE = {
    "'": "‘’′`",
    '"': "“”„«»″",
    ",": "‚",
    "-": "–—‐‑−―",
    "·": "•●∙・",
    "...": "…",
}
_AS_ONE = str.maketrans({sign: plain for plain, signs in _ALIKE.items() for sign in signs})
"""Signs that transcribers choose between at will."""
_WORD = re.compile(r"[A-Za-z0-9]+")


class Line(Struct, frozen=True):
    """A line of text and where it stands, in pixels; None where that is not known."""

    text: str
    shape: Shape | None = None


class Truth(Struct, frozen=True, kw_only=True):
    """What stands in an image."""

    lines: tuple[str, ...]
    """In reading order."""
    boxed: tuple[Line, ...] = ()
    """The same text, word by word or line by line, with its places; empty where they are not known."""
    ignore: tuple[Shape, ...] = ()
    """Places whose text is not known; what is read there does not count."""
    complete: bool = True
    """False: more text may stand in the image than `lines` tells."""


class Overlap(Struct, frozen=True):
    """Two bags compared."""

    common: int = 0
    truth: int = 0
    read: int = 0

    @property
    def precision(self) -> float:
        """Share of what was read that is true."""
        return self.common / self.read if self.read else 0.0

    @property
    def recall(self) -> float:
        """Share of the truth that was read."""
        return self.common / self.truth if self.truth else 0.0

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        return 2 * self.common / (self.truth + self.read) if self.common else 0.0

    def __add__(self, other: "Overlap") -> "Overlap":
        return Overlap(self.common + other.common, self.truth + other.truth, self.read + other.read)


class Score(Struct, frozen=True, kw_only=True):
    """Counts of one image; figures come from their sums over a set, not from a mean of images."""

    complete: bool
    characters: int
    """Of the truth, white space removed."""
    edits: int
    edits_ci: int
    """Upper and lower case taken for the same."""
    row_edits_ci: int
    """The same with the read lines sorted into rows first."""
    box_edits_ci: int | None
    """Compared place by place; None where places are not known."""
    box_characters: int
    words: Overlap
    words_ci: Overlap
    bag: Overlap


class Figures(Struct, frozen=True, kw_only=True):
    """The figures of a set of images; error rates may exceed 1, F1 lies between 0 and 1."""

    images: int
    characters: int
    cer: float
    cer_ci: float
    rcer_ci: float
    box_ci: float | None
    word_precision: float
    word_recall: float
    word_f1: float
    word_f1_ci: float
    character_f1: float


def score(truth: Truth, read: Sequence[Line]) -> Score:
    """Compares the lines read, in the order given, with the truth."""
    read = [line for line in read if not _ignored(line, truth.ignore)]
    placed = all(line.shape is not None for line in read)
    true_text, text = normalise("".join(truth.lines)), normalise("".join(line.text for line in read))
    true_words = [word for line in truth.lines for word in words(line)]
    read_words = [word for line in read for word in words(line.text)]
    edits_ci = Levenshtein.distance(true_text.casefold(), text.casefold())
    return Score(
        complete=truth.complete,
        characters=len(true_text),
        edits=Levenshtein.distance(true_text, text),
        edits_ci=edits_ci,
        row_edits_ci=Levenshtein.distance(true_text.casefold(), _in_rows(read).casefold()) if placed else edits_ci,
        box_edits_ci=box_edits(truth.boxed, read) if truth.boxed and placed else None,
        box_characters=sum(len(normalise(line.text)) for line in truth.boxed),
        words=_overlap(true_words, read_words),
        words_ci=_overlap(map(str.casefold, true_words), map(str.casefold, read_words)),
        bag=_overlap(true_text, text),
    )


def figures(scores: Sequence[Score]) -> Figures:
    """The figures of a set. Where some truths are complete, the others count for bags and boxes only."""
    full = [score for score in scores if score.complete] or scores
    characters = sum(score.characters for score in full)
    placed = [score for score in scores if score.box_edits_ci is not None]
    all_words = sum(map(attrgetter("words"), scores), Overlap())
    return Figures(
        images=len(scores),
        characters=characters,
        cer=sum(score.edits for score in full) / max(1, characters),
        cer_ci=sum(score.edits_ci for score in full) / max(1, characters),
        rcer_ci=sum(score.row_edits_ci for score in full) / max(1, characters),
        box_ci=sum(score.box_edits_ci or 0 for score in placed) / max(1, sum(score.box_characters for score in placed))
        if placed
        else None,
        word_precision=all_words.precision,
        word_recall=all_words.recall,
        word_f1=all_words.f1,
        word_f1_ci=sum(map(attrgetter("words_ci"), scores), Overlap()).f1,
        character_f1=sum(map(attrgetter("bag"), scores), Overlap()).f1,
    )


def normalise(text: str) -> str:
    """Text as it is compared: NFKC, one sign for those that look alike, no underscores, no white space."""
    plain = unicodedata.normalize("NFKC", text.translate(_AS_ONE)).translate(_AS_ONE)
    return "".join(plain.replace("_", "").split())


def words(text: str) -> list[str]:
    """The runs of ASCII letters and digits."""
    return _WORD.findall(unicodedata.normalize("NFKC", text))


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
        Levenshtein.distance(_in_rows(true).casefold(), _in_rows(found).casefold()) for true, found in members.values()
    )


def _covers(a: Line, b: Line) -> bool:
    if a.shape is None or b.shape is None:
        return False
    smaller = min(area(a.shape), area(b.shape))
    return smaller > 0 and shared_area(a.shape, b.shape) >= 0.5 * smaller


def _ignored(line: Line, places: Iterable[Shape]) -> bool:
    if line.shape is None:
        return False
    half = 0.5 * max(area(line.shape), 1e-9)
    return any(shared_area(line.shape, place) >= half for place in places)


def _in_rows(lines: Sequence[Line]) -> str:
    """The normalised text row by row from the top: lines belong to one row whose middles are close."""
    rows: list[list[tuple[float, float, float, str]]] = []  # left, middle, height, text
    boxed = [(bounds(line.shape), line.text) for line in lines if line.shape is not None]
    for (left, top, _, bottom), text in sorted(boxed, key=lambda item: (item[0][1] + item[0][3]) / 2):
        middle, height = (top + bottom) / 2, bottom - top
        if rows:
            usual_middle = sum(box[1] for box in rows[-1]) / len(rows[-1])
            usual_height = sum(box[2] for box in rows[-1]) / len(rows[-1])
            near = max(0.5 * min(height, usual_height), 0.35 * max(height, usual_height))
            if abs(middle - usual_middle) < near:
                rows[-1].append((left, middle, height, text))
                continue
        rows.append([(left, middle, height, text)])
    return "".join(normalise(text) for row in rows for _, _, _, text in sorted(row, key=lambda box: box[0]))


def _overlap(truth: Iterable[str], read: Iterable[str]) -> Overlap:
    true_bag, read_bag = Counter(truth), Counter(read)
    return Overlap((true_bag & read_bag).total(), true_bag.total(), read_bag.total())
