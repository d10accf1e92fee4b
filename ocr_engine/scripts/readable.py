"""Which languages of other scripts can be read here, and with what; opens nothing."""

from typing import Literal

from ocr_engine.options import ModelFamily
from ocr_engine.scripts.data import find_data
from ocr_engine.scripts.languages import others_of
from ocr_engine.scripts.packs.manifest import packs_in

OtherReader = Literal["pack", "tesseract"]


def readable_languages(tesseract_data: str, packs: str, model: ModelFamily) -> dict[str, OtherReader]:
    """By BCP 47 tag, in alphabetical order: what reads it. Raises EngineError as `find_data` and `packs_in` do."""
    data = find_data(tesseract_data)
    by_tesseract = {language.tag for language in (data.languages() if data else ())}
    by_pack = {language.tag for pack in packs_in(packs) for language in pack.languages}
    tags = sorted({language.tag for language in others_of(model)} & (by_tesseract | by_pack))
    return {tag: "pack" if tag in by_pack else "tesseract" for tag in tags}
