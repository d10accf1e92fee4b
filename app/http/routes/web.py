"""`/`: the page, and the static files that it and the API's documentation are made of."""

import mimetypes
from pathlib import Path

from litestar import Response, Router, get
from litestar.exceptions import NotFoundException
from litestar.params import FromPath
from litestar.response import File

from app.http.static import FILES, WEB

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


@get("/static/{file:path}", include_in_schema=False)
async def static_file(file: FromPath[Path]) -> File:
    """A file of the page, asked for anew each time: an upgrade must not mix two versions. Raises NotFoundException."""
    known = FILES.get(file.relative_to("/"))
    if known is None:
        raise NotFoundException
    return File(
        known,
        media_type=mimetypes.guess_type(known.name)[0],
        content_disposition_type="inline",
        headers={"Cache-Control": "no-cache"},
    )


router = Router("/", route_handlers=[page, static_file])
