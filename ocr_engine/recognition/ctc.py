"""From the model's scores, one row for every 8 pixels of a line, to its text and to what they leave open."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from ocr_engine.crops import Pixels
from ocr_engine.models.characters import FIRST_EAST_ASIAN
from ocr_engine.models.line_scores import LineScores, Scores
from ocr_engine.recognition import lookalikes
from ocr_engine.recognition.accents import differ_by_accent

SPACE_PROBABILITY = 0.2
"""From here on a gap is a space, even where the model prefers to say nothing: word F1 0.951 becomes 0.952."""
OPEN_SPACE = 0.00001, 0.97
"""Between these it is open whether a gap is a space. In print without any the model gives less than a thousandth to two
thirds of them."""
OPEN_LETTER = 0.01
"""Probability from which another character may be the right one: it is for 97 of 115 letters with a wrong accent."""
OPEN_ACCENT = 0.001
"""The same of a letter that differs by its accent alone: some are hardly ever seen, and never by chance."""
NARROW = frozenset("ilıtfj")
"""Letters that fill one step of the model, seldom two: two of them without a blank between come out as one."""
MAYBE_DOUBLED, SURELY_DOUBLED = 0.06, 0.7
"""Probability of a second one where the letter fills two steps, or is hinted at beside its own, and where it fills
three: of 465, 66 and 3 such letters on 180 drawn pages 2, 2 and 3 were two."""
SURELY_STEPS = 3
GHOST = 0.3
"""Probability of the letter in a step beside its own from which that counts as another."""
LOST_LETTER = 0.12
"""What other signs have together, in a step where the model says nothing, from which one may have been lost there."""
NEIGHBOUR_S = 0.002
"""Probability of a sign in a neighbour's steps from which it is that neighbour's, and none that was lost beside it."""
APOSTROPHES = frozenset("'’‘")
"""Print draws them alike: what the model gives them belongs together."""

Signs = NDArray[np.object_]
"""(classes,): the character of each column of scores."""


class Doubt(Struct, frozen=True):
    """A place in a text that the model leaves open."""

    at: int
    length: int
    """Characters of the text that stand there now: 1, or 0 where a space may be missing."""
    choices: tuple[tuple[str, float], ...]
    """What may stand there, each with its probability, also what does now; of a gap a space, or nothing; of a letter
    others, itself twice, or nothing; of a letter that may be
    lost that one, or nothing."""
    white: float = 0.0
    """Of a gap: bits that its width on the paper says for a space; 0 where it was not measured."""

    @property
    def is_gap(self) -> bool:
        """Is it open whether a space stands there?"""
        return any(choice == " " for choice, _ in self.choices)


class Reading(Struct, frozen=True):
    """What stands in a crop."""

    text: str
    confidence: float
    """0 to 1: mean probability of the characters."""
    places: tuple[float, ...] = ()
    """Where each character stands along the text: its middle, 0 at the left to 1 at the right."""
    certainty: tuple[float, ...] = ()
    """0 to 1: the probability of each character."""
    corner: int = 0
    """Which corner of its box, counted clockwise from the top left, is the text's own top left."""
    doubts: tuple[Doubt, ...] = ()
    """From left to right."""

    def confidence_of(self, first: int, last: int) -> float:
        """0 to 1: mean probability of the characters from `first` up to `last`."""
        part = self.certainty[first:last]
        return sum(part) / len(part) if part else self.confidence


NOTHING = Reading("", 0.0)

Read = Callable[[Sequence[Pixels]], Sequence[Reading]]
"""Reads crops, one after the other."""


class Decoder:
    """Knows the model's classes: `characters` are those after the blank and before the space, in its order."""

    def __init__(self, characters: Sequence[str]) -> None:
        # class 0 is CTC's blank, and the space comes last (rapidocr CTCLabelDecode)
        self._characters = np.array(["", *characters, " "], object)

    def decoded(self, line: LineScores, share: float) -> Reading:
        """CTC, best path (Graves 2006): the likeliest class of each step, repetitions and blanks dropped.

        `share` is the width of all steps by that of the crop.
        """
        scores, signs = line.probabilities, self._characters[line.classes]
        best = scores.argmax(axis=1)
        runs = np.flatnonzero(np.concatenate(([True], best[1:] != best[:-1])))
        is_sign = best[runs] != 0
        places = runs[is_sign]
        if not len(places):
            return NOTHING
        ends = np.append(runs[1:], len(best))[is_sign].tolist()
        hints = np.flatnonzero((best == 0) & (scores[:, 0] <= 1 - LOST_LETTER)).tolist()
        chosen = best[places]
        confidence = float(scores[places, chosen].mean())
        for i in _let_words_decide(scores, signs, chosen, places):
            best[places[i] : ends[i]] = chosen[i]
        # of each character, the most that any of its steps gives it
        peaks = np.maximum.reduceat(scores[np.arange(len(best)), best], runs)[is_sign].tolist()
        text: list[str] = []
        where: list[float] = []
        certainty: list[float] = []
        doubts: list[Doubt] = []
        last = -1
        # plain numbers: of so few, NumPy's calls cost more than what they compute
        spaces, own = scores[:, -1], scores[places, chosen].tolist()
        # the most that a step from one character to the next gives to a space
        before = np.maximum(np.maximum.reduceat(spaces, places)[:-1], spaces[places[1:]])
        openings, spaces = [0.0, *before.tolist()], spaces.tolist()
        begins, characters, columns = places.tolist(), signs[chosen].tolist(), chosen.tolist()
        after = [*begins[1:], len(best)]
        for place, end, next_, character, column, probability, peak, opening in zip(
            begins, ends, after, characters, columns, own, peaks, openings, strict=True
        ):
            lost: list[Doubt] = []
            between_hints = hints[bisect_right(hints, last) : bisect_left(hints, place)] if hints else ()
            if between_hints:
                lost += _lost(scores, signs, between_hints, (last, place), len(where))
                doubts += lost
            # within words there is hardly ever a space to ask for
            if opening >= OPEN_SPACE[0] and _may_be_apart(text[-1], character):
                between = max(spaces[last + 1 : place], default=0.0)
                is_space = between >= SPACE_PROBABILITY
                if is_space or not lost:
                    doubts += _open_gap(len(where), int(is_space), opening)
                if is_space:
                    text.append(" ")
                    where.append((last + place) / 2)
                    certainty.append(between)
            twice = 0.0
            if character in NARROW:
                twice = _doubled(scores[last + 1 : next_, column], place - last - 1, end - place)
            # most characters leave nothing open
            if twice or peak <= 1 - OPEN_ACCENT or character == " ":
                doubts += _open_character(scores[place:end], signs, column, len(where), twice)
            text.append(character)
            where += [place] * len(character)
            certainty += [probability] * len(character)
            last = place
        along = tuple((step + 0.5) / len(best) * share for step in where)
        return Reading("".join(text), confidence, along, tuple(certainty), doubts=tuple(doubts))


def _open_character(run: Scores, signs: Signs, best: int, at: int, twice: float) -> Iterator[Doubt]:
    """What else the model may have seen in the steps of one character: others, or the same one `twice`."""
    character, probability = signs[best], float(run[:, best].max() if len(run) > 1 else run[0, best])
    if character == " ":
        yield from _open_gap(at, 1, probability)
    elif len(character) == 1:
        choices = [(2 * character, twice)] if twice else []
        if probability <= 1 - OPEN_ACCENT:
            probabilities = run.max(axis=0) if len(run) > 1 else run[0]
            if probability <= 1 - OPEN_LETTER:
                others = [i for i in np.flatnonzero(probabilities >= OPEN_LETTER).tolist() if i not in (0, best)]
                choices += [(signs[i], float(probabilities[i])) for i in others if signs[i].strip()]
            faint = np.flatnonzero((probabilities >= OPEN_ACCENT) & (probabilities < OPEN_LETTER)).tolist()
            choices += [(signs[i], float(probabilities[i])) for i in faint if differ_by_accent(signs[i], character)]
        if choices:
            yield Doubt(at, 1, ((character, probability), *choices))


def _lost(scores: Scores, signs: Signs, hints: Sequence[int], beside: tuple[int, int], at: int) -> Iterator[Doubt]:
    """What may have been lost between two characters, by the steps `beside`, where the model hints at something."""
    probabilities = scores[hints].max(axis=0)
    found = [i for i in np.flatnonzero(probabilities >= OPEN_LETTER).tolist() if signs[i].strip()]
    theirs = scores[[step for step in beside if step >= 0]].max(axis=0)
    choices = _with_one_apostrophe({signs[i]: float(probabilities[i]) for i in found if theirs[i] < NEIGHBOUR_S})
    if sum(choices.values()) >= LOST_LETTER:
        yield Doubt(at, 0, (("", float(scores[hints, 0].min())), *choices.items()))


def _let_words_decide(
    scores: Scores, signs: Signs, chosen: NDArray[np.intp], places: NDArray[np.intp]
) -> Iterator[int]:
    """Puts letters in the place of chosen digits that look like them, where the rest of the word is letters; which."""
    for i, letters in lookalikes.doubtful(signs[chosen].tolist()):
        known = np.flatnonzero(np.isin(signs, [*letters])).tolist()
        likeliest = max(known, key=lambda column: float(scores[places[i], column]), default=None)
        if likeliest is not None and scores[places[i], likeliest] >= lookalikes.LETTER_PROBABILITY:
            chosen[i] = likeliest
            yield i


def _may_be_apart(left: str, right: str) -> bool:
    """Whether there can be a space between two characters."""
    return max(left, right) < FIRST_EAST_ASIAN and " " not in (left, right)


def _doubled(probabilities: NDArray[np.float32], begin: int, steps: int) -> float:
    """That a narrow letter stands there twice, by its probability at each step between its neighbours."""
    if steps > 1:
        return SURELY_DOUBLED if steps >= SURELY_STEPS else MAYBE_DOUBLED
    beside = max(probabilities[:begin].max(initial=0), probabilities[begin + steps :].max(initial=0))
    return MAYBE_DOUBLED if beside >= GHOST else 0.0


def _with_one_apostrophe(choices: dict[str, float]) -> dict[str, float]:
    """The choices, all apostrophes among them as the likeliest one."""
    some = {sign: choices[sign] for sign in choices if sign in APOSTROPHES}
    if not some:
        return choices
    others = {sign: probability for sign, probability in choices.items() if sign not in some}
    return {**others, max(some, key=lambda sign: some[sign]): sum(some.values())}


def _open_gap(at: int, length: int, probability: float) -> Iterator[Doubt]:
    if OPEN_SPACE[0] <= probability < OPEN_SPACE[1]:
        yield Doubt(at, length, ((" ", probability), ("", 1 - probability)))
