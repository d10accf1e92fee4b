"""The OpenAPI document at `/docs/openapi.json` and its page at `/docs`, with nothing from a CDN."""

from typing import Any

from litestar import Request
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import OpenAPIRenderPlugin

from app import VERSION
from app.routes.web import WEB


class DocsPage(OpenAPIRenderPlugin):
    """Swagger UI from our own files. Litestar's plugin has inline scripts, which a strict content policy forbids."""

    def __init__(self) -> None:
        super().__init__(path="/")

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        """The page; it fetches the document by itself."""
        return (WEB / "docs.html").read_bytes()


def openapi_config() -> OpenAPIConfig:
    """Litestar's configuration of the document and its page."""
    return OpenAPIConfig(
        title="Smart Queue OCR",
        version=VERSION,
        description="Upload an image, read its text. Errors are problem+json (RFC 9457) with a stable `code`.",
        path="/docs",
        render_plugins=[DocsPage()],
    )
