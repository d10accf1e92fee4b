"""Uploads on their way in, on a disk that is full."""

import uuid
from pathlib import Path
from types import SimpleNamespace

import pytest

from app.jobs.incoming import Incoming
from persistence.store import StoreFull

pytestmark = pytest.mark.anyio


async def test_an_upload_whose_last_bytes_find_no_room_is_refused_as_such(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uuid, "uuid4", lambda: SimpleNamespace(hex="full"))
    (tmp_path / "upload-full").symlink_to("/dev/full")
    async with Incoming(1000, in_memory=4).body("ann", tmp_path) as body:
        await body.add(b"12345")  # into the buffer of the file
        with pytest.raises(StoreFull):
            await body.upload()
