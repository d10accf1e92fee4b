"""Reads `{"url": …}` or `{"urls": […]}`: files that the service fetches itself, where its operator allows that."""

from collections.abc import AsyncIterator, Awaitable, Callable

import msgspec

from app.batches.archive import MAGIC
from app.batches.parcel import Parcel
from app.delivery.fetcher import Fetcher, UrlNotAllowed, UrlUnreachable, name_of
from app.http.problems import ApiError
from app.http.requests.options.asked import MAX_JSON_BYTES, Asked, Place
from app.http.requests.strict import said_twice
from app.jobs.received import require_known_type
from ocr_engine.errors import OcrError

JSON_TYPE = "application/json"
TYPE_HEAD_BYTES = 1024
"""After so many it is told whether a file is of any type that is read."""
MAX_URLS_BYTES = 2_000_000
"""Of a JSON body: a thousand URLs, as long as they may be."""

Add = Callable[[bytes], Awaitable[None]]


async def told_url(stream: AsyncIterator[bytes], asked: Asked) -> str:
    """The only URL; what else the JSON body says is added to what is asked. Raises ApiError."""
    members = await _members(stream, MAX_JSON_BYTES)
    url = members.pop("url", None)
    if not isinstance(url, str):
        raise ApiError("missing_file", 'a JSON body names the file: {"url": "https://…"}')
    asked.add_json(msgspec.json.encode(members), Place.JSON)
    return url


async def told_urls(stream: AsyncIterator[bytes], asked: Asked) -> list[str]:
    """As `told_url`, of a batch: at least one."""
    members = await _members(stream, MAX_URLS_BYTES)
    urls = members.pop("urls", None)
    if not isinstance(urls, list) or not urls or not all(isinstance(url, str) for url in urls):
        raise ApiError("missing_file", 'a JSON body names the files: {"urls": ["https://…", …]}')
    asked.add_json(msgspec.json.encode(members), Place.JSON)
    return urls


async def fetched(fetcher: Fetcher, url: str, add: Add, timeout: float) -> None:
    """Fetches the file, piece by piece, as long as it may be one that is read. Raises as Fetcher.fetch, or OcrError."""
    head = b""

    async def checked(piece: bytes) -> None:
        nonlocal head
        if len(head) < TYPE_HEAD_BYTES:
            head += piece[:TYPE_HEAD_BYTES]
            if len(head) >= TYPE_HEAD_BYTES and not head.startswith(MAGIC):
                require_known_type(head)
        await add(piece)

    await fetcher.fetch(url, checked, timeout)


async def fetch_all(fetcher: Fetcher, urls: list[str], parcel: Parcel, timeout: float) -> None:
    """Fetches them one after the other; one that cannot be had is refused alone. `timeout` in seconds for each."""
    for url in urls:
        await parcel.begin(name_of(url))
        try:
            await fetched(fetcher, url, parcel.add, timeout)
        except (UrlNotAllowed, UrlUnreachable, OcrError) as error:
            parcel.fail(error)
        await parcel.end()


async def _members(stream: AsyncIterator[bytes], most: int) -> dict[str, object]:
    body = bytearray()
    async for chunk in stream:
        body += chunk
        if len(body) > most:
            raise ApiError("malformed_request", f"a JSON body may have at most {most} bytes")
    try:
        members = msgspec.json.decode(body, type=dict[str, object])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise ApiError("malformed_request", "the body is no JSON object") from None
    if (name := said_twice(body)) is not None:
        raise ApiError("malformed_request", f"`{name}` is said twice and not alike; say it once")
    return members
