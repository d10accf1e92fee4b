"""What is told of a received file before it is a job: its bytes, its type, and whether it was sent before."""

import asyncio
import contextlib
import hashlib
import sys
from collections.abc import Iterator, Sequence

import msgspec

from ocr_engine.errors import OcrError, UnsupportedImage
from ocr_engine.image import probe
from ocr_engine.image.mapped import Buffer, MappedFile, map_file
from persistence.job import JobOptions
from persistence.repeat import AlreadySubmitted, Repeat
from persistence.upload import CHUNK_BYTES, Upload


class IdempotencyKeyReused(Exception):
    """The key stands for another upload."""

    def __init__(self) -> None:
        super().__init__("something else was sent with this Idempotency-Key before")


@contextlib.contextmanager
def content_of(upload: Upload) -> Iterator[Buffer]:
    """Its bytes, of a large one not in memory."""
    if upload.file is None:
        yield upload.data
        return
    mapped = map_file(upload.file)
    try:
        yield mapped
    finally:
        if isinstance(mapped, MappedFile):
            mapped.close()


def add_content(digest: "hashlib._Hash", upload: Upload) -> None:
    """Adds its bytes; of a large one piece by piece, since all that is read of a mapping counts as memory."""
    if upload.file is None:
        digest.update(upload.data)
        return
    with upload.file.open("rb") as file:
        while piece := file.read(CHUNK_BYTES):
            digest.update(piece)


async def repeat_of(owner: str, key: str, upload: Upload, options: JobOptions, sources: Sequence[str] = ()) -> Repeat:
    """A form differs at each try: what counts is the file, and what was asked of it but its password.

    Of a file that was fetched its URL counts, in `sources`, whatever is there by now.
    """

    def digest() -> str:
        read = hashlib.sha256(msgspec.json.encode(options) + b"\n")
        if sources:
            read.update(msgspec.json.encode(sources))
            return read.hexdigest()
        add_content(read, upload)
        return read.hexdigest()

    return Repeat(owner=owner, key=key, fingerprint=await asyncio.to_thread(digest))  # 36 ms for 32 MB


def named_by(first: AlreadySubmitted, repeat: Repeat | None) -> str:
    """Id of the job or batch that the key of a request that came again stands for.

    Raises IdempotencyKeyReused where something else was sent with it then.
    """
    if repeat is None or first.fingerprint != repeat.fingerprint:
        raise IdempotencyKeyReused from None
    return first.job_id


def require_known_type(head: bytes) -> None:
    """Raises UnsupportedImage where a file that begins so is none that is read, whatever follows."""
    try:
        probe(head, max_pixels=sys.maxsize)
    except UnsupportedImage:
        raise
    except OcrError:
        return  # a header that is not whole yet


def type_by_bytes(image: Buffer) -> str:
    """The type of an upload as its bytes say, beyond all limits too; `unknown` where no image's header can be read."""
    try:
        return probe(image, max_pixels=sys.maxsize).media_type
    except OcrError:
        return "unknown"
