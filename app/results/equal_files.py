"""Files that were read before: the result of an equal one is that of a new job, where its client wants that."""

import asyncio
import hashlib

import msgspec

from app.jobs.intake import Intake
from app.jobs.received import add_content
from app.jobs.retention import Retention
from ocr_engine.result import ImageInfo
from persistence.job import Job, JobOptions
from persistence.repeat import Repeat
from persistence.store import EqualGone, JobStore
from persistence.upload import Upload

DECISIVE = (
    "pages", "text_layer", "rotate", "min_confidence", "reading_order", "regions", "ignore", "check_boxes",
    "languages",
)  # fmt: skip
"""The options that decide what is read."""
IN_PASSING_BYTES = 100_000


class EqualFiles:
    """Tells which files are equal, and answers with what was read of them."""

    def __init__(
        self,
        store: JobStore,
        intake: Intake,
        retention: Retention,
        reading: bytes,
    ) -> None:
        """`reading`: how everything is read here, which is as decisive as the file."""
        self._store = store
        self._intake = intake
        self._retention = retention
        self._reading = reading

    async def fingerprint(self, upload: Upload, options: JobOptions) -> str:
        """Of the file and all that decides what is read in it.

        Empty for a file with a password: who has the file need not have that.
        """
        if upload.password:
            return ""

        def digest() -> str:
            decisive = {name: getattr(options, name) for name in DECISIVE}
            read = hashlib.sha256(self._reading + b"\n" + msgspec.json.encode(decisive) + b"\n")
            add_content(read, upload)
            return read.hexdigest()

        # of what is small a thread would cost more than it saves the event loop: 0.1 ms
        return digest() if upload.size <= IN_PASSING_BYTES else await asyncio.to_thread(digest)

    async def equal(self, owner: str, fingerprint: str, options: JobOptions) -> Job | None:
        """The owner's job whose result is that of such a file, too, where that is asked for; as JobStore.alike."""
        equal = await self._store.alike(owner, fingerprint) if options.dedupe == "content" else None
        return None if equal is None or self._retention.is_over(equal) else equal

    async def answer(
        self,
        owner: str,
        fingerprint: str,
        upload: Upload,
        info: ImageInfo,
        traceparent: str,
        options: JobOptions,
        repeat: Repeat | None,
    ) -> Job | None:
        """A new job that is done, where that is asked for and there is an equal one that stays; else None.

        Raises as Intake.answer.
        """
        equal = await self.equal(owner, fingerprint, options)
        if equal is None:
            return None
        try:
            return await self._intake.answer(equal, upload, info, traceparent, options, repeat)
        except EqualGone:
            return None
