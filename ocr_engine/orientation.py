"""How far a page is turned, by the evidence of all its lines.

A classifier that judges single lines is wrong on some, and what it turns wrongly is lost. So its judgements are only
votes: a page turns as a whole, and stays as it is when hardly a vote is for turning it. Else the recogniser decides by
reading lines both ways: on blurred and noisy print up to half of the votes are wrong, while the recogniser is five
times as sure of what stands upright.

Nor do shapes decide that a page lies on its side: columns of figures that share a box are tall, and so is Chinese that
runs down the page. They only raise the question, and lines are read as they stand and turned either way.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from ocr_engine.boxes import LONG_RATIO, Quads, run_down, sides
from ocr_engine.crops import Cuts, Pixels, is_tall, resize, turn
from ocr_engine.models.catalogue import Normalisation
from ocr_engine.models.session import Session
from ocr_engine.models.tensors import fill
from ocr_engine.recognition.ctc import Reading
from ocr_engine.recognition.reading import Reader
from ocr_engine.result import Rotation

INPUT_HEIGHT, INPUT_WIDTH = 48, 192
"""Pixels: the classifier's input."""
MAX_VOTERS = 12
"""Lines that are asked; more cost time and hardly ever change the answer."""
MAX_DISSENT = 0.1
"""Share of the voters, of at least `QUORUM`, that may be for turning a page that stays as it is, unread."""
QUORUM = 4
MAX_LINES_READ = 3
"""Lines, at most, that are read both ways; lone signs are not counted: a slanted 7 is a surer L on its head."""
DECISIVE_LEAD = 12.0
"""Characters, each counted by the confidence in it, that one way must be ahead for no more lines to be read."""
MAX_READ_RATIO = 16.0
"""Length by height of what is read of a line, its middle: some 27 letters, twice those of a decisive lead."""

MIN_LEAD_TO_TURN = 0.25
"""As many of them must a turned page be ahead by: a single T reads as well either way, and pages stand upright."""
MIN_TIMES_UPRIGHT = 2.0
"""As many times as much must be read of a turned page as of the upright one: columns of digits are read to some part
whichever way they lie, and of true lines next to nothing is where they do not stand."""
MAX_LINES_READ_TURNED = 8
"""Lines, at most, that are read upright and turned to either side: the longest tall one, the longest level one, and so
on. Upright tables of figures have long lines of both kinds."""
SURENESS_POWER = 3
"""Of the confidence in a line: letters that lie on their side are read, too, at .5 to .85."""
MIN_SURENESS_OF_TURN = 0.5
"""Share of a page's letters, as `SURENESS_POWER` counts them, that must be sure for it to lie on its side: .86 or more
on drawn Latin pages, .1 to .48 in most scripts that the models lack, whichever way these are turned."""
MIN_MEAN_ON_ITS_HEAD = 0.75
"""Confidence in the letters of a page that stands on its head: .46 to .72 in most scripts that the models lack."""
STACKED_BY_LYING = 0.25
"""How much of what is read in a line must be read of the signs below each other in it for these to be what stands
there: of upright columns of Chinese .34 to 1, of lines on their side up to .22."""
MIN_SHARE_SIDEWAYS = 0.15
"""Length of tall boxes by that of level ones, from which a page may lie on its side: figures that lie in a row look
like a level line."""

_WAYS: tuple[Rotation, ...] = (0, 90, 180, 270)
_SIDEWAYS = _WAYS[1::2]


class AngleClassifier:
    """Tells upright crops of lines from those that stand on their head."""

    def __init__(self, session: Session, normalisation: Normalisation) -> None:
        self._session = session
        self._normalisation = normalisation

    def upside_down(self, crops: Sequence[Pixels]) -> NDArray[np.float32]:
        """Probability (n,) that each crop stands on its head, by the middle of its text.

        rapidocr squeezes the whole line into the classifier's input, which makes it wrong on long ones.
        """
        batch = np.zeros((len(crops), 3, INPUT_HEIGHT, INPUT_WIDTH), np.float32)
        for row, crop in zip(batch, crops, strict=True):
            middle = _middle(crop)
            width = min(INPUT_WIDTH, max(1, -(-INPUT_HEIGHT * middle.shape[1] // middle.shape[0])))
            fill(row[:, :, :width], resize(middle, width, INPUT_HEIGHT), self._normalisation)
        return self._session.run(batch)[:, 1]


class Orienter:
    """Decides by how much a page has to be turned."""

    def __init__(self, classifier: AngleClassifier, reader: Reader) -> None:
        self._classifier = classifier
        self._reader = reader

    def turn_needed(self, page: Cuts, quads: Quads) -> Rotation:
        """Degrees clockwise by which the page must be turned for the lines in the boxes to stand upright."""
        if not len(quads):
            return 0
        tall = is_tall(quads)
        if _may_lie_on_its_side(quads) and (way := self._way_by_reading(page, quads, tall)):
            return way
        across, down = sides(quads)
        voters = np.flatnonzero(~tall)
        # of the lines that are long enough to say something the ones in the middle: neither specks nor merged lines
        length = np.maximum(across, down)[voters]
        voters = voters[np.argsort(-length, kind="stable")][:MAX_VOTERS]
        if not self._on_their_head([page.cut(quads[i]) for i in voters]):
            return 0
        # figures that lie in a row may look like a line on its head
        return self._way_by_reading(page, quads, tall) or 180

    def _way_by_reading(self, page: Cuts, quads: Quads, tall: NDArray[np.bool_]) -> Rotation:
        """The turn by which lines are read best; 0 unless another is better."""
        read = dict.fromkeys(_WAYS, _Read())
        best = _WAYS[0]
        sideways = run_down(*sides(quads))
        for i in _in_turns(quads, tall):
            for way, words in self._words_by_way(_short(page.cut(quads[i]))).items():
                read[way] = read[way].plus(words)
            best = max(_WAYS, key=lambda way: read[way].sure)
            lead = read[best].sure - max(read[way].sure for way in _WAYS if way != best)
            # what the shapes say, too, is believed at once
            if lead >= DECISIVE_LEAD and (best in _SIDEWAYS) == sideways:
                break
        is_sure = read[best].sure >= MIN_SURENESS_OF_TURN * read[best].letters
        return best if is_sure and read[best].sure > MIN_TIMES_UPRIGHT * read[0].sure + MIN_LEAD_TO_TURN else 0

    def _words_by_way(self, crop: Pixels) -> "dict[Rotation, _Read]":
        """How much is read of a crop, turned each way.

        Columns of signs that stand below each other, Chinese and figures, are read as well when they are turned by 270
        and all signs lie. So where they are read side by side, too, that counts and nothing else.
        """
        if max(crop.shape[:2]) < LONG_RATIO * min(crop.shape[:2]):
            # a lone sign: a 5 is read as 51 once
            return {}
        turned = {way: turn(crop, way) for way in _WAYS}
        read = {way: self._words(each) for way, each in turned.items()}
        best = max(_WAYS, key=lambda way: read[way].sure)
        way = _WAYS[(_WAYS.index(best) + 1) % 4]
        if not _is_tall(turned[way]):
            return read
        stacked = self._words(side_by_side(turned[way]))
        return {way: stacked} if stacked.sure > STACKED_BY_LYING * read[best].sure else read

    def _words(self, crop: Pixels) -> "_Read":
        """Nothing for a lone sign, which is read as well on its side."""
        (reading,) = self._reader.read_once([crop])
        letters = len(reading.text.replace(" ", ""))
        return _Read(float(reading.confidence**SURENESS_POWER * letters), letters) if letters > 1 else _Read()

    def _on_their_head(self, crops: Sequence[Pixels]) -> bool:
        if not crops:
            return False
        votes = self._classifier.upside_down(crops) > 0.5
        if len(votes) >= QUORUM and votes.mean() <= MAX_DISSENT:
            return False
        words, lone = _Lead(), _Lead()
        for crop in map(_short, crops):
            (upright,), (turned,) = self._reader.read_once([crop]), self._reader.read_once([turn(crop, 180)])
            if max(len(upright.text), len(turned.text)) > 1:
                words = words.plus(upright, turned)
            else:
                lone = lone.plus(upright, turned)
            if abs(words.ahead) >= DECISIVE_LEAD or words.lines >= MAX_LINES_READ:
                break
        # notes of music and digits say nothing against a word
        return (words if words.lines else lone).is_turned()


class _Lead(Struct, frozen=True):
    """By how much lines are read better on their heads."""

    ahead: float = 0.0
    sure: float = 0.0
    letters: int = 0
    lines: int = 0

    def plus(self, upright: Reading, turned: Reading) -> "_Lead":
        sure = _sureness(turned)
        ahead = self.ahead + sure - _sureness(upright)
        return _Lead(ahead, self.sure + sure, self.letters + _letters(turned), self.lines + 1)

    def is_turned(self) -> bool:
        return self.ahead > MIN_LEAD_TO_TURN and self.sure >= MIN_MEAN_ON_ITS_HEAD * self.letters


class _Read(Struct, frozen=True):
    """How much was read of lines that are turned in one way."""

    sure: float = 0.0
    """Letters, those counted little that are unsure."""
    letters: int = 0

    def plus(self, other: "_Read") -> "_Read":
        return _Read(self.sure + other.sure, self.letters + other.letters)


def _sureness(reading: Reading) -> float:
    """How much was read, each character counted by the confidence in it; fillers of zones read as well either way."""
    return reading.confidence * _letters(reading)


def _letters(reading: Reading) -> int:
    return sum(character not in "<>" for character in reading.text)


def side_by_side(crop: Pixels) -> Pixels:
    """What stands below each other in a tall crop (H, W, 3) in a row: as many squares as it is times as high as wide.

    So upright signs that run down the page, as Chinese does, are read as they stand.
    """
    height, width = crop.shape[:2]
    edges = np.linspace(0, height, round(height / width) + 1).astype(int)
    return np.concatenate([resize(crop[top:end], width, width) for top, end in pairwise(edges.tolist())], axis=1)


def _may_lie_on_its_side(quads: Quads) -> bool:
    """Whether enough of the boxes are tall, of those that hold more than a lone sign; where none does, it may."""
    across, down = sides(quads)
    tall, level = down[down >= LONG_RATIO * across], across[across >= LONG_RATIO * down]
    return float(tall.sum()) > MIN_SHARE_SIDEWAYS * float(level.sum()) or not len(tall) + len(level)


def _is_tall(crop: Pixels) -> bool:
    """Whether a crop may hold several signs below each other."""
    height, width = crop.shape[:2]
    return bool(height >= LONG_RATIO * width)


def _in_turns(quads: Quads, tall: NDArray[np.bool_]) -> list[int]:
    """Numbers of boxes: the longest tall one, the longest level one, the next of either, and so on."""
    by_length = np.argsort(-np.maximum(*sides(quads)), kind="stable")
    ranks = np.empty(len(quads), int)
    for kind in (tall, ~tall):
        ranks[by_length[kind[by_length]]] = np.arange(np.count_nonzero(kind))
    return [int(i) for i in np.lexsort((~tall, ranks))[:MAX_LINES_READ_TURNED]]


def _short(crop: Pixels) -> Pixels:
    """As much of the middle of a line, level or tall, as is read of it."""
    sides = crop.shape[:2]
    most = max(1, round(MAX_READ_RATIO * min(sides)))
    top, left = (max(0, side - most) // 2 for side in sides)
    return crop[top : top + most, left : left + most]


def _middle(crop: Pixels) -> Pixels:
    """As much of a longer line as fills the classifier's input undistorted."""
    height, width = crop.shape[:2]
    part = min(width, max(1, INPUT_WIDTH * height // INPUT_HEIGHT))
    start = (width - part) // 2
    return crop[:, start : start + part]
