"""The OpenAPI document at `/docs/openapi.json` and its page at `/docs`, without a CDN."""

from typing import Any

import msgspec
from litestar import Request, Response, Router
from litestar.exceptions import NotFoundException
from litestar.openapi import OpenAPIConfig
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.plugins import OpenAPIRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme
from litestar.response import Redirect

from app import VERSION
from app.http.openapi_details import detailed, operation_name
from app.http.problems import PROBLEM_JSON, Problem
from app.http.responses.static import REVALIDATED, Prepared, answer, page, prepare


class DocsPage(OpenAPIRenderPlugin):
    """Swagger UI from our own files. Litestar's plugin has inline scripts, which a strict content policy forbids."""

    def __init__(self) -> None:
        super().__init__(path="/")

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        """Of the page; `Documents` has answered before."""
        raise NotFoundException


class Documents:
    """Answers for the documentation before Litestar does, which would send all of it every time."""

    def __init__(self) -> None:
        self._page = page("docs.html")
        self._document: Prepared | None = None

    def __call__(self, request: Request[Any, Any, Any]) -> Response[Any] | None:
        """Litestar's hook before a request; None for what is no part of it."""
        # the raw path: Litestar takes the slash off the other one
        match request.scope["raw_path"].rpartition(b"/docs")[2]:
            case b"":
                return answer(request, self._page, REVALIDATED)
            case b"/":  # what the page links to is relative, for services behind a prefix
                return Redirect("../docs", status_code=308)
            case b"/openapi.json":
                if self._document is None:
                    document = msgspec.json.encode(detailed(request.app))
                    self._document = prepare(document, "application/vnd.oai.openapi+json")
                return answer(request, self._document, REVALIDATED)
        return None


def no_html_errors(response: Response[Any]) -> Response[Any]:
    """Litestar answers unknown paths under `/docs` with a page of its own; ours are problems like everywhere."""
    if response.status_code == 404:
        raise NotFoundException
    return response


def problems(*statuses: int) -> dict[int, ResponseSpec]:
    """The problem+json answers of a route, for its documentation."""
    return {
        status: ResponseSpec(
            Problem, media_type=PROBLEM_JSON, generate_examples=False, description="Problem (RFC 9457)."
        )
        for status in statuses
    }


def openapi_config() -> OpenAPIConfig:
    """Litestar's configuration of the document and its page."""
    return OpenAPIConfig(
        title="Smart Queue OCR",
        version=VERSION,
        description="Upload an image, read its text. Errors are problem+json (RFC 9457) with a stable `code`.",
        openapi_router=Router(
            "/docs",
            route_handlers=[],
            before_request=Documents(),
            after_request=no_html_errors,
            include_in_schema=False,
        ),
        components=Components(
            security_schemes={
                "ApiKey": SecurityScheme(type="apiKey", name="X-API-Key", security_scheme_in="header"),
                "Bearer": SecurityScheme(type="http", scheme="bearer"),
            }
        ),
        security=[{}, {"ApiKey": []}, {"Bearer": []}],  # {}: none is needed while API_KEYS_FILE is not set
        operation_id_creator=operation_name,
        render_plugins=[DocsPage()],
    )
