"""The options of a job: how each is read, and how the OpenAPI document describes it."""

from collections.abc import Mapping
from typing import Any

from litestar.openapi.spec import OpenAPIType, Schema
from msgspec import Struct

from app.http.problems import ApiError
from app.http.requests.options import texts
from config.settings import Settings
from ocr_engine.options import TEXT_LAYERS
from persistence.job import JobOptions

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
            pattern=r"^[^\x00-\x1f\x7f]*$",
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
    "keep_upload": Option(
        read=texts.kept_hours,
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
