"""How the OpenAPI document shows a batch, which the handler reads from the raw request."""

from dataclasses import dataclass

from litestar.openapi.spec import (
    OpenAPIFormat,
    OpenAPIMediaType,
    OpenAPIResponse,
    OpenAPIType,
    Operation,
    RequestBody,
    Schema,
)

from app.http.routes.upload_operation import form_properties, named_by_urls, options_in_query

NDJSON = "application/x-ndjson"
JSONL = "application/jsonl"
_BINARY = Schema(type=OpenAPIType.STRING, format=OpenAPIFormat.BINARY)


@dataclass
class BatchOperation(Operation):
    """Documents the two forms of a batch."""

    def __post_init__(self) -> None:
        """Sets the request body, and adds the parameters."""
        files = Schema(type=OpenAPIType.ARRAY, items=_BINARY, min_items=1)
        form = Schema(
            type=OpenAPIType.OBJECT,
            properties={**form_properties(), "file": files},
            required=["file"],
            additional_properties=False,
        )
        self.request_body = RequestBody(
            required=True,
            description="As many parts `file` as there are files, or a ZIP of them, as such a part or as the body.",
            content={
                "multipart/form-data": OpenAPIMediaType(schema=form),
                "application/zip": OpenAPIMediaType(schema=_BINARY),
                "application/json": OpenAPIMediaType(schema=named_by_urls()),
            },
        )
        self.parameters = options_in_query(self.parameters)


@dataclass
class LinesOperation(Operation):
    """Documents that the answer is JSON lines."""

    def __post_init__(self) -> None:
        """Sets the content of the good answer."""
        assert self.responses is not None
        lines = OpenAPIMediaType(schema=Schema(type=OpenAPIType.STRING))
        self.responses["200"] = OpenAPIResponse(description="A job a line.", content={NDJSON: lines, JSONL: lines})
