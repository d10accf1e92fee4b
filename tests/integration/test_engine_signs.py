"""Signs that the recogniser has no classes for, on a whole page."""

from pathlib import Path

from ocr_engine.engine import Engine

PICTURES = Path(__file__).parent.parent / "pictures" / "signs"


def test_angled_quotations_and_turned_exclamation_marks_are_told(engine: Engine) -> None:
    read = engine.recognise((PICTURES / "quotes.png").read_bytes())
    assert [line.text for page in read.pages for line in page.lines] == [
        "Il a dit : ‹ non › et « oui » à la fois.",
        "¡Hola! ¿Qué tal? ¡Adiós!",
    ]


def test_fractions_are_told(engine: Engine) -> None:
    read = engine.recognise((PICTURES / "fractions.png").read_bytes())
    assert read.text.splitlines() == ["Add 1¼ cups flour, ½ tsp salt", "⅔ cup milk, ¾ l cream and ⅛ nut"]
