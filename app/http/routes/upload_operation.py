"""How the OpenAPI document shows an upload, which the handler reads from the raw request."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from litestar.openapi.spec import (
    OpenAPIFormat,
    OpenAPIMediaType,
    OpenAPIType,
    Operation,
    Parameter,
    Reference,
    RequestBody,
    Schema,
)

from app.delivery.addresses import MAX_URL_LENGTH
from app.http.requests.options.asked import IN_QUERY, JSON_PART
from app.http.requests.options.table import MAX_OPTION_LETTERS, OPTIONS, PASSWORD
from ocr_engine.image import MEDIA_TYPES


@dataclass
class UploadOperation(Operation):
    """Documents the two forms of an upload, and its options as parts of the form and as parameters of the query."""

    def __post_init__(self) -> None:
        """Sets the request body, and adds the parameters."""
        form = Schema(
            type=OpenAPIType.OBJECT, properties=form_properties(), required=["file"], additional_properties=False
        )
        raw: Sequence[str] = (*MEDIA_TYPES, "application/octet-stream")
        self.request_body = RequestBody(
            required=True,
            description="An image as the multipart part `file`, or as the body itself. Its type is told by its bytes; "
            "a body sent as `application/x-www-form-urlencoded`, as curl does by itself, is taken for the image, too.",
            content={
                "multipart/form-data": OpenAPIMediaType(schema=form),
                **{media_type: OpenAPIMediaType(schema=_BINARY) for media_type in raw},
                "application/json": OpenAPIMediaType(schema=_named("url", _URL)),
            },
        )
        self.parameters = options_in_query(self.parameters)


_BINARY = Schema(type=OpenAPIType.STRING, format=OpenAPIFormat.BINARY)


_URL = Schema(type=OpenAPIType.STRING, max_length=MAX_URL_LENGTH)


def _named(name: str, schema: Schema) -> Schema:
    """A JSON body that names what is to be fetched."""
    told = "Fetched by the service, where `url_input` of /capabilities is true; options as in the form."
    return Schema(type=OpenAPIType.OBJECT, properties={name: schema}, required=[name], description=told)


def named_by_urls() -> Schema:
    """That of a batch."""
    return _named("urls", Schema(type=OpenAPIType.ARRAY, items=_URL, min_items=1))


def options_in_query(known: Sequence[Parameter | Reference] | None) -> list[Parameter | Reference]:
    """The parameters that are known, and the options that are none of them."""
    taken = {each.name for each in known or [] if isinstance(each, Parameter)}
    return [*(known or []), *(each for each in _query_parameters() if each.name not in taken)]


def form_properties() -> dict[str, Schema | Reference]:
    """The parts of the form, by name."""
    return {
        "file": _BINARY,
        **{name: option.schema for name, option in OPTIONS.items()},
        PASSWORD: Schema(
            type=OpenAPIType.STRING,
            max_length=MAX_OPTION_LETTERS,
            description="Opens an encrypted PDF. Kept with the file, and forgotten with it.",
        ),
        JSON_PART: Schema(type=OpenAPIType.OBJECT, description="Any of the others but `file`, as one JSON object."),
    }


def _query_parameters() -> Iterator[Parameter]:
    for name in IN_QUERY:
        schema = OPTIONS[name].schema
        # described once, with the form
        plain = (
            Schema(type=OpenAPIType.STRING) if schema.type is OpenAPIType.OBJECT else replace(schema, description=None)
        )
        yield Parameter(name=name, param_in="query", schema=plain)
