"""Yods that were read as apostrophes, all over a page in Hebrew."""

import pytest

from ocr_engine.recognition.ctc import Reading
from ocr_engine.scripts.letters.yod import put_right


def texts(*lines: str) -> list[str]:
    return [reading.text for reading in put_right([Reading(line, 0.9) for line in lines])]


def test_apostrophes_that_close_nothing_are_yods_where_there_are_many() -> None:
    assert texts("זכא' לה'ות", "ה''תה ה'סוד, 'ראש' של ג'ינס") == ["זכאי להיות", "הייתה היסוד, 'ראש' של ג'ינס"]


@pytest.mark.parametrize(
    "lines",
    [
        ("לחץ על 'ביטול' או על 'אישור'", "בחר את ה'תחתונים' או את ה'עליונים'", "'ערך' ו'צרופות'"),
        ("עמ' 12, מס' 4", "כל בני האדם נולדו בני חורין ושווים בערכם"),
        ("צ'ק, ג'ירפה, ז'קט ואנקורג'", "קולג', ריץ' ובז'"),
    ],
    ids=["quotations", "abbreviations", "letters of foreign words"],
)
def test_usual_apostrophes_stay(lines: tuple[str, ...]) -> None:
    assert texts(*lines) == [*lines]
