"""Texts with a law of their own are put right by it, and all others are left alone."""

import random
import string
from collections.abc import Sequence

import numpy as np
import pytest

from ocr_engine.recognition.ctc import Reading
from ocr_engine.recognition.fields import fields, fractions, iban, mrz, numbers, prices
from tests.readings import evenly

# the specimens of ICAO Doc 9303, parts 4, 5 and 6
TD3 = "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L898902C36UTO7408122F1204159ZE184226B<<<<<10"
TD2 = "I<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<", "D231458907UTO7408122F1204159<<<<<<<6"
TD1 = "I<UTOD231458907<<<<<<<<<<<<<<<", "7408122F1204159UTO<<<<<<<<<<<6", "ERIKSSON<<ANNA<MARIA<<<<<<<<<<"
MISREAD = {"O": "0", "0": "O", "I": "1"}
"""What a recogniser takes for what, in all but one of 60 lines that it read wrong."""


def repaired(*lines: str) -> list[str]:
    found = mrz.put_right(lines)
    return [found.get(i, line) for i, line in enumerate(lines)]


@pytest.mark.parametrize("zone", [TD3, TD2, TD1], ids=["TD3", "TD2", "TD1"])
def test_a_zone_with_digits_for_letters_and_letters_for_digits_is_put_right(zone: tuple[str, ...]) -> None:
    assert repaired(*zone) == [*zone]
    lot = random.Random(5)
    for _ in range(60):
        misread = []
        for line in zone:
            place = lot.choice([i for i, sign in enumerate(line) if sign in MISREAD])
            misread.append(line[:place] + MISREAD[line[place]] + line[place + 1 :])
        assert repaired("Date of issue 12.03.2019", *misread) == ["Date of issue 12.03.2019", *zone]


def test_fillers_that_were_lost_read_twice_or_read_as_other_signs_come_back() -> None:
    names, numbers_ = TD3
    assert repaired(names.replace("<<", "«", 1).lower(), numbers_) == [*TD3]
    assert repaired(names[:-2], numbers_.replace("<<<<<", "<<<<")) == [*TD3]
    assert repaired(names + "<<", numbers_.replace("<<<<<", " <<< <<<")) == [*TD3]


def test_letters_of_other_alphabets_that_look_alike_are_those_of_a_zone() -> None:
    names, numbers_ = TD3
    assert repaired(names.replace("P<", "Ρ<").replace("IK", "ⅠΚ"), numbers_.replace("UTO", "UΤΟ")) == [*TD3]


def test_lines_of_a_zone_s_length_without_right_check_digits_are_left_alone() -> None:
    lot = random.Random(3)
    for _ in range(300):
        length = lot.choice((30, 36, 44))
        lines = ["".join(lot.choices(string.ascii_uppercase + string.digits + "O0<", k=length)) for _ in range(3)]
        assert repaired(*lines) == lines
    code = ["if (a<b) { return l0 << 2; }", "IOIOIOIOIOIOIOIOIOIOIOIOIOIOIO", "<" * 44, "<" * 30]
    assert repaired(*code) == code


def test_check_digits_are_those_of_the_standard() -> None:
    assert mrz.check_digit("520727") == "3"
    assert mrz.check_digit("AB2134<") == "5"
    assert iban.check_digits("DE", "370400440532013000") == "89"


@pytest.mark.parametrize(
    ("read", "right"),
    [
        ("IBAN: DE89 37O4 0044 0532 013O 00 BIC", "IBAN: DE89 3704 0044 0532 0130 00 BIC"),
        ("6B82 WE5T I234 5698 7654 32", "GB82 WEST 1234 5698 7654 32"),
        ("FR1420041O1005050OO13M02606", "FR1420041010050500013M02606"),
        ("Konto NL9IABNA04l7164300", "Konto NL9IABNA04l7164300"),  # a small letter: none of an account number
        ("DE89 3704 0044 0532 0130 01", "DE89 3704 0044 0532 0130 01"),  # wrong, and no look-alike mends it
        ("DESK S5O1 B0OK IS OOPS", "DESK S5O1 B0OK IS OOPS"),
    ],
)
def test_account_numbers_are_put_right_by_their_check_digits(read: str, right: str) -> None:
    assert iban.put_right(read) == right


def test_a_right_account_number_of_any_country_stays() -> None:
    lot = random.Random(8)
    for country, length in iban.LENGTHS.items():
        account = ""
        form = iban.WITH_LETTERS.get(country, f"{length - 4}n")
        for count, kind in iban.parts(form):
            account += "".join(lot.choices(string.digits if kind == "n" else string.ascii_uppercase, k=count))
        assert len(account) == length - 4, country
        number = f"{country}{iban.check_digits(country, account)}{account}"
        assert iban.put_right(number) == number
        if kind == "n":
            assert iban.put_right(number[:-1] + number[-1].replace("0", "O")) == number


@pytest.mark.parametrize(
    ("read", "right"),
    [
        ("∅ 8 mm, 2 Ib of Ib.", "Ø 8 mm, 2 lb of Ib."),
        ("am 1O.O3.2019 um l2:45", "am 10.03.2019 um 12:45"),
        ("2O19-03-1I", "2019-03-11"),
        ("EUR 1.2O0,5O", "EUR 1.200,50"),
        ("2 x 12.5O", "2 x 12.50"),
        ("CARLSBERG CAN 32OML", "CARLSBERG CAN 320ML"),
        ("TOTAL INCL. GST06%", "TOTAL INCL. GST@6%"),
        ("MWST 0 7%, VAT 010%, Tax @1O%", "MWST @ 7%, VAT @10%, Tax @10%"),
        ("rate 06%, GST 6%, VAT 0.5%", "rate 06%, GST 6%, VAT 0.5%"),
        ("2003 CL0SED", "2003 CL0SED"),  # by itself it may be a code
        ("Salt 1OOg, 1SCM, 5OPcs", "Salt 100g, 15CM, 50Pcs"),
        ("RMS.60 and RM1S.00", "RM5.60 and RM15.00"),
        ("CO2, OML, 2OZ, SCM, RMS 3.2", "CO2, OML, 2OZ, SCM, RMS 3.2"),
        ("lO.OO", "lO.OO"),  # more letters than digits
        ("192.168.1O.1", "192.168.1O.1"),
        ("I.O. and v1.lO.2", "I.O. and v1.lO.2"),
        ("SELECT l.id, l.o1 FROM t0 AS l", "SELECT l.id, l.o1 FROM t0 AS l"),
        ("S/N O0I1-5S2Z-B8", "S/N O0I1-5S2Z-B8"),
    ],
)
def test_dates_times_and_amounts_hold_no_letters_and_all_else_is_left_alone(read: str, right: str) -> None:
    assert numbers.put_right(read) == right


@pytest.mark.parametrize(
    ("read", "right"),
    [
        ("2003 CL0SED, GR0SS", "2003 CLOSED, GROSS"),
        ("REF: KEN0BAR, KE0QWTE, AB0C, K10NETO, id0ABCD", "REF: KEN0BAR, KE0QWTE, AB0C, K10NETO, id0ABCD"),
    ],
)
def test_an_uncertain_nought_in_a_word_of_capitals_is_its_letter(read: str, right: str) -> None:
    assert numbers.with_words(read, [0.9] * len(read)) == right
    assert numbers.with_words(read, [0.999] * len(read)) == read


@pytest.mark.parametrize(
    ("read", "right"),
    [
        ("add ½4 cup", "add ¼ cup"),
        ("½2 inch, ½4", "½ inch, ¼"),
        ("3½ inch", "3½ inch"),
        ("½45", "½45"),
        ("none", "none"),
    ],
)
def test_a_fraction_whose_lower_half_was_read_twice_is_the_one_that_it_says(read: str, right: str) -> None:
    found = fractions.put_right(Reading(read, 0.9, tuple(np.linspace(0, 1, len(read)).tolist()), (0.9,) * len(read)))
    assert found.text == right
    assert len(found.places) == len(found.certainty) == len(right)


def test_a_half_that_may_be_a_quarter_is_hardly_trusted_and_a_sure_one_is() -> None:
    certainty = (0.99, 0.99, 0.999, 0.99)
    found = fractions.put_right(Reading("½ ½x", 0.98, (0.1, 0.3, 0.5, 0.7), certainty))
    assert found.certainty == (fractions.DOUBTED, 0.99, 0.999, 0.99)


def priced(*lines: tuple[str, int]) -> list[str]:
    """What becomes of lines, each with the pixel where it ends, on a page that has three prices, which end at 500."""
    rows = [("Milk 1.20", 500), ("13.40 S", 500), ("7.00", 498), *lines]
    boxes = [(end - 20 * len(text), 40 * i, end, 40 * i + 30) for i, (text, end) in enumerate(rows)]
    corners = [[(left, top), (right, top), (right, low), (left, low)] for left, top, right, low in boxes]
    readings = [evenly(text, 0.9) for text, _ in rows]
    return [reading.text for reading in prices.put_right(np.array(corners, np.float32), readings)][3:]


def test_a_price_whose_point_was_lost_has_one_where_the_others_of_its_column_have() -> None:
    assert priced(("6 50", 502), ("-12 05", 495), ("3 X 885 60", 200), ("RM 5 05", 200), ("$4 10", 200)) == [
        "6.50",
        "-12.05",
        "3 X 885.60",
        "RM 5.05",
        "$4.10",
    ]
    others = [("6 50", 300), ("6 500", 500), ("03 8070 91", 500), ("Tel 6 50", 500), ("650", 500), ("A 12 50", 500)]
    assert priced(*others) == [text for text, _ in others]


def test_a_price_that_ends_in_half_of_a_nought_has_a_whole_one_unless_the_letter_is_sure() -> None:
    assert priced(("15.0C", 300), ("at 15.0C", 300), ("2.1C", 300)) == ["15.00", "at 15.0C", "2.10"]
    quads = np.zeros((4, 4, 2), np.float32)
    sure = [*(evenly(text) for text in ("1.00", "2.00", "3.00")), evenly("15.0C", 0.9, certainty=0.99)]
    assert prices.put_right(quads, sure) == sure


def column(*texts: str, ends: Sequence[int] = (500,)) -> list[str]:
    """What becomes of numbers of which the first ends at the first of some pixels, and the others at the last."""
    right = [ends[0], *[ends[-1]] * (len(texts) - 1)]
    boxes = [(end - 80, 40 * i, end, 40 * i + 30) for i, end in enumerate(right)]
    corners = [[(left, top), (end, top), (end, low), (left, low)] for left, top, end, low in boxes]
    told = prices.put_right(np.array(corners, np.float32), [evenly(text, 0.9) for text in texts])
    return [reading.text for reading in told]


def test_a_column_that_has_lost_most_points_has_those_of_the_price_that_kept_its_own() -> None:
    worn = ["159.92", "91 14", "122 51", "26 18", "15 66", "RM 3 05", "43 54"]
    assert column(*worn) == [text.replace(" ", ".") if text[0] != "R" else "RM 3.05" for text in worn]
    assert column(*worn, ends=(200, 500)) == worn
    assert column(*worn[:5], "RM 3 05") == [*worn[:5], "RM 3 05"]


def test_a_page_of_few_prices_says_nothing_of_others() -> None:
    quads = np.array([[(0, top), (80, top), (80, top + 30), (0, top + 30)] for top in (0, 40, 80)], np.float32)
    readings = [evenly(text, 0.9) for text in ("6.50", "12 05", "15.0C")]
    assert prices.put_right(quads, readings) == readings


def test_a_page_s_lines_keep_their_order_and_a_place_for_each_character() -> None:
    texts = ["PASSPORT", TD3[1].replace("<<<<<", "<<<<"), TD3[0].replace("O", "0"), "12.5O"]
    tops = [10, 300, 200, 400]
    quads = np.array([[(0, top), (900, top), (900, top + 30), (0, top + 30)] for top in tops], np.float32)
    readings = [evenly(text, 0.9) for text in texts]
    found = fields.put_right(quads, readings)
    assert [reading.text for reading in found] == ["PASSPORT", TD3[1], TD3[0], "12.50"]
    for reading in found:
        assert len(reading.places) == len(reading.certainty) == len(reading.text)
        assert list(reading.places) == sorted(reading.places)
    assert fields.put_right(quads[:0], []) == []
