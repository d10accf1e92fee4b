"""`/`: the page, the static files that it and the API's documentation are made of, and a page for each problem."""

from pathlib import Path
from typing import Any

from litestar import Request, Response, Router, get
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

from app.http.responses.problem_pages import all_problems, problem_page
from app.http.responses.static import FILES, IMMUTABLE, REVALIDATED, VERSION, answer, page

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
PLAIN_PAGE = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
"""Content policy of a page that is words and links."""
_INDEX = page("index.html")
_HEADERS = {"share-worker.js": {"Service-Worker-Allowed": "../"}}
"""A worker may answer for addresses below its own only, unless it is told so; the page's are above."""


@get(["/", "/operations"], media_type="text/html", include_in_schema=False)
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
    return answer(request, known, IMMUTABLE if versioned else REVALIDATED, _HEADERS.get(name.name))


@get("/problems", media_type="text/html", include_in_schema=False)
async def problems(request: Request[Any, Any, Any]) -> Response[Any]:
    """All codes of errors."""
    return answer(request, all_problems(), REVALIDATED, {"Content-Security-Policy": PLAIN_PAGE})


@get("/problems/{code:str}", media_type="text/html", include_in_schema=False)
async def problem(request: Request[Any, Any, Any], code: FromPath[str]) -> Response[Any]:
    """What a problem's `type` leads to. Raises NotFoundException."""
    known = problem_page(code)
    if known is None:
        raise NotFoundException
    return answer(request, known, REVALIDATED, {"Content-Security-Policy": PLAIN_PAGE})


router = Router("/", route_handlers=[index, static_file, problems, problem])
