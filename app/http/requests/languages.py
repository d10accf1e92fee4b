"""Which languages a client may tell with a file: those that `/capabilities` lists."""

from config.settings import Settings
from ocr_engine.recognition.letters.languages import UnknownLanguage, known, told
from ocr_engine.scripts.languages import named, without_others
from ocr_engine.scripts.readable import readable_languages


def languages_told(text: str, settings: Settings) -> tuple[str, ...]:
    """The languages that BCP 47 tags with commas between name. Raises UnknownLanguage for what is not read here."""
    tags, model = text.split(",") if text else [], settings.ocr_model
    others = [language.tag for language in named(tags, model)]
    readable = readable_languages(settings.ocr_tesseract_data, settings.ocr_model_packs, model) if others else {}
    lacking = [tag for tag in others if tag not in readable]
    if lacking:
        offered = ", ".join([*known(model), *readable])
        raise UnknownLanguage(f"{lacking[0]!r} is none of the languages that are read: {offered}")
    return (*told(without_others(tags, model), model), *others)
