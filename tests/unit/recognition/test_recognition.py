"""Lines are decoded as CTC means them, at the width that was asked for, in the order in which they were given."""

import numpy as np
import pytest

from ocr_engine.models.catalogue import Normalisation
from ocr_engine.models.line_scores import LineScores, of_all
from ocr_engine.recognition.ctc import NOTHING
from ocr_engine.recognition.recogniser import LINE_HEIGHT, MIN_WIDTH, WIDTH_STEP, Recogniser, natural_width

LETTERS = ("a", "b", "c", "中")
BLANK, A, B, C, HAN, SPACE = range(6)


class Scripted:
    """A session that answers with given classes a step, or with as many `a` as the crop has columns of ink."""

    note = ""
    input_shape = (None, 3, LINE_HEIGHT, None)

    def __init__(self, *steps: int, space: float = 0.0) -> None:
        self.steps = steps
        self.space = space
        self.shapes: list[tuple[int, ...]] = []

    def run(self, batch: np.ndarray) -> np.ndarray:
        self.shapes.append(batch.shape)
        if self.steps:
            scores = np.full((len(batch), len(self.steps), 6), 0.02, np.float32)
            scores[:, :, SPACE] = self.space
            for step, best in enumerate(self.steps):
                scores[:, step, best] = 0.9
            return scores
        ink = (batch[:, 0, 0] > 0).sum(axis=1)
        scores = np.zeros((len(batch), 2 * int(ink.max()), 6), np.float32)
        scores[:, :, BLANK] = 0.5
        for row, count in zip(scores, ink, strict=True):
            row[: 2 * count : 2, A] = 1.0
        return scores

    def lines(self, batch: np.ndarray) -> list[LineScores]:
        return of_all(self.run(batch))

    def release(self) -> None:
        """It keeps nothing."""


def recogniser(session: Scripted) -> Recogniser:
    return Recogniser(session, session, Normalisation(), LETTERS)


def crop(width: int, height: int = LINE_HEIGHT, level: int = 255) -> np.ndarray:
    return np.full((height, width, 3), level, np.uint8)


@pytest.mark.parametrize(
    ("steps", "text"),
    [
        ((A, A, BLANK, B), "ab"),
        ((A, BLANK, A), "aa"),
        ((BLANK, BLANK, HAN, HAN, C), "中c"),
        ((A, SPACE, SPACE, B), "a b"),
    ],
)
def test_repetitions_and_blanks_are_dropped(steps: tuple[int, ...], text: str) -> None:
    (reading,) = recogniser(Scripted(*steps)).read([crop(64)], [64])
    assert reading.text == text
    assert reading.confidence == pytest.approx(0.9)


def test_every_character_has_its_place_in_the_crop() -> None:
    (reading,) = recogniser(Scripted(BLANK, A, BLANK, B, space=0.3)).read([crop(128)], [128])
    assert reading.text == "a b"
    assert reading.places == pytest.approx((1.5 / 4, 2.5 / 4, 3.5 / 4))
    # four steps over 128 pixels, of which the crop fills 100
    (reading,) = recogniser(Scripted(A, BLANK, B, BLANK)).read([crop(100)], [100])
    assert reading.places == pytest.approx((16 / 100, 80 / 100))


def test_nothing_but_blanks_is_no_text() -> None:
    assert recogniser(Scripted(BLANK, BLANK)).read([crop(64)], [64]) == [NOTHING]


@pytest.mark.parametrize(("letter", "text"), [(0.25, "label"), (0.15, "1abel")])
def test_a_word_decides_what_the_model_is_not_sure_of(letter: float, text: str) -> None:
    characters = ("1", *"label")
    scores = np.zeros((1, 5, 1 + len(set(characters)) + 1), np.float32)
    for step, character in enumerate("1abel"):
        scores[0, step, 1 + "1labe".index(character)] = 0.6
    scores[0, 0, 1 + "1labe".index("l")] = letter

    class Answering(Scripted):
        def run(self, _: np.ndarray) -> np.ndarray:
            return scores

    (reading,) = Recogniser(Answering(), Answering(), Normalisation(), "1labe").read([crop(40)], [40])
    assert reading.text == text
    assert reading.confidence == pytest.approx(0.6), "the model's own, not the word's"


def test_a_gap_that_looks_like_a_space_is_one() -> None:
    (reading,) = recogniser(Scripted(A, BLANK, B, space=0.3)).read([crop(64)], [64])
    assert reading.text == "a b"


def test_a_gap_beside_chinese_is_no_space() -> None:
    (reading,) = recogniser(Scripted(HAN, BLANK, A, space=0.3)).read([crop(64)], [64])
    assert reading.text == "中a"


def test_readings_come_in_the_order_of_the_crops() -> None:
    widths = [40, 3, 100, 7, 40, 12]
    readings = recogniser(Scripted()).read([crop(width) for width in widths], widths)
    assert [len(reading.text) for reading in readings] == widths


def test_only_crops_of_one_rounded_width_share_a_batch() -> None:
    session = Scripted()
    recogniser(session).read([crop(130), crop(140), crop(150)], [130, 140, 150])
    assert session.shapes == [(1, 3, LINE_HEIGHT, 10 * WIDTH_STEP), (2, 3, LINE_HEIGHT, 9 * WIDTH_STEP)]


def test_short_crops_are_given_room_behind_them() -> None:
    session = Scripted()
    recogniser(session).read([crop(20), crop(MIN_WIDTH)], [20, MIN_WIDTH])
    assert session.shapes == [(2, 3, LINE_HEIGHT, MIN_WIDTH)]


def test_no_crops_need_no_run() -> None:
    session = Scripted(A)
    assert recogniser(session).read([], []) == []
    assert session.shapes == []


def test_what_is_right_of_a_crop_is_the_grey_of_training() -> None:
    (reading,) = recogniser(Scripted()).read([crop(5)], [5])
    assert len(reading.text) == 5


def test_natural_width_keeps_the_proportions() -> None:
    assert natural_width(crop(width=100, height=24)) == 200
    assert natural_width(crop(width=1, height=400)) == 1
