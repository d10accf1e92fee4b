"""`/`: the page, and the static files that it and the API's documentation are made of."""

from pathlib import Path
from typing import Any

from litestar import Request, Response, Router, get
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

from app.http.static import FILES, IMMUTABLE, REVALIDATED, VERSION, answer, page

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
_INDEX = page("index.html")


@get("/", media_type="text/html", include_in_schema=False)
async def index(request: Request[Any, Any, Any]) -> Response[Any]:
    """The page: drop an image, read its text."""
    return answer(request, _INDEX, REVALIDATED, {"Content-Security-Policy": CONTENT_SECURITY_POLICY})


@get("/static/{file:path}", include_in_schema=False)
async def static_file(request: Request[Any, Any, Any], file: FromPath[Path]) -> Response[Any]:
    """A file of the page, by its name, or below VERSION for ever. Raises NotFoundException."""
    name = file.relative_to("/")
    versioned = name.parts[:1] == (VERSION,)
    known = FILES.get(name.relative_to(VERSION) if versioned else name)
    if known is None:
        raise NotFoundException
    return answer(request, known, IMMUTABLE if versioned else REVALIDATED)


router = Router("/", route_handlers=[index, static_file])
