"""`/capabilities`: what this service takes, for clients that want to know before they upload."""

from collections.abc import Iterator
from typing import Any, Literal

from litestar import Request, Router, get
from litestar.di import NamedDependency
from litestar.openapi.spec import OpenAPIType
from msgspec import Struct

from app.http.checks import checked
from app.http.openapi import problems
from app.http.request_context import context_of
from app.http.requests.options.table import OPTIONS, PASSWORD, Option
from app.service import Service
from config.settings import Settings
from ocr_engine.formats import EVERY_FORMAT
from ocr_engine.image.kinds import FileKind, readable
from ocr_engine.options import TEXT_LAYERS, ModelFamily, TextLayer
from ocr_engine.recognition.letters.languages import known, languages_with_letters
from ocr_engine.scripts.readable import readable_languages


class FormatView(Struct, frozen=True, kw_only=True):
    """A format in which results can be had."""

    name: str
    media_type: str
    suffix: str
    about: str


class LimitsView(Struct, frozen=True, kw_only=True):
    """Beyond these an upload is refused."""

    max_image_bytes: int
    max_image_pixels: int
    max_image_pages: int
    max_batch_files: int
    max_batch_bytes: int
    upload_timeout_seconds: float
    job_timeout_seconds: float
    max_wait_seconds: int
    keep_finished_days: float
    """After which a job that has ended is deleted; 0: never."""
    keep_uploads_hours: float
    """For which an upload stays after its job is done, where that asks for no other time."""


class OptionView(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an option of an upload may be."""

    values: tuple[str, ...] = ()
    """The only ones; empty: others, within these limits."""
    minimum: float | None = None
    maximum: float | None = None
    default: str | None = None


LanguageReader = Literal["models", "pack", "tesseract"]


class LanguageView(Struct, frozen=True, kw_only=True):
    """A language that is read."""

    tag: str
    """BCP 47."""
    letters: bool
    """Whether its letters decide where the recogniser doubts."""
    reader: LanguageReader
    """What reads it: the models, a model pack, or Tesseract."""


class CapabilitiesView(Struct, frozen=True, kw_only=True):
    """What is taken, within which limits, and what reads it."""

    files: tuple[FileKind, ...]
    formats: tuple[FormatView, ...]
    limits: LimitsView
    options: dict[str, OptionView]
    """What may be asked of an upload, by name."""
    text_layer: tuple[TextLayer, ...]
    languages: tuple[LanguageView, ...]
    """Those that may be told; empty where a model of the operator's own reads."""
    webhooks: bool
    """Whether `callback_url` is taken."""
    url_input: bool
    """Whether files are fetched that are named by URL."""
    model: ModelFamily
    backend: str
    """What runs its models; `auto` on a node that does not read."""


@get(
    "/",
    responses=problems(401, 403, 429, 500, 503),
    summary="What can be read here?",
    description="Kinds of file as this service is installed, its limits, and the models that read.",
)
async def capabilities(request: Request[Any, Any, Any], service: NamedDependency[Service]) -> CapabilitiesView:
    """The same for every client but for webhooks, which a key may have though others have none."""
    offered = service.webhooks.offered(context_of(request.scope).owner)
    return capabilities_of(service.settings, webhooks=offered, backend=service.operations.backend())


def capabilities_of(settings: Settings, *, webhooks: bool = False, backend: str = "") -> CapabilitiesView:
    """What a service with these settings takes. `backend`: what runs the models, where that is known."""
    limits = {name: getattr(settings, name) for name in LimitsView.__struct_fields__}
    return CapabilitiesView(
        files=readable(),
        formats=tuple(
            FormatView(name=each.name, media_type=each.media_type, suffix=each.suffix, about=each.about)
            for each in EVERY_FORMAT.values()
        ),
        limits=LimitsView(**limits),
        options={name: _option(option, settings) for name, option in OPTIONS.items()} | {PASSWORD: OptionView()},
        text_layer=TEXT_LAYERS,
        languages=_languages(settings),
        webhooks=webhooks,
        url_input=bool(settings.input_url_hosts),
        model=settings.ocr_model,
        backend=backend or settings.ocr_backend,
    )


def _option(option: Option, settings: Settings) -> OptionView:
    schema = option.schema
    return OptionView(
        values=("true", "false") if schema.type is OpenAPIType.BOOLEAN else tuple(map(str, schema.enum or ())),
        minimum=schema.minimum,
        maximum=option.most(settings) if option.most else schema.maximum,
        default=schema.default,
    )


def _languages(settings: Settings) -> tuple[LanguageView, ...]:
    return (*_of_models(settings), *_of_others(settings))


def _of_models(settings: Settings) -> Iterator[LanguageView]:
    if settings.ocr_recognition_model:
        return
    with_letters = languages_with_letters()
    for tag in known(settings.ocr_model):
        yield LanguageView(tag=tag, letters=tag in with_letters, reader="models")


def _of_others(settings: Settings) -> Iterator[LanguageView]:
    others = readable_languages(settings.ocr_tesseract_data, settings.ocr_model_packs, settings.ocr_model)
    for tag, reader in others.items():
        yield LanguageView(tag=tag, letters=False, reader=reader)


router = Router("/capabilities", route_handlers=[capabilities], before_request=checked, tags=["Operations"])
