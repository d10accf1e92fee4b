"""An `x` that was taken for a multiplication sign is one again, and the sign stays where a page has it."""

from ocr_engine.recognition import times_sign
from ocr_engine.recognition.ctc import Doubt, Reading
from tests.readings import evenly


def signed(text: str, certainty: float, **letters: float) -> Reading:
    """A line whose signs are so certain, and what the model gives letters in the place of the first of them."""
    doubt = Doubt(text.index("×"), 1, (("×", certainty), *letters.items()))
    return evenly(text, 0.9, certainty=certainty, doubts=[doubt] if letters else [])


def texts(*readings: Reading) -> list[str]:
    return [reading.text for reading in times_sign.put_right(readings)]


def test_a_doubted_sign_is_the_letter_that_the_model_leaves_open() -> None:
    assert texts(signed("2 × 4.50", 0.8, X=0.15, x=0.02), signed("2 ×", 0.7, x=0.2)) == ["2 X 4.50", "2 x"]
    assert texts(signed("2 × 4.50", 0.8, x=0.05)) == ["2 × 4.50"]
    assert not times_sign.put_right([signed("2 × 4.50", 0.8, X=0.15)])[0].doubts


def test_one_that_stands_between_other_numbers_of_the_page_is_taken_without_a_hint() -> None:
    assert texts(evenly("3 X 2.20"), signed("2 × 4.50", 0.93)) == ["3 X 2.20", "2 X 4.50"]
    assert texts(evenly("0x1F"), signed("2 × 4.50", 0.93)) == ["0x1F", "2 × 4.50"]


def test_a_sure_sign_of_the_page_keeps_all() -> None:
    page = [signed("2 × 4.50", 0.8, X=0.15), signed("10 × 10", 0.99), evenly("3 X 2.20")]
    assert times_sign.put_right(page) == page


def test_doubts_of_other_places_stay() -> None:
    doubt = Doubt(0, 1, (("2", 0.6), ("Z", 0.4)))
    reading = evenly("2 × 4.50", 0.9, certainty=0.8, doubts=[doubt, Doubt(2, 1, (("×", 0.8), ("x", 0.2)))])
    (found,) = times_sign.put_right([reading])
    assert (found.text, found.doubts) == ("2 x 4.50", (doubt,))
