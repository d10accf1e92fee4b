"""What is in a script that the models lack is told by what they read there: few letters, or improbable ones."""

import numpy as np
import pytest

from ocr_engine.boxes import Quads
from ocr_engine.recognition.ctc import Reading
from ocr_engine.recognition.letters.correction import Letters
from ocr_engine.recognition.script import MAX_CONFIDENCE, Judgement, Support, as_believed, judge

RATIO = 20
"""Length by height of the lines."""


def boxes(count: int, ratio: float = RATIO) -> Quads:
    corners = [[(0, 30 * i), (20 * ratio, 30 * i), (20 * ratio, 30 * i + 20), (0, 30 * i + 20)] for i in range(count)]
    return np.array(corners, np.float32).reshape(-1, 4, 2)


def page(count: int, letters: float, probability: float) -> Support:
    """What is said of a page of so many lines, so many letters read by heights of a line."""
    return judge(boxes(count), [Reading("x" * round(letters * RATIO), probability)] * count).page


@pytest.mark.parametrize(
    ("letters", "probability"),
    [(0.1, 0.86), (0.05, 0.4), (0.0, 0.0), (1.0, 0.85), (1.9, 0.6), (1.4, 0.75)],
    ids=["Russian", "Korean", "Arabic", "Greek", "Thai", "Hebrew"],
)
def test_a_page_of_few_or_improbable_letters_is_unread(letters: float, probability: float) -> None:
    assert page(6, letters, probability) == "unread"


@pytest.mark.parametrize(
    ("letters", "probability"), [(2.2, 0.99), (1.7, 0.97), (1.2, 1.0), (2.9, 0.94)], ids=["en", "caps", "ja", "worn"]
)
def test_a_page_of_probable_letters_is_read(letters: float, probability: float) -> None:
    assert page(6, letters, probability) == "read"


def test_a_lone_sign_is_not_believed_on_an_unread_page() -> None:
    russian, letter, price = Reading(", , ,", 0.85), Reading("O", 0.99), Reading("12.50", 0.99)
    quads = np.concatenate((boxes(5), boxes(2, 1)))
    assert judge(quads, [russian] * 5 + [letter, price]).lines[5:] == ("unread", "read")


def test_prose_that_is_hard_to_read_is_read() -> None:
    """Dot print, for one."""
    hard = [Reading("DOGODIO SE FROHLEM FRI FORRETAMUJU OVOG SOFTVERA", 0.8)] * 6
    assert judge(boxes(6), hard).page == "unread"
    judgement = judge(boxes(6), hard, Letters().is_prose)
    assert judgement == Judgement("read", ("read",) * 6)


def test_what_is_read_of_another_script_is_no_prose() -> None:
    """Thai on its head, Hebrew and Cyrillic, as drawn pages were read; and too little of anything."""
    thai = "NICSHCNACSUINBIAULMSCLLUMHLU LELIUNLMNUCSULUIU UNLISNUCIISNSMLN UISUUNIUIILUS CLLUI"
    hebrew = "NUL a LUXU AL COU, UAAIL XU LGAILU UINU GLIL COGU GGU ILILNGU GUILCI CUIG UUXALO"
    russian = "C Bu ∂icho ame noei∂oneHHa? He∂ocmamHbo npab ∂na 3anucy ∂o kamanoey noumu"
    assert not any(map(Letters().is_prose, (thai, hebrew, russian, "a few words", "")))


@pytest.mark.parametrize("count", [2, 3])
def test_of_two_or_three_lines_both_numbers_must_speak(count: int) -> None:
    """Those of a photograph are improbable, too."""
    assert page(count, 2.0, 0.8) == "read"
    assert page(count, 0.1, 0.96) == "read"
    assert page(count, 0.1, 0.8) == "unread"


def test_one_line_says_nothing_of_a_page_and_short_boxes_have_no_say() -> None:
    assert page(1, 0.1, 0.3) == "read"
    assert judge(boxes(20, 2), [Reading("", 0.0)] * 20).page == "read"
    assert judge(boxes(0), []).page == "read"


def test_on_an_unread_page_the_lines_that_are_read_are_told_apart() -> None:
    russian, english = Reading(", , ,", 0.85), Reading("y" * 40, 0.99)
    judgement = judge(boxes(6), [russian] * 5 + [english])
    assert judgement.page == "unread"
    assert judgement.lines == ("unread",) * 5 + ("read",)


def test_a_line_of_another_script_on_a_page_that_is_read_is_told() -> None:
    judgement = judge(boxes(6), [Reading("y" * 40, 0.99)] * 5 + [Reading(", , ,", 0.85)])
    assert judgement.page == "read"
    assert judgement.lines == ("read",) * 5 + ("unread",)


def test_vietnamese_is_told_by_its_letters_however_sure_they_are() -> None:
    text = "Tt c mi ngưi sinh ra đu đưc t do và bình đng v nhân phm và quyn"
    vietnamese = [Reading(text, 0.99)] * 4
    assert judge(boxes(4), vietnamese).page == "letters_missing"
    # a name in a text of another language
    assert (
        judge(boxes(40), [Reading("y" * 60, 0.99)] * 38 + [Reading("Nguyen Van Hương of Sơn", 0.99)] * 2).page == "read"
    )


@pytest.mark.parametrize("support", MAX_CONFIDENCE)
def test_what_is_not_held_is_not_believed(support: Support) -> None:
    sure = Reading("ab", 0.95, places=(0.3, 0.6), certainty=(0.99, 0.91))
    believed = as_believed(sure, support)
    most = MAX_CONFIDENCE[support]
    assert believed.text == "ab"
    assert believed.confidence == min(0.95, most)
    assert believed.certainty == tuple(min(most, each) for each in sure.certainty)


def test_a_receipt_of_which_only_figures_are_read_is_unread() -> None:
    """In Russian: `Молоко 4 x 405.62` gives `4 x 405.62`, as surely as anything."""
    lines = [Reading("4 x 405.62", 0.97), Reading("1622.48", 1.0)] * 4
    judgement = judge(boxes(8, 6), lines, passed_over=[0.45, 0.0] * 4)
    assert judgement.page == "unread"
    assert judgement.lines == ("unread", "read") * 4
    assert judge(boxes(8, 6), lines).page == "read"


def test_lines_passed_over_on_a_page_of_words_that_are_read_are_told_by_themselves() -> None:
    lines = [Reading("Please pay within thirty days.", 0.99)] * 3 + [Reading(" 45  12 , .", 0.97)]
    judgement = judge(boxes(4), lines, passed_over=[0.0, 0.0, 0.0, 0.6])
    assert judgement == Judgement("read", ("read",) * 3 + ("unread",))
    # a logo beside a line
    assert judge(boxes(4), lines, passed_over=[0.0, 0.2, 0.0, 0.0]) == Judgement("read", ("read",) * 4)


def test_words_of_greek_letters_are_unread_however_sure_and_few_they_are() -> None:
    judgement = judge(boxes(2), [Reading("Παρακαλ πληρστε τον", 0.93), Reading("λογαριασμ. 125", 0.94)])
    assert (judgement.page, judgement.code) == ("unread", "Grek")
    half = judge(boxes(2), [Reading("Kαφ 8 x 284.64", 0.97), Reading("Λáι 9 x 468.75 Tσ, Γλα", 0.97)])
    assert (half.page, half.open, half.code) == ("read", True, "Grek")


def test_letters_of_greek_in_formulas_are_read() -> None:
    formulas = [Reading("α + β = γ, λ = 2π/k", 0.95), Reading("Δx = ∫ φ(t) dt, σ² = Σ (x − μ)²/n", 0.95)]
    assert judge(boxes(2), formulas) == Judgement("read", ("read", "read"))
