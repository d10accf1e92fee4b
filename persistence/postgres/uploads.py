"""Uploads in PostgreSQL: small ones in one row, large ones in rows of CHUNK_BYTES, so that no side holds them whole.

Measured with 200 MB: one value takes 6.1 s and 959 MB of memory, rows of 1 MiB 3.8 s and 13 MB, a large object 9.1 s.
"""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

from persistence.job import Job
from persistence.postgres import pages
from persistence.postgres.connection import Connection, Connections
from persistence.rows import from_row
from persistence.store import StoreError
from persistence.upload import CHUNK_BYTES, IN_MEMORY_BYTES, StoredFile, Upload

TO_READ = f"""
    SELECT {pages.NAMES}, data FROM jobs LEFT JOIN images ON job_id = id AND parts = 0
        AND status = 'queued' AND NOT paged AND pages_total > 0 AND image_bytes <= $2
    WHERE id = $1
"""  # noqa: S608 - of our own constants only
"""The conditions of the join are those of `Job.read_from_memory`."""
PART = "INSERT INTO image_parts (job_id, number, data) VALUES ($1, $2, $3)"


async def insert(connection: Connection, job_id: str, upload: Upload) -> None:
    """The rows of an upload, in the transaction under way. Raises StoreError."""
    parts = 0 if upload.file is None else -(-upload.size // CHUNK_BYTES)
    await connection.execute(
        "INSERT INTO images (job_id, data, password, parts) VALUES ($1, $2, $3, $4)",
        job_id,
        upload.data,
        upload.password,
        parts,
    )
    if upload.file is not None:
        statement = await connection.prepare(PART)
        number = 0
        async for chunk in _chunks(upload.file):
            number += 1
            await statement.fetch(job_id, number, chunk)


async def drop(connection: Connection, job_id: str) -> None:
    """Forgets the upload, in the transaction under way."""
    await connection.execute("DELETE FROM images WHERE job_id = $1", job_id)


async def forget_password(connection: Connection, job_id: str) -> None:
    """The upload stays, its password goes, in the transaction under way."""
    await connection.execute("UPDATE images SET password = '' WHERE job_id = $1", job_id)


async def read(connections: Connections, job_id: str) -> bytes | None:
    """The uploaded bytes; None where there are none. Raises StoreError."""
    found = await connections.read(
        lambda connection: connection.fetchrow("SELECT data, parts FROM images WHERE job_id = $1", job_id)
    )
    if found is None:
        return None
    if not found["parts"]:
        return bytes(found["data"])
    parts = [await _part(connections, job_id, number) for number in range(1, found["parts"] + 1)]
    # one that is missing was dropped meanwhile, and so were all
    return None if None in parts else b"".join(part for part in parts if part is not None)


async def to_read(connection: Connection, job_id: str) -> tuple[Job, bytes | None] | None:
    """The job, and what was uploaded where it waits and a worker is to be handed that."""
    found = await connection.fetchrow(TO_READ, job_id, IN_MEMORY_BYTES)
    if found is None:
        return None
    row = dict(found)
    data = row.pop("data")
    return await pages.completed(connection, from_row(row)), data


async def fetch(connections: Connections, job_id: str, target: Path) -> StoredFile | None:
    """The upload, written to `target`; None where there is none. Raises StoreError."""
    found = await connections.read(
        lambda connection: connection.fetchrow("SELECT data, password, parts FROM images WHERE job_id = $1", job_id)
    )
    if found is None:
        return None
    try:
        await asyncio.to_thread(target.write_bytes, found["data"])
        for number in range(1, found["parts"] + 1):
            part = await _part(connections, job_id, number)
            if part is None:
                return None
            await asyncio.to_thread(_append, target, part)
    except OSError as error:
        raise StoreError(f"{target.parent} cannot be written: {error.strerror}") from error
    return StoredFile(path=target, password=found["password"])


async def _part(connections: Connections, job_id: str, number: int) -> bytes | None:
    part: bytes | None = await connections.read(
        lambda connection: connection.fetchval(
            "SELECT data FROM image_parts WHERE job_id = $1 AND number = $2", job_id, number
        )
    )
    return part


async def _chunks(file: Path) -> AsyncIterator[bytes]:
    try:
        with file.open("rb") as opened:
            while chunk := await asyncio.to_thread(opened.read, CHUNK_BYTES):
                yield chunk
    except OSError as error:
        raise StoreError(f"{file.parent} cannot be read: {error.strerror}") from error


def _append(target: Path, data: bytes) -> None:
    with target.open("ab") as file:
        file.write(data)
