"""What a recogniser says of a line: in each step, the probabilities of those classes that come into question at all."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

MIN_PROBABILITY_ASKED = 0.0005
"""Of a class in any step, from which it comes into question: the decoder asks for twice as much at least."""

Scores = NDArray[np.float32]
"""Shape (steps, classes): probabilities. The first class is CTC's blank, the last one the space."""


class LineScores(Struct, frozen=True):
    """Of one line."""

    probabilities: Scores
    classes: NDArray[np.intp]
    """Of each column, the blank and the space among them: some 60 of thousands."""


def of_all(batch: NDArray[np.float32]) -> list[LineScores]:
    """Of each line of a batch (N, steps, classes) with all classes."""
    return [_line(scores, np.arange(scores.shape[1])) for scores in batch]


def put_together(parts: Sequence[LineScores]) -> LineScores:
    """Of a line, by those of its parts; a class that comes into question in some of them has 0 in the others."""
    if len(parts) == 1:
        return parts[0]
    classes = np.unique(np.concatenate([part.classes for part in parts]))
    probabilities = np.zeros((sum(len(part.probabilities) for part in parts), len(classes)), np.float32)
    at = 0
    for part in parts:
        steps = len(part.probabilities)
        probabilities[at : at + steps, np.searchsorted(classes, part.classes)] = part.probabilities
        at += steps
    return LineScores(probabilities, classes)


def of_two_steps(
    common: NDArray[np.float32],
    open_rows: NDArray[np.int64],
    all_classes: NDArray[np.float32],
    classes: NDArray[np.intp],
) -> list[LineScores]:
    """Of each line, by what `graphs.patterns.two_steps` gives; `classes` (n,) are the common ones."""
    lines, steps = common.shape[:2]
    bounds = np.searchsorted(open_rows, np.arange(lines + 1) * steps).tolist()
    return [
        _opened(_line(common[i], classes), open_rows[begin:end] - i * steps, all_classes[begin:end], classes)
        for i, (begin, end) in enumerate(pairwise(bounds))
    ]


def _line(scores: Scores, classes: NDArray[np.intp]) -> LineScores:
    asked = _asked(scores)
    asked[0] = asked[-1] = True
    (columns,) = asked.nonzero()
    return LineScores(scores.take(columns, axis=1), classes[columns])


def _asked(scores: Scores) -> NDArray[np.bool_]:
    """Which classes come into question in any step: compared first, as flags are reduced in half the time of floats."""
    return np.asarray((scores >= MIN_PROBABILITY_ASKED).any(axis=0), bool)


def _opened(line: LineScores, steps: NDArray[np.int64], all_classes: Scores, common: NDArray[np.intp]) -> LineScores:
    """The line with what was found out about some of its steps."""
    if not len(steps):
        return line
    asked = _asked(all_classes)
    asked[common] = False
    (others,) = asked.nonzero()
    classes = np.concatenate((line.classes[:-1], others, line.classes[-1:]))
    nothing = np.zeros((len(line.probabilities), len(others)), np.float32)
    probabilities = np.concatenate((line.probabilities[:, :-1], nothing, line.probabilities[:, -1:]), axis=1)
    probabilities[steps] = all_classes[:, classes]
    return LineScores(probabilities, classes)
