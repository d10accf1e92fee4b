"""`/`: the page, and the static files that it and the API's documentation are made of."""

from pathlib import Path

from litestar import Response, Router, get
from litestar.datastructures import CacheControlHeader
from litestar.static_files import create_static_files_router

WEB = Path(__file__).resolve().parent.parent / "web"
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)


@get("/", media_type="text/html", include_in_schema=False)
async def page() -> Response[bytes]:
    """The page: drop an image, read its text."""
    return Response(
        (WEB / "index.html").read_bytes(),
        media_type="text/html",
        headers={"Content-Security-Policy": CONTENT_SECURITY_POLICY, "Cache-Control": "no-cache"},
    )


router = Router(
    "/",
    route_handlers=[
        page,
        create_static_files_router(
            "/static",
            directories=[WEB],
            include_in_schema=False,
            send_as_attachment=False,
            cache_control=CacheControlHeader(no_cache=True),  # asked again each time: no mix of two versions
        ),
    ],
)
