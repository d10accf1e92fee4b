"""What came in is looked at without being held in memory."""

import hashlib
from pathlib import Path
from typing import Any

from app.jobs.received import add_content
from persistence.upload import CHUNK_BYTES, Upload


class Pieces:
    """A digest that notes how much it is given at a time."""

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self.digest = hashlib.sha256()

    def update(self, piece: bytes) -> None:
        self.sizes.append(len(piece))
        self.digest.update(piece)


def test_a_large_upload_is_digested_piece_by_piece(tmp_path: Path) -> None:
    file = tmp_path / "upload"
    content = bytes(range(256)) * 20_000
    file.write_bytes(content)
    pieces: Any = Pieces()
    add_content(pieces, Upload(size=len(content), file=file))
    assert max(pieces.sizes) <= CHUNK_BYTES < sum(pieces.sizes) == len(content)
    assert pieces.digest.digest() == hashlib.sha256(content).digest()
    whole = hashlib.sha256()
    add_content(whole, Upload.of(content))
    assert whole.digest() == pieces.digest.digest()
