"""The OpenAPI document at `/docs/openapi.json` and its page at `/docs`, with nothing from a CDN."""

from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import SwaggerRenderPlugin

from app import VERSION


def openapi_config() -> OpenAPIConfig:
    """Litestar's configuration of the document and its page."""
    ui = "/static/vendor/swagger-ui"
    return OpenAPIConfig(
        title="Smart Queue OCR",
        version=VERSION,
        description="Upload an image, read its text. Errors are problem+json (RFC 9457) with a stable `code`.",
        path="/docs",
        render_plugins=[
            SwaggerRenderPlugin(
                js_url=f"{ui}/swagger-ui-bundle.js",
                css_url=f"{ui}/swagger-ui.css",
                standalone_preset_js_url=f"{ui}/swagger-ui-standalone-preset.js",
                path="/",
                favicon='<link rel="icon" href="/static/icon.svg">',
            )
        ],
    )
