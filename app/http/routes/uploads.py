"""`/images/{job_id}/file` and `/images/{job_id}/pages/{number}/image`: what was uploaded, for as long as it is kept."""

import hashlib
from dataclasses import dataclass
from typing import Annotated, Any

from litestar import Request, Response, Router, get
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import (
    OpenAPIFormat,
    OpenAPIMediaType,
    OpenAPIResponse,
    OpenAPIType,
    Operation,
    Schema,
)
from litestar.params import FromPath, PathParameter, QueryParameter

from app import VERSION
from app.http.checks import checked
from app.http.openapi import problems
from app.http.request_context import context_of
from app.http.responses.sent_file import file_answer
from app.http.responses.static import held
from app.service import Service
from ocr_engine.image import MEDIA_TYPES, SUFFIXES

Width = Annotated[int, QueryParameter(ge=16, le=4000, description="Pixels at most; nothing is enlarged.")]
PageNumber = Annotated[int, PathParameter(ge=1, le=2000, description="Of the page in its file, from 1.")]
NOT_CHANGED = ResponseSpec(None, generate_examples=False, description="As `If-None-Match` has it.")


@dataclass
class FileOperation(Operation):
    """Documents that the answer is a file of many kinds."""

    def __post_init__(self) -> None:
        """Sets the content of the good answer."""
        assert self.responses is not None
        self.responses["200"] = _binary("The bytes that were uploaded.", *MEDIA_TYPES)


@dataclass
class PictureOperation(Operation):
    """Documents that the answer is a JPEG."""

    def __post_init__(self) -> None:
        """Sets the content of the good answer."""
        assert self.responses is not None
        self.responses["200"] = _binary("The page.", "image/jpeg")


def _binary(description: str, *media_types: str) -> OpenAPIResponse:
    schema = Schema(type=OpenAPIType.STRING, format=OpenAPIFormat.BINARY)
    return OpenAPIResponse(
        description=description, content={each: OpenAPIMediaType(schema=schema) for each in media_types}
    )


@get(
    "/{job_id:str}/file",
    operation_class=FileOperation,
    responses={304: NOT_CHANGED, **problems(400, 401, 404, 410, 429, 500, 503)},
    summary="Read the upload",
    description="The file as it was sent, for `KEEP_UPLOADS_HOURS` after the end of its job.",
)
async def read_file(
    request: Request[Any, Any, State], job_id: FromPath[str], service: NamedDependency[Service]
) -> Response[Any]:
    """The bytes that were uploaded."""
    job = await service.job(job_id, context_of(request.scope).viewer)
    name = job.id + SUFFIXES.get(job.image.media_type, "")
    headers = {"ETag": _etag("file", job.id), "Content-Disposition": f'attachment; filename="{name}"'}
    if held(request, headers["ETag"]):
        return Response(None, status_code=304, headers=headers)
    return await file_answer(service.uploads.upload(job), lambda stored: stored.path, job.image.media_type, headers)


@get(
    "/{job_id:str}/pages/{number:int}/image",
    operation_class=PictureOperation,
    responses={304: NOT_CHANGED, **problems(400, 401, 404, 410, 413, 422, 429, 500, 503, 504)},
    summary="Read a page as a picture",
    description="As it was read, not turned: polygons of its lines are in its pixels, times the width that it has here "
    "by the page's own.",
)
async def read_page_image(
    request: Request[Any, Any, State],
    job_id: FromPath[str],
    number: PageNumber,
    service: NamedDependency[Service],
    width: Width = 1200,
) -> Response[Any]:
    """A JPEG of the page."""
    job = await service.job(job_id, context_of(request.scope).viewer)
    headers = {"ETag": _etag("page", job.id, str(number), str(width))}
    if held(request, headers["ETag"]):
        return Response(None, status_code=304, headers=headers)
    picture = await service.uploads.page_picture(job, number, width)
    return Response(picture, media_type="image/jpeg", headers=headers)


def _etag(*what: str) -> str:
    """Of bytes that never change while this version of the program makes them."""
    return f'"{hashlib.sha256(chr(0).join((VERSION, *what)).encode()).hexdigest()[:32]}"'


router = Router("/images", route_handlers=[read_file, read_page_image], before_request=checked, tags=["Images"])
