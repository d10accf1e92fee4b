"""Which languages can be told, and the letters that each of them writes."""

from collections.abc import Iterable, Sequence

from ocr_engine.errors import EngineError

ALPHABETS = {
    "af": "áèéêëîïóôöúû",
    "az": "çəğıöşü",
    "bs": "čćđšž",
    "ca": "àçèéíïñòóúü·",
    "cs": "áčďéěíňóřšťúůýž",
    "cy": "àáâäèéêëìíîïòóôöùúûüẁẃŵẅỳýŷÿ",
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


class UnknownLanguage(EngineError):
    """A language was told that is not read, or whose name is no BCP 47 tag."""


def told(tags: Iterable[str]) -> tuple[str, ...]:
    """The languages that BCP 47 tags name, each once; regions and scripts do not matter.

    Raises UnknownLanguage for what is not read.
    """
    found: dict[str, None] = {}
    for tag in tags:
        name = tag.strip().replace("_", "-").split("-")[0].lower()
        language = SAME.get(name, name)
        if language not in ALPHABETS and language not in WITHOUT_ALPHABET:
            raise UnknownLanguage(f"{tag!r} is none of the languages that are read: {', '.join(known())}")
        found[language] = None
    return tuple(found)


def known() -> list[str]:
    """All languages that may be told, in alphabetical order."""
    return sorted({*ALPHABETS, *WITHOUT_ALPHABET, *SAME})


def alphabet(languages: Sequence[str]) -> frozenset[str] | None:
    """The letters, large and small, of several languages together; None where one of them has no list of them."""
    if not languages or not WITHOUT_ALPHABET.isdisjoint(languages):
        return None
    small = "abcdefghijklmnopqrstuvwxyz" + "".join(ALPHABETS[language] for language in languages)
    return frozenset(small) | frozenset(small.upper()) | frozenset("İ" if "ı" in small else "")
