"""The options of a job: how each is read, and how the OpenAPI document describes it."""

from collections.abc import Callable, Mapping
from typing import Any

from litestar.openapi.spec import OpenAPIType, Schema
from msgspec import Struct

from app.delivery.addresses import MAX_URL_LENGTH
from app.http.problems import ApiError
from app.http.requests.options import texts
from config.settings import Settings
from ocr_engine.options import READING_ORDERS, TEXT_LAYERS
from persistence.job import PRIORITIES, JobOptions

MAX_OPTION_LETTERS = 500
"""Of most: more ranges of pages than anybody writes, four times the longest password of a PDF."""
PASSWORD = "password"  # noqa: S105 (its name, not one)
"""The only option that is not one of JobOptions: it is kept with the file, and is no part of an address."""
_TEXT = OpenAPIType.STRING


class Option(Struct, frozen=True, kw_only=True):
    """One of them."""

    read: texts.Reader
    schema: Schema
    field: str = ""
    """Of JobOptions; empty: the option's own name."""
    max_letters: int = MAX_OPTION_LETTERS
    most: Callable[[Settings], float] | None = None
    """The largest value, where operators decide it."""


def _most_seconds(settings: Settings) -> float:
    return settings.job_timeout_seconds


ROTATIONS = ("auto", "0", "90", "180", "270")
ORDERS = ("auto", *READING_ORDERS)
DEDUPES = ("none", "content")
DETAILS = ("lines", "words")
MIN_TIMEOUT_SECONDS = 0.1

OPTIONS: Mapping[str, Option] = {
    "pages": Option(
        read=texts.pages,
        schema=Schema(
            type=_TEXT,
            pattern=r"^[0-9,\s-]*$",
            max_length=MAX_OPTION_LETTERS,
            description="Which pages of a TIFF or PDF are read, as `1-3,7,20-`; without it all are.",
        ),
    ),
    "text_layer": Option(
        read=texts.one_of(*TEXT_LAYERS),
        schema=Schema(
            type=_TEXT,
            enum=[*TEXT_LAYERS],
            default=TEXT_LAYERS[0],
            description="`auto`: a PDF's page whose own text is sound is taken from it, unread.",
        ),
    ),
    "rotate": Option(
        read=texts.one_of(*ROTATIONS),
        schema=Schema(
            type=_TEXT,
            enum=[*ROTATIONS],
            default=ROTATIONS[0],
            description="Degrees clockwise by which pages are turned before they are read; `auto`: told by their text.",
        ),
    ),
    "min_confidence": Option(
        read=texts.number(0, lambda _: 1, "of confidence"),
        schema=Schema(
            type=OpenAPIType.NUMBER,
            minimum=0,
            maximum=1,
            description="Lines that are read with less are left out of the text. Default: `OCR_MIN_CONFIDENCE`.",
        ),
    ),
    "reading_order": Option(
        read=texts.one_of(*ORDERS),
        schema=Schema(
            type=_TEXT,
            enum=[*ORDERS],
            default=ORDERS[0],
            description="`columns`: as people read. `rows`: row by row, as in a form. `none`: each line that was found "
            "by itself, from the top down. `auto`: as `OCR_READING_ORDER` has it.",
        ),
    ),
    "regions": Option(
        read=texts.areas,
        max_letters=texts.MAX_AREAS_LETTERS,
        schema=Schema(
            type=_TEXT,
            max_length=texts.MAX_AREAS_LETTERS,
            description="Only these rectangles are read, as JSON: `[[x, y, width, height]]` in pixels of the page as a "
            'viewer shows it or as `"10%"`, or `[{"x": 0, "y": 0, "width": 90, "height": 20, "page": 1}]`.',
        ),
    ),
    "ignore": Option(
        read=texts.areas,
        max_letters=texts.MAX_AREAS_LETTERS,
        schema=Schema(
            type=_TEXT,
            max_length=texts.MAX_AREAS_LETTERS,
            description="What stands in these rectangles is not read; as `regions`.",
        ),
    ),
    "check_boxes": Option(
        read=texts.yes_or_no,
        schema=Schema(
            type=OpenAPIType.BOOLEAN,
            description="Boxes to be ticked are lines `☐` or `☑`.",
        ),
    ),
    "detail": Option(
        read=texts.one_of(*DETAILS),
        schema=Schema(
            type=_TEXT,
            enum=[*DETAILS],
            default=DETAILS[0],
            description="What of the pages answers show where they are not asked by `?detail=`.",
        ),
    ),
    "dedupe": Option(
        read=texts.one_of(*DEDUPES),
        schema=Schema(
            type=_TEXT,
            enum=[*DEDUPES],
            default=DEDUPES[0],
            description="`content`: where an equal file was read alike before, that result is taken, at once.",
        ),
    ),
    "timeout": Option(
        read=texts.number(MIN_TIMEOUT_SECONDS, _most_seconds, "of seconds"),
        most=_most_seconds,
        schema=Schema(
            type=OpenAPIType.NUMBER,
            minimum=MIN_TIMEOUT_SECONDS,
            description="Most CPU seconds for a page; `JOB_TIMEOUT_SECONDS` at most.",
        ),
    ),
    "priority": Option(
        read=texts.one_of(*PRIORITIES),
        schema=Schema(
            type=_TEXT,
            enum=[*PRIORITIES],
            default="normal",
            description="Four times as many turns as `normal`, or a fourth of them; a key may be bound to less.",
        ),
    ),
    "language": Option(
        read=texts.languages,
        field="languages",
        schema=Schema(
            type=_TEXT,
            max_length=MAX_OPTION_LETTERS,
            description="Languages that it is written in, as BCP 47 tags with commas between: `de,fr`. Without it "
            "those of the service, or what is read tells. `GET /capabilities` lists them.",
        ),
    ),
    "tag": Option(
        read=texts.tag,
        schema=Schema(
            type=_TEXT,
            pattern=r"^[\t-\r ]*[^\x00-\x1f\x7f]*[\t-\r ]*$",
            max_length=texts.MAX_TAG_LETTERS,
            description="The client's own word for the job; /images lists by it.",
        ),
    ),
    "expires_in": Option(
        read=texts.whole_number(1, texts.MAX_EXPIRY_SECONDS, "seconds"),
        schema=Schema(
            type=OpenAPIType.INTEGER,
            minimum=1,
            maximum=texts.MAX_EXPIRY_SECONDS,
            description="Seconds after its end when the job is deleted.",
        ),
    ),
    "callback_url": Option(
        read=texts.as_it_is,
        max_letters=MAX_URL_LENGTH,
        schema=Schema(
            type=_TEXT,
            max_length=MAX_URL_LENGTH,
            description="Told of the job's end (Webhooks in the README): https://, and a public address.",
        ),
    ),
    "delete_after_read": Option(
        read=texts.yes_or_no,
        schema=Schema(
            type=OpenAPIType.BOOLEAN,
            description="Once its owner was sent the job with its text, or its whole result, all of it is deleted.",
        ),
    ),
    "keep_upload": Option(
        read=texts.kept_hours,
        most=texts.most_hours,
        field="keep_hours",
        schema=Schema(
            type=_TEXT,
            pattern=texts.KEPT_PATTERN,
            description="Hours after its end for which the file can be had; `false` as 0.",
        ),
    ),
    "metadata": Option(
        read=texts.metadata,
        schema=Schema(
            type=OpenAPIType.OBJECT,
            additional_properties=Schema(type=_TEXT, max_length=50),
            max_properties=3,
            description="A JSON object of texts, 500 letters at most, that is shown with the job.",
        ),
    ),
}
"""By the name that clients use."""


def job_options(said: Mapping[str, str], settings: Settings) -> JobOptions:
    """The options of texts by name, for a service with these settings; what is not said, or empty, is as by default.

    Raises ApiError or BadSelection.
    """
    values: dict[str, Any] = {
        option.field or name: _value(name, option, text, settings)
        for name, option in OPTIONS.items()
        if (text := said.get(name))
    }
    return JobOptions(**values)


def max_letters(name: str) -> int:
    """How long the text of this option may be, the password's, too."""
    return OPTIONS[name].max_letters if name in OPTIONS else MAX_OPTION_LETTERS


def _value(name: str, option: Option, text: str, settings: Settings) -> object:
    try:
        return option.read(text, settings)
    except texts.BadOption as error:
        raise ApiError("malformed_request", f"{name}: {error}") from None
