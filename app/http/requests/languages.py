"""Which languages a client may tell with a file: those that `/capabilities` lists."""

from config.settings import Settings
from ocr_engine.recognition.letters.languages import UnknownLanguage, known, told
from ocr_engine.scripts.data import readable_languages
from ocr_engine.scripts.languages import named, without_others


def languages_told(text: str, settings: Settings) -> tuple[str, ...]:
    """The languages that BCP 47 tags with commas between name. Raises UnknownLanguage for what is not read here."""
    tags = text.split(",") if text else []
    others = [language.tag for language in named(tags)]
    readable = readable_languages(settings.ocr_tesseract_data) if others else ()
    lacking = [tag for tag in others if tag not in readable]
    if lacking:
        offered = ", ".join([*known(settings.ocr_model), *readable])
        raise UnknownLanguage(f"{lacking[0]!r} is none of the languages that are read: {offered}")
    return (*told(without_others(tags), settings.ocr_model), *others)
