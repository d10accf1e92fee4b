"""How the OCR processes recognise, by the settings, which are held against what there is to read with."""

from config.settings import Settings, SettingsError
from ocr_engine.options import EngineOptions
from ocr_engine.recognition.letters.languages import UnknownLanguage, told
from ocr_engine.scripts.languages import named, without_others
from ocr_engine.scripts.packs.manifest import WrongPacks, packs_in


def engine_options(settings: Settings) -> EngineOptions:
    """How the OCR processes recognise under these settings.

    Raises SettingsError for a language that is not read, and for model packs that cannot be used.
    """
    model, faults = settings.ocr_model, list[str]()
    try:
        packs_in(settings.ocr_model_packs)
    except WrongPacks as error:
        faults += [f"OCR_MODEL_PACKS={settings.ocr_model_packs!r}: {fault}" for fault in error.faults]
    languages: tuple[str, ...] = ()
    try:
        tags = [tag for tag in settings.ocr_languages.split(",") if tag.strip()]
        languages = told(without_others(tags, model), model) + tuple(each.tag for each in named(tags, model))
    except UnknownLanguage as error:
        faults.append(f"OCR_LANGUAGES={settings.ocr_languages!r}: {error}")
    if faults:
        raise SettingsError(faults)
    return EngineOptions(
        model=model,
        detection_model=settings.ocr_detection_model,
        recognition_model=settings.ocr_recognition_model,
        angle_model=settings.ocr_angle_model,
        characters=settings.ocr_characters,
        cache_dir=settings.ocr_cache_dir,
        backend=settings.ocr_backend,
        int8=settings.ocr_int8,
        reading_order=settings.ocr_reading_order,
        languages=languages,
        tesseract_data=settings.ocr_tesseract_data,
        model_packs=settings.ocr_model_packs,
        min_confidence=settings.ocr_min_confidence,
        max_pixels=settings.max_image_pixels,
        max_pages=settings.max_image_pages,
    )
