"""Which languages can be told, and the letters that each of them writes."""

from collections.abc import Iterable, Sequence

from ocr_engine.errors import EngineError
from ocr_engine.options import ModelFamily
from ocr_engine.recognition.letters.files import FOLDER, SUFFIX

SCRIPT_LETTERS = 4
"""Of the part of a BCP 47 tag that names a script: `Hant`."""

ALPHABETS = {
    "af": "áèéêëîïóôöúû",
    "az": "çəğıöşü",
    "bs": "čćđšž",
    "ca": "àçèéíïñòóúü·",
    "cs": "áčďéěíňóřšťúůýž",
    "cy": "àáâäèéêëìíîïòóôöùúûüŵýŷÿ",
    "da": "åæéøü",
    "de": "àäçèéêöüß",
    "en": "àâæçèéêëîïñôöœü",
    "eo": "ĉĝĥĵŝŭ",
    "es": "áéíñóúü",
    "et": "äõöšüž",
    "eu": "çñü",
    "fi": "äåéöšüž",
    "fo": "áæðíóøúý",
    "fr": "àâæçèéêëîïôùûüÿœ",
    "ga": "áéíóú",
    "gl": "áéíïñóúü",
    "hr": "čćđšž",
    "hu": "áéíóöőúüű",
    "id": "é",
    "is": "áæéíðóöúýþ",
    "it": "àèéìíîòóùú",
    "la": "āæēīōœūȳ",
    "lb": "äèéëöüß",
    "lt": "ąčęėįšųūž",
    "lv": "āčēģīķļņšūž",
    "ms": "é",
    "mt": "àċèġħìòùż",
    "nb": "åæèéêòóôøü",
    "nl": "áàâäçèéêëíïîóôöúûü",
    "nn": "åæèéêòóôøü",
    "pl": "ąćęłńóśźż",
    "pt": "áàâãçéêíóôõúü",
    "ro": "ăâîșțşţ",
    "sk": "áäčďéíĺľňóôŕšťúýž",
    "sl": "ćčđšž",
    "sq": "çë",
    "sv": "àåäéöü",
    "sw": "",
    "tr": "âçğıîöşûü",
    "uz": "",
}
"""Small letters beside a to z, by language (BCP 47), those of common loan words included: the main set of CLDR's
exemplar characters and what newspapers of the language print besides."""
WITHOUT_ALPHABET = frozenset({"ja", "zh"})
"""Languages that are read and may be told, to which a list of letters would say nothing."""
SAME = {"no": "nb"}
"""Other names for a language."""
READ: dict[ModelFamily, frozenset[str]] = {
    "ppocr-v6": frozenset({*ALPHABETS, *WITHOUT_ALPHABET, *SAME}),
    # it lacks kana, schwa, comma below and macron on y
    "ppocr-v6-tiny": frozenset({*ALPHABETS, "zh", *SAME}) - {"az", "la", "ro"},
    "ppocr-v4": frozenset({"en", "id", "ms", "sw", "zh"}),
}
"""Languages all of whose letters a model knows."""
SCRIPTS = frozenset({"latn", "hans", "hant", "jpan"})
"""Those that a tag may name, in small letters."""


class UnknownLanguage(EngineError):
    """A language was told that is not read, or whose name is no BCP 47 tag."""


def told(tags: Iterable[str], model: ModelFamily = "ppocr-v6") -> tuple[str, ...]:
    """The languages that BCP 47 tags name, each once; their regions do not matter.

    Raises UnknownLanguage for what the model does not read.
    """
    found: dict[str, None] = {}
    for tag in tags:
        name, *subtags = tag.strip().replace("_", "-").lower().split("-")
        scripts = {subtag for subtag in subtags if len(subtag) == SCRIPT_LETTERS and subtag.isalpha()}
        if name not in READ[model] or not scripts <= SCRIPTS:
            raise UnknownLanguage(f"{tag!r} is none of the languages that are read: {', '.join(known(model))}")
        found[SAME.get(name, name)] = None
    return tuple(found)


def known(model: ModelFamily = "ppocr-v6") -> list[str]:
    """All languages that may be told of what a model reads, in alphabetical order."""
    return sorted(READ[model])


def languages_with_letters() -> frozenset[str]:
    """Those whose letters decide where the recogniser doubts."""
    modelled = {file.stem for file in FOLDER.glob(f"*{SUFFIX}")}
    return frozenset(modelled | {name for name, language in SAME.items() if language in modelled})


def alphabet(languages: Sequence[str]) -> frozenset[str] | None:
    """The letters, large and small, of several languages together; None where one of them has no list of them."""
    if not languages or not WITHOUT_ALPHABET.isdisjoint(languages):
        return None
    small = "abcdefghijklmnopqrstuvwxyz" + "".join(ALPHABETS[language] for language in languages)
    return frozenset(small) | frozenset(small.upper()) | frozenset("İ" if "ı" in small else "")
