"""How well what was read fits a language, by the letters of some kilobytes of its prose (`weights/SOURCES.md`).

Readers are as sure of a related language as of their own; its letters tell.
"""

from functools import cache
from pathlib import Path

from ocr_engine.recognition.letters.files import SUFFIX
from ocr_engine.recognition.letters.model import LetterModel
from ocr_engine.recognition.letters.ngrams import folded
from ocr_engine.scripts.languages import Language

FOLDER = Path(__file__).parent / "weights"
UNKNOWN_BITS = 4.5
"""A letter, of a language without a model, which Sindhi is: on drawn pages the right one has 1.4 to 4.4, wrong ones of
its script 4 to 6."""

_ALIKE = {
    "ا": "أإآ",
    "ب": "پ",
    "ت": "ٹټ",
    "ج": "چ",
    "د": "ڈډ",
    "ر": "ڑړږ",
    "ز": "ژ",
    "س": "ښ",
    "ك": "کگګڭ",
    "ن": "ںڼ",
    "ه": "ہھۀةۂۃە",
    "و": "ۇۆۈۋؤ",
    "ي": "یىۍېےئۓ",
}
_VOWELS = dict.fromkeys(range(0x64B, 0x660))
_SKELETON = {ord(each): letter for letter, others in _ALIKE.items() for each in others} | _VOWELS


def skeleton(text: str) -> str:
    """The text as a reader of Arabic, which lacks the letters of other languages, and one of its own both read it."""
    return text.translate(_SKELETON)


def bits(text: str, language: Language) -> float:
    """A letter, on the average: how strange a text is to a language, as far as it is in its script."""
    model = _model(language.tag)
    text = skeleton(text)
    own = " ".join("".join(each if language.script.holds(each) else " " for each in text).split())
    if model is None or not own:
        return UNKNOWN_BITS
    return float(model.text_bits(folded(f" {own} ", language.tag))[1:].mean())


def is_modelled(language: Language) -> bool:
    """Whether there is a model of it."""
    return _model(language.tag) is not None


@cache
def _model(tag: str) -> LetterModel | None:
    file = FOLDER / f"{tag}{SUFFIX}"
    return LetterModel(tag, file) if file.exists() else None
