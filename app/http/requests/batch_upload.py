"""Reads a batch: many parts `file` of a form, each a file or a ZIP; or a raw body that is one."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any

import msgspec
from litestar import Request
from multipart import MultipartSegment

from app.batches.parcel import Parcel
from app.delivery.fetcher import Fetcher
from app.http.problems import ApiError
from app.http.requests.digest import ContentDigest
from app.http.requests.form import MAX_PARTS, FormFields, parts
from app.http.requests.options.asked import Asked
from app.http.requests.upload import FORM_BYTES, RAW_TYPES, received_within, require_plain
from app.http.requests.url_upload import JSON_TYPE, fetch_all, told_urls
from app.jobs.incoming import UploadFields
from config.settings import Settings

ZIP_TYPES = ("application/zip", "application/x-zip-compressed")
"""Beside those of a single upload: what clients call a ZIP."""
PART_HEAD_BYTES = 1024
"""What a part of a form may have around its file."""


async def read_batch(
    request: Request[Any, Any, Any], parcel: Parcel, settings: Settings, fetcher: Fetcher
) -> UploadFields:
    """What is asked of all the files, which are gathered in `parcel`: at least one.

    Raises ApiError (400, 408, 413, 415, 503), BadSelection, or as Parcel.
    """
    require_plain(request)
    media_type, options = request.content_type
    asked = Asked()
    asked.add_query(request.query_params.multi_items())
    most = settings.max_batch_bytes
    if (request.content_length or 0) > most + FORM_BYTES + PART_HEAD_BYTES * settings.max_batch_files:
        raise _too_large(most)
    form = FormFields()
    async with received_within(settings.batch_timeout_seconds, _too_large(most)):
        stream = ContentDigest(request.headers.getall("content-digest", [])).through(request.stream())
        if media_type == "multipart/form-data":
            await _read_form(stream, options.get("boundary", ""), parcel, form)
        elif media_type.startswith("image/") or media_type in (*RAW_TYPES, *ZIP_TYPES):
            await _read_raw(stream, parcel)
        elif media_type == JSON_TYPE:
            urls = await told_urls(stream, asked)
            fields = asked.fields(settings)  # refused, if it is, before anything is fetched
            await fetch_all(fetcher, urls, parcel, settings.upload_timeout_seconds)
            return msgspec.structs.replace(fields, sources=tuple(urls))
        else:
            told = f"{media_type!r} is not taken; send multipart/form-data with parts `file`, or a ZIP"
            raise ApiError("unsupported_media_type", told)
    if not parcel.arrived:
        told = "the files have to come in parts named `file`, or as a ZIP with at least one file"
        raise ApiError("missing_file", told)
    form.told(asked)
    return asked.fields(settings)


def _too_large(max_bytes: int) -> ApiError:
    return ApiError("image_too_large", f"a batch may have at most {max_bytes} bytes")


async def _read_raw(stream: AsyncIterator[bytes], parcel: Parcel) -> None:
    begun = False
    async for chunk in stream:
        if chunk and not begun:
            begun = True
            await parcel.begin("")
        if chunk:
            await parcel.add(chunk)
    if begun:
        await parcel.end()


async def _read_form(stream: AsyncIterator[bytes], boundary: str, parcel: Parcel, form: FormFields) -> None:
    segment: MultipartSegment | None = None
    async with contextlib.aclosing(parts(stream, boundary, MAX_PARTS + parcel.limits.max_files)) as events:
        async for event in events:
            if isinstance(event, MultipartSegment):
                segment = event
                if segment.name == "file":
                    await parcel.begin(_as_utf8(segment.filename or ""))
                else:
                    form.begin(segment.name)
            elif segment is None:
                continue
            elif event is None:
                if segment.name == "file":
                    await parcel.end()
                segment = None
            elif segment.name == "file":
                await parcel.add(event)
            else:
                form.add(segment.name, event)


def _as_utf8(name: str) -> str:
    """A name as browsers and curl write it; the parser has read each byte as a letter."""
    return name.encode("latin-1", "replace").decode("utf-8", "replace")
