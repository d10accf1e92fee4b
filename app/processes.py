"""The OCR processes of a node, by its settings, which are held against what there is to read with."""

from collections.abc import Callable

from app.cluster.no_workers import NoWorkers
from app.cluster.node_kind import kind_of
from app.telemetry.observers import Observers
from config.settings import Settings, SettingsError
from ocr_engine.options import EngineOptions
from ocr_engine.recognition.letters.languages import UnknownLanguage, told
from ocr_engine.scripts.languages import named, without_others
from ocr_engine.scripts.packs.manifest import WrongPacks, packs_in
from ocr_engine.workers.limits import WorkerLimits
from ocr_engine.workers.pool import ManagedPool, PoolEvent
from ocr_engine.workers.process_pool import ProcessOcrPool
from samples import sample


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


def process_pool(settings: Settings, options: EngineOptions, observers: Observers) -> ManagedPool:
    """MAX_WORKERS real OCR processes; none on a node that does not read."""
    if not kind_of(settings).reads:
        return NoWorkers(lambda: processes(settings, options, 1, observers.pool_changed, reads=False))
    return processes(settings, options, settings.max_workers, observers.pool_changed)


def processes(
    settings: Settings,
    options: EngineOptions,
    workers: int,
    on_event: Callable[[PoolEvent], None],
    *,
    reads: bool = True,
) -> ProcessOcrPool:
    """So many OCR processes, within what the settings allow each. `reads`: False of such as only draw and write."""
    return ProcessOcrPool(
        options,
        workers=workers,
        warm_up=sample("health").data if reads else b"",
        name="worker" if reads else "drawing",
        job_timeout=settings.job_timeout_seconds,
        start_timeout=settings.start_timeout_seconds,
        limits=WorkerLimits(
            max_jobs=settings.worker_max_jobs,
            max_memory=settings.worker_max_memory_bytes,
            address_space=settings.worker_address_space_bytes,
        ),
        on_event=on_event,
    )
