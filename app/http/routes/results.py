"""`/images/{job_id}/result`: what was read, in the format that the client asks for."""

from dataclasses import dataclass
from typing import Annotated, Any

from litestar import Request, Response, Router, get
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import (
    OpenAPIFormat,
    OpenAPIHeader,
    OpenAPIMediaType,
    OpenAPIResponse,
    OpenAPIType,
    Operation,
    Reference,
    Schema,
)
from litestar.params import FromPath, FromQuery, QueryParameter

from app.http.checks import checked
from app.http.forgetting import forget_once_sent
from app.http.openapi import problems
from app.http.request_context import context_of
from app.http.responses.result import answer_of, format_of
from app.results.stored_run import Detail, Rows
from app.service import Service
from ocr_engine.formats import EVERY_FORMAT

FormatName = Annotated[
    str | None,
    QueryParameter(
        description="Its name; without it `Accept` decides, and where that takes anything it is `text`.",
        schema_extra={"enum": [*EVERY_FORMAT]},
    ),
]
PageRanges = Annotated[
    str | None,
    QueryParameter(
        description="Only these pages, as `1-3,7`; the job may still be running if they are read already.",
        schema_extra={"pattern": r"^[1-9]\d{0,3}(-[1-9]\d{0,3})?$"},
    ),
]


@dataclass
class ResultOperation(Operation):
    """Documents that a result comes in many media types, which one handler's return type cannot."""

    def __post_init__(self) -> None:
        """Sets the contents of the good answer."""
        text = Schema(type=OpenAPIType.STRING)
        named = Schema(type=OpenAPIType.STRING, format=OpenAPIFormat.BINARY)
        types = {
            each.media_type: text if each.media_type.startswith("text/") else named for each in EVERY_FORMAT.values()
        }
        types["application/json"] = Schema(type=OpenAPIType.OBJECT, required=["pages"])
        headers: dict[str, OpenAPIHeader | Reference] = {
            name: OpenAPIHeader(schema=text) for name in ("ETag", "Content-Disposition", "Vary")
        }
        assert self.responses is not None
        self.responses["200"] = OpenAPIResponse(
            description="The result, page by page.",
            headers=headers,
            content={media_type: OpenAPIMediaType(schema=schema) for media_type, schema in types.items()},
        )


@get(
    "/{job_id:str}/result",
    operation_class=ResultOperation,
    responses={
        304: ResponseSpec(None, generate_examples=False, description="As `If-None-Match` has it."),
        **problems(400, 401, 404, 406, 409, 410, 422, 429, 500, 503, 504),
    },
    summary="Read a result in a format",
    description="All formats come from the stored run: nothing is read again; `pdf` needs the upload as well. "
    + " ".join(f"`{each.name}`: {each.about}" for each in EVERY_FORMAT.values()),
)
async def read_result(
    request: Request[Any, Any, State],
    job_id: FromPath[str],
    service: NamedDependency[Service],
    format: FormatName = None,  # the name of the parameter in the address
    pages: PageRanges = None,
    detail: FromQuery[Detail | None] = None,
    rows: FromQuery[Rows | None] = None,
) -> Response[Any]:
    """The result, streamed."""
    result = await service.result(job_id, context_of(request.scope).viewer, pages or "")
    chosen = format_of(request, format, len(result.numbers))
    if not result.selection.ranges:
        forget_once_sent(request, service, result.job)
    return await answer_of(request, service, result, chosen, detail=detail, rows=rows)


router = Router("/images", route_handlers=[read_result], before_request=checked, tags=["Images"])
