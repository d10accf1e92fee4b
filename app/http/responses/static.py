"""The files of the page and of the API's documentation, ready to be sent; `app/web/README.md` describes them."""

import gzip
import hashlib
import mimetypes
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

from litestar import Request, Response
from litestar.response import Stream
from msgspec import Struct

import samples

WEB = Path(__file__).resolve().parents[2] / "web"
SAMPLE = Path(samples.__file__).parent / "receipt.jpg"
"""What the page offers to those who have no file at hand."""
CHUNK_BYTES = 32 * 1024
"""Sent at a time; the next one when the client has read enough. All clients share the same bytes."""
MIN_GZIP_BYTES = 1000
"""What is shorter hardly gets shorter still."""
REVALIDATED = "no-cache"
"""A Cache-Control: asked for anew each time, and answered 304 where nothing has changed."""
PRIVATE = "private, no-cache"
"""A Cache-Control for what is of one client: kept by it alone, and revalidated each time, its key looked at."""
IMMUTABLE = "public, max-age=31536000, immutable"
"""A Cache-Control for addresses that name their content: never asked for again."""


class Prepared(Struct, frozen=True, kw_only=True):
    """A file in the forms in which it may be sent."""

    media_type: str
    chunks: tuple[bytes, ...]
    compressed: tuple[bytes, ...]
    """The same through gzip; empty where that does not pay."""
    digest: str

    def etag(self, *, compressed: bool) -> str:
        """Names these very bytes: another one for each form (RFC 9110, 8.8.3)."""
        return f'"{self.digest}-gz"' if compressed else f'"{self.digest}"'


def prepare(body: bytes, media_type: str, compressed: bytes = b"") -> Prepared:
    """Compressed once, ahead of all requests, where it does not come `compressed`."""
    if not compressed and len(body) >= MIN_GZIP_BYTES:
        compressed = gzip.compress(body, mtime=0)
    return Prepared(
        media_type=media_type,
        chunks=_cut(body),
        compressed=_cut(compressed) if 0 < len(compressed) < len(body) * 0.9 else (),
        digest=hashlib.sha256(body).hexdigest()[:32],
    )


def answer(
    request: Request[Any, Any, Any], prepared: Prepared, cache_control: str, headers: Mapping[str, str] | None = None
) -> Response[Any]:
    """The file, compressed where the client knows how to read that; 304 where the client has it."""
    compressed = bool(prepared.compressed) and takes_gzip(request.headers.get("accept-encoding", ""))
    etag = prepared.etag(compressed=compressed)
    common = {"ETag": etag, "Cache-Control": cache_control, "Vary": "Accept-Encoding", **(headers or {})}
    if held(request, etag):
        return Response(b"", status_code=304, media_type=prepared.media_type, headers=common)
    chunks = prepared.compressed if compressed else prepared.chunks
    if compressed:
        common["Content-Encoding"] = "gzip"
    common["Content-Length"] = str(sum(map(len, chunks)))
    return Stream(_one_by_one(chunks), media_type=prepared.media_type, headers=common)


def held(request: Request[Any, Any, Any], etag: str) -> bool:
    """Whether the client has these bytes already, as its If-None-Match says."""
    tags = [each.strip().removeprefix("W/") for each in request.headers.get("if-none-match", "").split(",")]
    return etag in tags or tags == ["*"]


async def _one_by_one(chunks: tuple[bytes, ...]) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


def _cut(body: bytes) -> tuple[bytes, ...]:
    return tuple(body[at : at + CHUNK_BYTES] for at in range(0, len(body), CHUNK_BYTES))


def takes_gzip(accepted: str) -> bool:
    for coding in accepted.lower().split(","):
        name, _, weight = coding.partition(";")
        if name.strip() in ("gzip", "*") and weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000"):
            return True
    return False


def _stored(path: Path) -> tuple[Path, Prepared]:
    """A file under the name that it is asked for by, and what is sent: `.gz` is how it lies here, not what it is."""
    body, name, compressed = path.read_bytes(), path.relative_to(WEB), b""
    if path.suffix == ".gz":
        body, name, compressed = gzip.decompress(body), name.with_suffix(""), body
    return name, prepare(body, mimetypes.guess_type(name)[0] or "text/plain", compressed)


FILES = dict(_stored(path) for path in sorted(WEB.rglob("*")) if path.is_file()) | {
    Path("sample.jpg"): prepare(SAMPLE.read_bytes(), "image/jpeg")
}
"""Every file that is served. Looked up rather than opened by name: no path of a client ever reaches the disk."""
VERSION = hashlib.sha256("".join(f"{path}{each.digest}" for path, each in FILES.items()).encode()).hexdigest()[:16]
"""Of all files together: modules name each other by relative addresses, so that a change to one changes all of them."""


def page(name: str) -> Prepared:
    """The HTML file of that name, with links to its other files that change whenever these do."""
    html = (WEB / name).read_text().replace('"static/', f'"static/{VERSION}/')
    return prepare(html.encode(), "text/html")
