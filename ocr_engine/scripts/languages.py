"""The languages that Tesseract and model packs read for us, by script: what the models themselves hold is not asked."""

from collections.abc import Iterable

from msgspec import Struct

from ocr_engine.options import ModelFamily
from ocr_engine.recognition.letters.languages import READ

Ranges = tuple[tuple[str, str], ...]


class Script(Struct, frozen=True, kw_only=True):
    """A script, and what a reader of its lines has to know of it."""

    code: str
    """ISO 15924."""
    letters: Ranges
    """First and last character of the blocks that no other script uses."""
    margin: float = 0.0
    """Share of a line's height by which its box is read higher at each side. On 5 drawn pages of each language .07
    raises word F1 of Arabic from .915 to .927 and of Persian from .911 to .922; of all others it does harm to some."""
    border: int = 10
    """Pixels of paper around the line, as Tesseract is given it: Greek .958 without, .990 with them, Hebrew .916 and
    .920, Thai best with 5; with a margin they do harm."""
    right_to_left: bool = False
    stacked: bool = False
    """Vowels and tone marks stand over and under the letters, and detection may take them for lines of their own."""

    unspaced: bool = False
    """It sets no spaces between words."""
    chance: float = 0.0
    """Of the confidence, 0 to 1, what lines of other scripts get as well: Thai, which is judged letter by letter, reads
    them at up to .79, and its own from .91 on."""

    def holds(self, character: str) -> bool:
        """Whether the character is a letter of it."""
        return any(first <= character <= last for first, last in self.letters)


class Language(Struct, frozen=True):
    """A language that is read."""

    tag: str
    """BCP 47."""
    data: str
    """Name of its data in Tesseract; Debian's package is called tesseract-ocr- and this, `-` for `_`."""
    script: Script
    signs: str = ""
    """Letters that the first language of its script does not write, and its readers lack."""


_VIETNAMESE_LETTERS = (("ơ", "ơ"), ("ư", "ư"), ("Ơ", "Ơ"), ("Ư", "Ư"), ("đ", "đ"), ("Đ", "Đ"), ("ạ", "ỹ"))
_ARABIC = Script(
    code="Arab", letters=(("\u0600", "\u06ff"), ("\u0750", "\u077f")), margin=0.07, border=0, right_to_left=True
)
_CYRILLIC = Script(code="Cyrl", letters=(("\u0400", "\u052f"),))
_DEVANAGARI = Script(code="Deva", letters=(("\u0900", "\u097f"),), stacked=True)
_ETHIOPIC = Script(code="Ethi", letters=(("\u1200", "\u139f"),))
_GREEK = Script(code="Grek", letters=(("\u0370", "\u03ff"), ("\u1f00", "\u1fff")))
_JAPANESE = Script(code="Jpan", letters=(("\u3040", "\u30ff"), ("\u4e00", "\u9fff")), unspaced=True)
_HEBREW = Script(code="Hebr", letters=(("\u0590", "\u05ff"),), right_to_left=True)
VIETNAMESE = Script(code="Latn", letters=_VIETNAMESE_LETTERS)
"""Latin with letters and tone marks that the models lack; told by what is read, see `recognition.script`."""


def _stacked(code: str, first: str, last: str) -> Script:
    return Script(code=code, letters=((first, last),), stacked=True)


def _unspaced(code: str, first: str, last: str) -> Script:
    letters = ((first, last),)
    return Script(code=code, letters=letters, border=5, stacked=True, unspaced=True, chance=0.65)


LANGUAGES = (
    # of each script the one first that tells best whether a page is in it
    Language("ru", "rus", _CYRILLIC),
    Language("uk", "ukr", _CYRILLIC, "іїєґ"),
    Language("bg", "bul", _CYRILLIC),
    Language("be", "bel", _CYRILLIC, "іў"),
    Language("sr", "srp", _CYRILLIC, "ђјљњћџ"),
    Language("mk", "mkd", _CYRILLIC, "ѓѕјљњќџ"),
    Language("kk", "kaz", _CYRILLIC, "әғқңөұүһі"),
    # Debian's data of Tatar is of its Latin letters; that of Kyrgyz reads its Cyrillic ones, җ among them
    Language("tt", "kir", _CYRILLIC, "әҗңөүһ"),
    Language("ky", "kir", _CYRILLIC, "ңөү"),
    Language("mn", "mon", _CYRILLIC, "өү"),
    Language("tg", "tgk", _CYRILLIC, "ғӣқӯҳҷ"),
    Language("el", "ell", _GREEK),
    Language("ar", "ara", _ARABIC),
    Language("fa", "fas", _ARABIC, "پچژگ"),
    Language("ur", "urd", _ARABIC, "ٹڈڑےہھں"),
    Language("ps", "pus", _ARABIC, "ټډړږښڼېۍ"),
    Language("ug", "uig", _ARABIC, "ۇۆۈېەڭ"),
    Language("sd", "snd", _ARABIC, "ڄڃڇٻڀٺٿڊڏڍڪڱڳ"),
    Language("he", "heb", _HEBREW),
    Language("yi", "yid", _HEBREW),
    Language("ko", "kor", Script(code="Hang", letters=(("\u1100", "\u11ff"), ("\uac00", "\ud7a3")))),
    Language("hi", "hin", _DEVANAGARI),
    Language("mr", "mar", _DEVANAGARI),
    Language("ne", "nep", _DEVANAGARI),
    Language("sa", "san", _DEVANAGARI),
    Language("th", "tha", _unspaced("Thai", "\u0e00", "\u0e7f")),
    Language("lo", "lao", _unspaced("Laoo", "\u0e80", "\u0eff")),
    Language("km", "khm", _unspaced("Khmr", "\u1780", "\u17ff")),
    Language("my", "mya", _unspaced("Mymr", "\u1000", "\u109f")),
    Language("bn", "ben", _stacked("Beng", "\u0980", "\u09ff")),
    Language("pa", "pan", _stacked("Guru", "\u0a00", "\u0a7f")),
    Language("gu", "guj", _stacked("Gujr", "\u0a80", "\u0aff")),
    Language("or", "ori", _stacked("Orya", "\u0b00", "\u0b7f")),
    Language("ta", "tam", _stacked("Taml", "\u0b80", "\u0bff")),
    Language("te", "tel", _stacked("Telu", "\u0c00", "\u0c7f")),
    Language("kn", "kan", _stacked("Knda", "\u0c80", "\u0cff")),
    Language("ml", "mal", _stacked("Mlym", "\u0d00", "\u0d7f")),
    Language("si", "sin", _stacked("Sinh", "\u0d80", "\u0dff")),
    Language("ka", "kat", Script(code="Geor", letters=(("\u10a0", "\u10ff"),))),
    Language("hy", "hye", Script(code="Armn", letters=(("\u0530", "\u058f"),))),
    Language("am", "amh", _ETHIOPIC),
    Language("ti", "tir", _ETHIOPIC),
    Language("vi", "vie", VIETNAMESE),
    Language("ja", "jpn", _JAPANESE),
)
"""Those that all models of a family hold are among them for the others."""


def others_of(model: ModelFamily) -> tuple[Language, ...]:
    """The languages that the models of a family do not read."""
    return tuple(language for language in LANGUAGES if language.tag not in READ[model])


def named(tags: Iterable[str], model: ModelFamily = "ppocr-v6") -> tuple[Language, ...]:
    """Those of these languages that are named by BCP 47 tags; regions and scripts do not matter."""
    wanted = {_primary(tag) for tag in tags}
    return tuple(language for language in others_of(model) if language.tag in wanted)


def without_others(tags: Iterable[str], model: ModelFamily = "ppocr-v6") -> tuple[str, ...]:
    """The tags that name none of them."""
    others = {language.tag for language in others_of(model)}
    return tuple(tag for tag in tags if _primary(tag) not in others)


def _primary(tag: str) -> str:
    return tag.strip().replace("_", "-").split("-")[0].lower()
