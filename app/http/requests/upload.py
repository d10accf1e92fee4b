"""Reads an upload: a form with `file` and what is asked of it, or a raw body, stopping at the size and time limits."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any

import msgspec
from litestar import Request
from litestar.exceptions import InternalServerException
from litestar.exceptions.http_exceptions import RequestEntityTooLarge
from multipart import MultipartSegment

from app.delivery.fetcher import Fetcher
from app.http.problems import ApiError
from app.http.requests.digest import ContentDigest
from app.http.requests.form import FormFields, parts
from app.http.requests.options.asked import Asked
from app.http.requests.url_upload import JSON_TYPE, fetched, told_url
from app.jobs.incoming import Body, UploadFields
from config.settings import Settings

FORM_BYTES = 65_536
"""What a multipart form may have around its file; a body may be larger by it than a file."""
RAW_TYPES = ("", "application/pdf", "application/octet-stream", "application/x-www-form-urlencoded")
"""Beside `image/*`: what clients say of a body that is the image itself. The last is what curl says of any data that it
is not told the type of; no such form is ever read."""


async def read_upload(
    request: Request[Any, Any, Any], body: Body, *, max_bytes: int, timeout: float, settings: Settings, fetcher: Fetcher
) -> UploadFields:
    """What came with the file, which is gathered in `body`: never empty, `max_bytes` at most. `timeout` in seconds;
    `settings` are those of what will read it.

    Raises ApiError (400, 408, 413, 415, 503), BadSelection, or as Body.add and Fetcher.fetch.
    """
    require_plain(request)
    media_type, options = request.content_type
    asked = Asked()
    asked.add_query(request.query_params.multi_items())
    form = _Form()
    sources: tuple[str, ...] = ()

    async def add(chunk: bytes | bytearray) -> None:
        if body.size + len(chunk) > max_bytes:
            raise _too_large(max_bytes)
        await body.add(chunk)

    async with received_within(timeout, _too_large(max_bytes)):
        stream = ContentDigest(request.headers.getall("content-digest", [])).through(request.stream())
        if media_type == "multipart/form-data":
            await form.read(stream, add, options.get("boundary", ""))
        elif media_type.startswith("image/") or media_type in RAW_TYPES:
            if (request.content_length or 0) > max_bytes:
                raise _too_large(max_bytes)
            async for chunk in stream:
                await add(chunk)
        elif media_type == JSON_TYPE:
            sources = (await told_url(stream, asked),)
        else:
            raise ApiError(
                "unsupported_media_type",
                f"{media_type!r} is not taken; send an image, or multipart/form-data with a part `file`",
            )
    form.told(asked)
    fields = asked.fields(settings)
    for url in sources:
        await fetched(fetcher, url, add, timeout)
    if not body.size:
        raise ApiError("missing_file", _what_is_missing(media_type, form.came))
    return msgspec.structs.replace(fields, sources=sources)


def require_plain(request: Request[Any, Any, Any]) -> None:
    """Raises ApiError (415) for a body in another coding than none: nothing would undo it."""
    coding = request.headers.get("content-encoding", "identity").strip().lower()
    if coding not in ("", "identity"):
        told = f"a body in the Content-Encoding {coding[:32]!r} is not taken; send the file as it is"
        raise ApiError("unsupported_media_type", told, headers={"Accept-Encoding": "identity"})


@contextlib.asynccontextmanager
async def received_within(timeout: float, too_large: ApiError) -> AsyncIterator[None]:
    """Within, a body is received, in so many seconds. What goes wrong with that becomes an ApiError (400, 408, 413,
    503).
    """
    try:
        async with asyncio.timeout(timeout):
            yield
    except asyncio.CancelledError:
        # only the server cancels a request: its stop is through, and this client is still sending
        raise ApiError("stopping", "the service stopped before the whole body had come") from None
    except TimeoutError:
        raise ApiError("upload_timeout", f"the body did not arrive within {timeout:g} s") from None
    except RequestEntityTooLarge:
        raise too_large from None
    except InternalServerException:
        raise ApiError("malformed_request", "the client left before the whole body was sent") from None


def _too_large(max_bytes: int) -> ApiError:
    return ApiError("image_too_large", f"an upload may have at most {max_bytes} bytes")


class _Form(FormFields):
    """The form of a single upload."""

    async def read(
        self, stream: AsyncIterator[bytes], add: Callable[[bytes | bytearray], Awaitable[None]], boundary: str
    ) -> None:
        """Hands the part `file` to `add`, and gathers the fields here. Raises ApiError, or as `add`."""
        segment: MultipartSegment | None = None
        async with contextlib.aclosing(parts(stream, boundary)) as events:
            async for event in events:
                if isinstance(event, MultipartSegment):
                    segment = event
                    self._begin(segment)
                elif event and segment is not None:
                    if segment.name == "file":
                        await add(event)
                    else:
                        self.add(segment.name, event)

    def _begin(self, segment: MultipartSegment) -> None:
        name = segment.name
        if name == "file" and name in self.came:
            raise ApiError("malformed_request", "more than one part `file`; send one image a job, or POST /batches")
        if name == "file" or segment.filename:
            # a part with a file's name may be the image under a wrong name: `missing_file` tells
            self.note(name)
        else:
            self.begin(name)


def _what_is_missing(media_type: str, came: Sequence[str]) -> str:
    if media_type != "multipart/form-data":
        return "the body is empty; send the image as the body, or as the multipart part `file`"
    if "file" in came:
        return "the part `file` is empty"
    named = ", ".join(repr(name[:64]) for name in came) or "none"
    return f"the image has to come in a part named `file`; parts that came: {named}"
