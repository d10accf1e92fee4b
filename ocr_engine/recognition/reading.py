"""Reads the lines of a page: how wide each is given to the recogniser, and which are read again.

The model's work grows with the width of its input, and it answers once for every 8 pixels. Lines of wide letters, or of
Chinese, which fill 20 to 48 pixels a character, give it many more answers than it needs. So lines are squeezed to a
common pitch, and a line that turns out to be set tighter than was thought, or that the model is not sure of, is read
again with more room. Second readings included, that is 0.9 of the natural width, with no more errors than the noise
has; squeezing blindly by a fifth costs up to 13 % of the characters of narrow print.
"""

from collections.abc import Sequence

import msgspec
import numpy as np

from ocr_engine.crops import Pixels, turn
from ocr_engine.models.catalogue import SURE_MEAN
from ocr_engine.recognition.ctc import Reading
from ocr_engine.recognition.recogniser import LINE_HEIGHT, MAX_WIDTH, Recogniser, natural_width
from ocr_engine.recognition.spaces import between_letters

PITCH = 14.5
"""Pixels that a character shall have on average, at 48 pixels of height. Errors rise steeply under 11; 12.5 saves a
tenth of the work, for word F1 0.984 instead of 0.987 on clean pages, which the natural width does not surpass."""
TIGHTEST_PITCH = 12.0
"""A line that was read at less is read again."""
FIRST_SQUEEZE = 0.85
"""Share of the natural width while a page's pitch is unknown: right for most Latin print, 17 pixels a character."""
SQUEEZES = (0.45, 1.0)
"""Bounds of a squeeze: under the lower one Chinese characters lose strokes."""
SHORT_LINE = 160
"""Pixels of a line's natural width under which squeezing it saves nothing worth a mistake."""
PITCH_SAMPLES = 6
"""Lines that tell how wide the page's characters are. Not the longest: those are set tightly, or in small print."""
NARROW_LINE = 35
"""Percentile of their characters' widths that is expected of all lines: too little room costs a second reading."""
STRETCHED = 1.2
"""By its natural width, how wide a line that the model is not sure of is read again. Blurred and noisy print
is read better when it is given room: word F1 0.943 becomes 0.950 on such pages."""
MAX_RIM = 0.04
"""By its shorter side, what is taken off each side of such a line, whose box reaches into rules or other lines where
print stands closely."""
UNSURE_SHARE, MIN_UNSURE_SPACES = 0.5, 20
"""Share of a page's spaces between letters, and their number, that the model is not sure of, from which its lines are
read again `STRETCHED`: given room, it sees the spaces of tightly set print. Of all gaps of usual drawn pages .16 at
most are unsure."""
UNSURE_OF_LINE, MIN_UNSURE_OF_LINE = 0.1, 2
"""The same of one line, from where it is among them: of receipts no more than three were."""
MIN_CLEAR = 0.965
"""Median confidence of such a page's lines: less is worn print, where more room shows no more spaces."""
MAX_LOSS = 0.05
"""Of its confidence, that such a line may lose: what is sure of less is another line's rim."""
DOUBTFUL_CONFIDENCE = 0.75
"""Confidence below which a line is read turned, too: it may stand on its head on a page that does not."""
TRIED_FIRST = 4
"""Lines that are read again before all others on a page most of whose lines are doubtful: in a script that the model
lacks no reading helps."""
MIN_HOPE = 0.8
"""Confidence that one of them must reach for the others to be read again."""
MIN_LETTERS_OF_HOPE = 0.5
"""Letters by heights of the line that it must have, as in `recognition.script`."""
MAX_REREAD_PIXELS = 120_000
"""Pixels: widths, together, of what is read again on a page of any length; on longer ones as much as was read first.
The most that any of 50 mixed pages needs is 33 000. It bounds what a page costs that is full of what is no text."""


class Reader:
    """Reads the lines of a page with as little work as their print allows."""

    def __init__(self, recogniser: Recogniser, sure_mean: float = SURE_MEAN) -> None:
        """`sure_mean`: confidence below which a line is read again, `STRETCHED`."""
        self._recogniser = recogniser
        self._sure_mean = sure_mean

    def read(self, crops: Sequence[Pixels]) -> list[Reading]:
        """The text of each crop (H, W, 3), also where a single one stands on its head."""
        budget = _Budget(crops)
        readings = self._read_upright(crops, budget, again=True)
        doubtful = {
            i: natural_width(crops[i]) for i, reading in enumerate(readings) if reading.confidence < DOUBTFUL_CONFIDENCE
        }
        for some in _first_tried(doubtful, len(crops)):
            chosen = budget.affordable(some)
            again = self._recogniser.read([turn(crops[i], 180) for i in chosen], [*chosen.values()], exactly=True)
            for i, reading in zip(chosen, again, strict=True):
                readings[i] = max(readings[i], msgspec.structs.replace(reading, corner=2), key=_confidence)
            if not any(_is_hopeful(readings[i], crops[i]) for i in some):
                break
        return readings

    def read_once(self, crops: Sequence[Pixels]) -> list[Reading]:
        """The text of each crop (H, W, 3) as it stands, unsure or not: enough to tell which of two ways reads better.

        What is read on its head is never sure, and to read that again would take three times as long as the rest.
        """
        return self._read_upright(crops, _Budget(crops), again=False)

    def _read_upright(self, crops: Sequence[Pixels], budget: "_Budget", *, again: bool) -> list[Reading]:
        widths = [natural_width(crop) for crop in crops]
        sample = _sample(crops)
        readings = self._squeezed(crops, widths, dict.fromkeys(sample, FIRST_SQUEEZE), budget)
        characters = [crops[i].shape[1] / len(reading.text) for i, reading in readings.items() if reading.text]
        # on the page, not at 48 pixels of height: boxes of one print differ in height by what letters are in them
        character = float(np.percentile(characters, NARROW_LINE)) if characters else 0.0
        squeezes = {
            i: _squeeze(LINE_HEIGHT * character / crop.shape[0]) if character else FIRST_SQUEEZE
            for i, crop in enumerate(crops)
            if i not in readings
        }
        readings |= self._squeezed(crops, widths, squeezes, budget)
        if again:
            self._again_with_room(crops, widths, readings, budget)
            self._again_for_spaces(crops, widths, readings, budget)
        return [readings[i] for i in range(len(crops))]

    def _squeezed(
        self, crops: Sequence[Pixels], widths: Sequence[int], squeezes: dict[int, float], budget: "_Budget"
    ) -> dict[int, Reading]:
        """The text of crops, each squeezed; those that are set tighter than that allows read again less squeezed."""
        given = {i: widths[i] * (squeeze if widths[i] >= SHORT_LINE else 1.0) for i, squeeze in squeezes.items()}
        readings = self._read(crops, {i: round(width) for i, width in given.items()})
        tight = [i for i, reading in readings.items() if given[i] < TIGHTEST_PITCH * len(reading.text)]
        relaxed = {i: round(widths[i] * _squeeze(widths[i] / len(readings[i].text))) for i in tight}
        return readings | self._read(crops, budget.affordable(relaxed))

    def _again_with_room(
        self, crops: Sequence[Pixels], widths: Sequence[int], readings: dict[int, Reading], budget: "_Budget"
    ) -> None:
        unsure = {
            i: round(STRETCHED * widths[i]) for i, reading in readings.items() if reading.confidence < self._sure_mean
        }
        for some in _first_tried(unsure, len(crops)):
            chosen = budget.affordable(some)
            rims = {i: round(MAX_RIM * min(crops[i].shape[:2])) for i in chosen}
            inner = [_inner(crop, rims.get(i, 0)) for i, crop in enumerate(crops)]
            for i, again in self._read(inner, chosen, exactly=True).items():
                readings[i] = max(readings[i], _with_rim(again, rims[i] / crops[i].shape[1]), key=_confidence)
            if not any(_is_hopeful(readings[i], crops[i]) for i in some):
                break

    def _again_for_spaces(
        self, crops: Sequence[Pixels], widths: Sequence[int], readings: dict[int, Reading], budget: "_Budget"
    ) -> None:
        """Reads lines again whose spaces are hardly seen, on a page where that is no exception."""
        counts = {i: between_letters(reading) for i, reading in readings.items()}
        unsure = sum(doubted for doubted, _ in counts.values())
        sure = sum(seen for _, seen in counts.values())
        if unsure < MIN_UNSURE_SPACES or unsure < UNSURE_SHARE * (unsure + sure):
            return
        if float(np.median([reading.confidence for reading in readings.values()])) < MIN_CLEAR:
            return
        tight = {
            i: round(STRETCHED * widths[i])
            for i, (doubted, seen) in counts.items()
            if readings[i].confidence >= self._sure_mean
            and doubted >= MIN_UNSURE_OF_LINE
            and doubted >= UNSURE_OF_LINE * (doubted + seen)
        }
        for i, again in self._read(crops, budget.affordable(tight)).items():
            if again.confidence >= readings[i].confidence - MAX_LOSS:
                readings[i] = again

    def _read(self, crops: Sequence[Pixels], widths: dict[int, int], *, exactly: bool = False) -> dict[int, Reading]:
        """The text of crops by their numbers, at these widths."""
        chosen = [crops[i] for i in widths]
        return dict(zip(widths, self._recogniser.read(chosen, [*widths.values()], exactly=exactly), strict=True))


class _Budget:
    """How much of one page may be read again."""

    def __init__(self, crops: Sequence[Pixels]) -> None:
        first = FIRST_SQUEEZE * sum(min(natural_width(crop), MAX_WIDTH) for crop in crops)
        self._left = max(MAX_REREAD_PIXELS, round(first))  # pixels of width

    def affordable(self, widths: dict[int, int]) -> dict[int, int]:
        """Those of the crops, by number, that may still be read at these widths; they are counted as read."""
        chosen = {}
        for i, width in widths.items():
            cost = min(width, MAX_WIDTH)
            if cost <= self._left:
                self._left -= cost
                chosen[i] = width
        return chosen


def _first_tried(widths: dict[int, int], lines: int) -> list[dict[int, int]]:
    """Crops that are to be read again, the longest in the first part where most lines of the page are among them."""
    if len(widths) <= TRIED_FIRST or 2 * len(widths) <= lines:
        return [widths]
    first = sorted(widths, key=lambda i: -widths[i])[:TRIED_FIRST]
    return [{i: widths[i] for i in first}, {i: width for i, width in widths.items() if i not in first}]


def _is_hopeful(reading: Reading, crop: Pixels) -> bool:
    """Whether so much was read of a line that others like it may be worth another reading."""
    letters = len(reading.text.replace(" ", ""))
    return reading.confidence >= MIN_HOPE and letters * crop.shape[0] >= MIN_LETTERS_OF_HOPE * crop.shape[1]


def _sample(crops: Sequence[Pixels]) -> list[int]:
    """Some of the crops' numbers, from all over the longer half."""
    by_length = sorted(range(len(crops)), key=lambda i: -crops[i].shape[1])
    longer = by_length[: max(PITCH_SAMPLES, len(crops) // 2)]
    return longer[:: max(1, len(longer) // PITCH_SAMPLES)][:PITCH_SAMPLES]


def _squeeze(pitch: float) -> float:
    """Share of the natural width at which characters of `pitch` natural pixels have `PITCH`."""
    least, most = SQUEEZES
    return min(most, max(least, PITCH / pitch))


def _inner(crop: Pixels, rim: int) -> Pixels:
    return crop[rim:-rim, rim:-rim] if rim else crop


def _with_rim(reading: Reading, rim: float) -> Reading:
    """The reading of what is left of a line without a rim, this share of it at each end, as that of the line."""
    places = tuple(rim + (1 - 2 * rim) * place for place in reading.places)
    return msgspec.structs.replace(reading, places=places) if rim else reading


def _confidence(reading: Reading) -> float:
    return reading.confidence
