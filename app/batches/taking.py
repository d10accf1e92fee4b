"""How a batch is taken in: what fits becomes jobs, stored all at once together with why the others did not."""

import asyncio
import contextlib
import hashlib
import uuid
from collections.abc import Awaitable, Callable, Sequence

import msgspec
from loguru import logger

from app import clock
from app.batches.parcel import Arrived, Parcel, Parcels
from app.batches.refusals import NothingTaken, Refusal, RefusedFile
from app.jobs.admission import Admission
from app.jobs.incoming import UploadFields
from app.jobs.intake import Intake
from app.jobs.received import content_of, named_by
from app.results.equal_files import EqualFiles
from app.telemetry.observers import Observers
from ocr_engine.errors import OcrError
from ocr_engine.image import probe
from ocr_engine.result import ImageInfo
from persistence.batches.batch import Batch, BatchFile, NewJob
from persistence.queue import JobQueue, QueueFull
from persistence.repeat import REPEAT_TIME, AlreadySubmitted, Repeat
from persistence.store import JobStore

RefusalOf = Callable[[Exception], Refusal | None]
"""What an error means to a client; None where it has no name."""


class Sender(msgspec.Struct, frozen=True, kw_only=True):
    """Who sends a batch, and how."""

    owner: str
    client: str
    idempotency_key: str = ""
    traceparent: str = ""
    """As it came with the request."""


class Taking:
    """Takes batches in. All their jobs are durable together, then queued."""

    def __init__(
        self,
        *,
        store: JobStore,
        queue: JobQueue,
        intake: Intake,
        equal_files: EqualFiles,
        admission: Admission,
        parcels: Parcels,
        observers: Observers,
        refusal_of: RefusalOf,
        callback_url: Callable[[str, str], Awaitable[str]],
        max_pixels: int,
    ) -> None:
        """`callback_url`: as Webhooks has it."""
        self._store = store
        self._queue = queue
        self._intake = intake
        self._equal_files = equal_files
        self._admission = admission
        self._parcels = parcels
        self._observers = observers
        self._refusal_of = refusal_of
        self._callback_url = callback_url
        self._max_pixels = max_pixels

    async def submit(
        self,
        receive: Callable[[Parcel], Awaitable[UploadFields]],
        sender: Sender,
        grant: Callable[[int], tuple[int, Exception | None]],
    ) -> str:
        """The id of the batch of the files that `receive` gathers; with a key that was used before that of then.

        Of files that are good, as many as `grant` lets in, the quota allows and queue and store have room for become
        jobs, from the first on; where none does, the batch is refused as a whole. Raises NothingTaken,
        IdempotencyKeyReused, CallbackRefused, WebhooksOff, what `receive` raises, and as Intake.submit.
        """
        try:
            key = sender.idempotency_key
            since = clock.now() - REPEAT_TIME
            earlier = await self._store.submitted(sender.owner, key, since) if key else None
            if earlier is None:
                with self._queue.reserve():
                    pass  # refuse before the body is read, not after
            async with self._parcels.parcel(sender.client) as parcel:
                fields = await receive(parcel)
                repeat = await _repeat_of(sender, parcel.arrived, fields) if key else None
                try:
                    if earlier is not None:
                        raise earlier
                    return await self._take(parcel.arrived, fields, sender, repeat, grant)
                except AlreadySubmitted as first:
                    return named_by(first, repeat)
        except Exception as error:
            self._observers.upload_refused("unknown", error)
            raise

    async def _take(
        self,
        arrived: Sequence[Arrived],
        fields: UploadFields,
        sender: Sender,
        repeat: Repeat | None,
        grant: Callable[[int], tuple[int, Exception | None]],
    ) -> str:
        batch_id = str(uuid.uuid4())
        traceparent = self._observers.traceparent() or sender.traceparent
        callback_url = await self._callback_url(fields.options.callback_url, sender.owner)
        good, refused = await self._judged(arrived, fields, sender.owner, traceparent, batch_id)
        async with contextlib.AsyncExitStack() as held:
            granted, lacking = grant(len(good))
            places, full = self._reserved(held, granted)
            lacking = full or lacking
            sizes = [new.upload.size for new in good[:places]]
            admitted, short = await held.enter_async_context(self._admission.admit_many(sender.owner, sizes))
            lacking = short or lacking
            taken, left = good[:admitted], good[admitted:]
            if left and lacking is not None:
                if not taken:
                    raise lacking
                refused |= {new.job.batch_number: self._refusal(lacking) for new in left}
                self._observers.upload_refused("unknown", lacking)
            names = [each.name for each in arrived]
            if not taken:
                raise NothingTaken(
                    [
                        RefusedFile(number=number, name=names[number - 1], why=why)
                        for number, why in sorted(refused.items())
                    ]
                )
            batch = Batch(
                id=batch_id,
                owner=sender.owner,
                created_at=taken[0].job.created_at,
                files=len(arrived),
                jobs=len(taken),
                unfinished=len(taken),
                options=msgspec.structs.replace(fields.options, callback_url=callback_url),
                traceparent=traceparent,
            )
            answered = await self._store.batches.add(batch, _files(names, taken, refused), taken, repeat)
            logger.bind(event="batch.accepted", batch_id=batch_id, jobs=len(taken), refused=len(refused)).info(
                "batch accepted"
            )
            for new in taken:
                await self._intake.stored(new, new.job.id in answered)
        return batch_id

    async def _judged(
        self, arrived: Sequence[Arrived], fields: UploadFields, owner: str, traceparent: str, batch_id: str
    ) -> tuple[list[NewJob], dict[int, Refusal]]:
        """The jobs of the files that are good, and why the others are not, by number."""
        options = msgspec.structs.replace(fields.options, callback_url="")
        good: list[NewJob] = []
        refused: dict[int, Refusal] = {}
        for number, (each, info) in enumerate(await asyncio.to_thread(self._probed, arrived), 1):
            upload = msgspec.structs.replace(each.upload, password=fields.password)
            try:
                if isinstance(info, Exception):
                    raise info
                mark = await self._equal_files.fingerprint(upload, options)
                new = self._intake.new_job(upload, info, owner, traceparent, options, batch_id, number, mark)
                equal = await self._equal_files.equal(owner, mark, options)
            except Exception as error:
                refused[number] = self._refusal(error)
                self._observers.upload_refused(info.media_type if isinstance(info, ImageInfo) else "unknown", error)
            else:
                good.append(msgspec.structs.replace(new, equal=equal))
        return good, refused

    def _reserved(self, held: contextlib.AsyncExitStack, places: int) -> tuple[int, QueueFull | None]:
        """How many of so many places the queue has, held as long as `held`; and what it says where it has fewer."""
        for place in range(places):
            try:
                held.enter_context(self._queue.reserve())
            except QueueFull as error:
                return place, error
        return places, None

    def _probed(self, arrived: Sequence[Arrived]) -> list[tuple[Arrived, ImageInfo | Exception]]:
        """What each file's first bytes say, or why it is refused."""

        def info_of(each: Arrived) -> ImageInfo | Exception:
            if each.error is not None:
                return each.error
            try:
                with content_of(each.upload) as content:
                    return probe(content, self._max_pixels)
            except OcrError as error:
                return error

        return [(each, info_of(each)) for each in arrived]

    def _refusal(self, error: Exception) -> Refusal:
        """Raises the error where it is none that clients are told of."""
        refusal = self._refusal_of(error)
        if refusal is None:
            raise error
        return refusal


def _files(names: Sequence[str], taken: Sequence[NewJob], refused: dict[int, Refusal]) -> list[BatchFile]:
    jobs = {new.job.batch_number: new.job.id for new in taken}
    return [
        BatchFile(
            number=number,
            name=name,
            job_id=jobs.get(number, ""),
            code=refused[number].code if number in refused else "",
            detail=refused[number].detail if number in refused else "",
        )
        for number, name in enumerate(names, 1)
    ]


async def _repeat_of(sender: Sender, arrived: Sequence[Arrived], fields: UploadFields) -> Repeat:
    """As with single files: what counts is what was sent, and what was asked of it but the password."""

    def digest() -> str:
        read = hashlib.sha256(b"batch\n" + msgspec.json.encode(fields.options))
        if fields.sources:
            read.update(msgspec.json.encode(fields.sources))
            return read.hexdigest()
        for each in arrived:
            read.update(msgspec.json.encode([each.name, each.upload.size, str(each.error or "")]))
            with content_of(each.upload) as content:
                read.update(content)
        return read.hexdigest()

    return Repeat(owner=sender.owner, key=sender.idempotency_key, fingerprint=await asyncio.to_thread(digest))
