"""Reads an upload: multipart `file` or a raw body, stopping at the size and time limits."""

import asyncio
from collections.abc import Sequence
from typing import Any

from litestar import Request
from litestar.exceptions import InternalServerException
from litestar.exceptions.http_exceptions import RequestEntityTooLarge
from multipart import MultipartSegment, ParserError, ParserLimitReached, PushMultipartParser

from app.http.problems import ApiError
from app.http.requests.strict import refuse_unknown
from app.jobs.upload_memory import Body

MAX_PARTS = 32
"""Parts of a multipart body that are looked at before it is refused; only one is wanted."""
RAW_TYPES = ("", "application/pdf", "application/octet-stream", "application/x-www-form-urlencoded")
"""Beside `image/*`: what clients say of a body that is the image itself. The last is what curl says of any data that it
is not told the type of; no such form is ever read."""


async def read_image(request: Request[Any, Any, Any], body: Body, *, timeout: float) -> bytes:
    """The uploaded bytes, never empty, gathered in `body`. `timeout` in seconds.

    Raises ApiError (400, 408, 413, 415, 503) or UploadMemoryFull.

    Litestar's own multipart handling answers 500 to several kinds of bad input and spools to disk, so the body goes
    through the push parser that it is built on.
    """
    media_type, options = request.content_type
    came: list[str] = []
    try:
        async with asyncio.timeout(timeout):
            if media_type == "multipart/form-data":
                came = await _file_part(request, body, options.get("boundary", ""))
            elif media_type.startswith("image/") or media_type in RAW_TYPES:
                async for chunk in request.stream():
                    body += chunk
            else:
                raise ApiError(
                    "unsupported_media_type",
                    f"{media_type!r} is not taken; send an image, or multipart/form-data with a part `file`",
                )
    except asyncio.CancelledError:
        # only the server cancels a request: its stop is through, and this client is still sending
        raise ApiError("stopping", "the service stopped before the whole body had come") from None
    except TimeoutError:
        raise ApiError("upload_timeout", f"the body did not arrive within {timeout:g} s") from None
    except RequestEntityTooLarge:
        limit = request.route_handler.resolve_request_max_body_size()
        raise ApiError("image_too_large", f"an upload may have at most {limit} bytes") from None
    except InternalServerException:
        raise ApiError("malformed_request", "the client left before the whole body was sent") from None
    if not body.data:
        raise ApiError("missing_file", _what_is_missing(media_type, came))
    return bytes(body.data)


async def _file_part(request: Request[Any, Any, Any], body: Body, boundary: str) -> list[str]:
    """Gathers the part `file`; the names of all parts that came. Raises ApiError."""
    segment, came = None, list[str]()
    if not boundary:
        raise ApiError("malformed_request", "multipart/form-data without a boundary")
    try:
        # latin-1 takes any byte: a file's name, which nobody asks for, comes in whatever a client's system writes
        with PushMultipartParser(
            boundary.encode(errors="replace"), max_segment_count=MAX_PARTS, header_charset="latin-1"
        ) as parser:
            async for chunk in request.stream():
                for event in parser.parse(chunk):
                    if isinstance(event, MultipartSegment):
                        segment = event
                        if segment.name == "file" and "file" in came:
                            raise ApiError("malformed_request", "more than one part `file`; send one image a job")
                        came.append(segment.name)
                        if not segment.filename:
                            # a part with a file's name may be the image under a wrong name: `missing_file` tells
                            refuse_unknown("form field", [segment.name], ["file"])
                    elif event and segment is not None and segment.name == "file":
                        body += event
    except ParserLimitReached as error:
        raise ApiError("malformed_request", f"multipart body beyond the limits: {error}") from None
    except ParserError as error:
        raise ApiError("malformed_request", f"multipart body cannot be parsed: {error}") from None
    return came


def _what_is_missing(media_type: str, came: Sequence[str]) -> str:
    if media_type != "multipart/form-data":
        return "the body is empty; send the image as the body, or as the multipart part `file`"
    if "file" in came:
        return "the part `file` is empty"
    named = ", ".join(repr(name[:64]) for name in came) or "none"
    return f"the image has to come in a part named `file`; parts that came: {named}"
