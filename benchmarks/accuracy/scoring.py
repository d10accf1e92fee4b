"""How well a text was read. Every figure is defined in docs/accuracy.md."""

from collections import Counter
from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import TypeVar

from msgspec import Struct
from rapidfuzz.distance import Levenshtein

from benchmarks.accuracy import letters
from benchmarks.accuracy.places import WordPlaces, box_edits, in_rows, lines_found, without_ignored, word_iou
from benchmarks.accuracy.signs import ascii_words, normalise
from benchmarks.accuracy.structure import PairsKept, cell_f1, pairs_kept, text_rows, words_out_of_order
from benchmarks.accuracy.truth import Line, Overlap, Share, Table, Truth

Counts = TypeVar("Counts", Overlap, Share, WordPlaces, PairsKept)


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
    spaced_edits: int
    """White space counted, nothing taken for the same but what Unicode says is."""
    spaced_characters: int
    unicode_words: Overlap
    accents: Overlap
    spaces: Overlap
    lines_found: Share
    out_of_order: Share
    """Of nothing where the truth's order is not a reader's."""
    word_places: WordPlaces
    pairs: PairsKept
    neighbours: Overlap | None
    """Of cells; None where nobody says which tables there are."""


class Figures(Struct, frozen=True, kw_only=True):
    """The figures of a set of images; error rates may exceed 1, all others lie between 0 and 1; None is of nothing."""

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
    cer_spaced: float
    unicode_f1: float
    accents: float | None
    false_accents: float | None
    spaces: float | None
    lines_found: float | None
    out_of_order: float | None
    word_iou: float | None
    word_iou_half: float | None
    pairs_kept: float | None
    pairs_of_read: float | None
    cell_f1: float | None


def score(truth: Truth, read: Sequence[Line], tables: Sequence[Table] = ()) -> Score:
    """Compares the lines read, in the order given, and the tables with the truth."""
    read = without_ignored(read, truth.ignore)
    placed = all(line.shape is not None for line in read)
    true_text, text = normalise("".join(truth.lines)), normalise("".join(line.text for line in read))
    by_rows = normalise("".join(line.text for line in in_rows(read))) if placed else text
    true_words = [word for line in truth.lines for word in ascii_words(line)]
    read_words = [word for line in read for word in ascii_words(line.text)]
    in_its_order = [line.text for line in (in_rows(read) if placed and truth.order == "rows" else read)]
    spaced, read_spaced = letters.spaced(truth.lines), letters.spaced(in_its_order)
    no_words = not (placed and truth.by_word)
    return Score(
        complete=truth.complete,
        characters=len(true_text),
        edits=Levenshtein.distance(true_text, text),
        edits_ci=Levenshtein.distance(true_text.casefold(), text.casefold()),
        row_edits_ci=Levenshtein.distance(true_text.casefold(), by_rows.casefold()),
        box_edits_ci=box_edits(truth.boxed, read) if truth.boxed and placed else None,
        box_characters=sum(len(normalise(line.text)) for line in truth.boxed),
        words=_overlap(true_words, read_words),
        words_ci=_overlap(map(str.casefold, true_words), map(str.casefold, read_words)),
        bag=_overlap(true_text, text),
        spaced_edits=Levenshtein.distance(spaced, read_spaced),
        spaced_characters=len(spaced),
        unicode_words=_overlap(_words(truth.lines), _words(in_its_order)),
        accents=letters.accents(truth.lines, in_its_order),
        spaces=letters.spaces(truth.lines, in_its_order),
        lines_found=lines_found(truth.boxed, read) if placed else Share(),
        out_of_order=words_out_of_order(truth.lines, in_its_order) if truth.order == "reader" else Share(),
        word_places=WordPlaces() if no_words else word_iou(truth.boxed, [word for line in read for word in line.words]),
        pairs=pairs_kept(truth.pairs, text_rows(read)),
        neighbours=None if truth.tables is None else cell_f1(truth.tables, tables),
    )


def figures(scores: Sequence[Score]) -> Figures:
    """The figures of a set. Where some truths are complete, the others count for bags and boxes only."""
    full = [score for score in scores if score.complete] or scores
    characters = sum(score.characters for score in full)
    placed = [score for score in scores if score.box_edits_ci is not None]
    all_words = _sum(scores, "words", Overlap())
    accents = _sum(full, "accents", Overlap())
    spaces = _sum(full, "spaces", Overlap())
    places = _sum(scores, "word_places", WordPlaces())
    pairs = _sum(scores, "pairs", PairsKept())
    neighbours = sum((score.neighbours for score in scores if score.neighbours is not None), Overlap())
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
        word_f1_ci=_sum(scores, "words_ci", Overlap()).f1,
        character_f1=_sum(scores, "bag", Overlap()).f1,
        cer_spaced=sum(score.spaced_edits for score in full) / max(1, sum(score.spaced_characters for score in full)),
        unicode_f1=_sum(scores, "unicode_words", Overlap()).f1,
        accents=accents.recall if accents.truth else None,
        false_accents=1 - accents.precision if accents.read else None,
        spaces=spaces.f1 if spaces.truth else None,
        lines_found=_sum(scores, "lines_found", Share()).value,
        out_of_order=_sum(full, "out_of_order", Share()).value,
        word_iou=Share(places.iou, places.words).value,
        word_iou_half=Share(places.over_half, places.words).value,
        pairs_kept=Share(pairs.kept, pairs.pairs).value,
        pairs_of_read=Share(pairs.kept, pairs.read).value,
        cell_f1=neighbours.f1 if neighbours.truth or neighbours.read else None,
    )


def _words(lines: Iterable[str]) -> Iterable[str]:
    return (word for line in lines for word in letters.words(line))


def _overlap(truth: Iterable[str], read: Iterable[str]) -> Overlap:
    true_bag, read_bag = Counter(truth), Counter(read)
    return Overlap((true_bag & read_bag).total(), true_bag.total(), read_bag.total())


def _sum(scores: Iterable[Score], field: str, nothing: Counts) -> Counts:
    return sum(map(attrgetter(field), scores), nothing)
