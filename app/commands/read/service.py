"""Reads files by a service: uploads them, waits for their ends, fetches what was read."""

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from urllib.parse import urlencode

import msgspec
from msgspec import Struct

from app import clock
from app.commands.read.client import Answer, Body, Client, Unreachable
from app.commands.read.outputs import unwritable
from app.commands.read.reading import Asked, CannotGoOn, Draft, Told, Unreadable, of_one_page
from app.delivery.backoff import retry_after

WAIT_SECONDS = 25
"""That a request waits for the end of its job; the service may allow less."""
SERVICE_PATIENCE_SECONDS = 600.0
"""How long a service may be busy, or away after it has answered once, before it is given up."""
ANOTHER_TRY_SECONDS = 2.0
"""Before another try where the service does not say when."""
LONGEST_PAUSE_SECONDS = 30.0
CANCEL_SECONDS = 3.0
"""For taking back a job when the command is interrupted."""
BUSY = (429, 502, 503, 504, 507)
"""It may be otherwise soon."""
CHUNK_BYTES = 256 * 1024


class _Fault(Struct):
    code: str = ""
    detail: str = ""
    title: str = ""


class _Page(Struct):
    number: int
    error: _Fault | None = None


class _Job(Struct):
    """What is looked at of a job."""

    id: str
    status: str
    pages_total: int | None = None
    pages_done: int = 0
    failed_pages: tuple[int, ...] = ()
    pages: tuple[_Page, ...] = ()
    error: _Fault | None = None


class ReaderByService:
    """A FileReader by the service at an address."""

    def __init__(
        self,
        url: str,
        key: str,
        asked: Asked,
        *,
        at_once: int,
        patience: float = SERVICE_PATIENCE_SECONDS,
        pause: float = ANOTHER_TRY_SECONDS,
    ) -> None:
        self._url = url
        self._client = Client(url, key)
        self._asked = asked
        self.at_once = at_once
        self._patience = patience
        self._pause = pause
        self._has_answered = False

    async def read(self, source: Path, name: str, drafts: Sequence[Draft], told: Told) -> Sequence[str]:
        """See FileReader. A job that is not through when this is cancelled is taken back."""
        job = await self._submitted(source, drafts)
        try:
            job = await self._ended(job, told)
        except asyncio.CancelledError:
            with contextlib.suppress(Unreachable, TimeoutError):
                async with asyncio.timeout(CANCEL_SECONDS):
                    await self._client.ask("DELETE", f"/images/{job.id}")
            raise
        if job.status != "done":
            raise Unreadable(_told(job.error) or f"its job is {job.status}")
        of_one_page(drafts, job.pages_done)
        for draft in drafts:
            await self._fetch(job, draft)
        errors = {page.number: page.error for page in job.pages}
        return [f"page {number}: {_told(errors.get(number)) or 'it could not be read'}" for number in job.failed_pages]

    async def _submitted(self, source: Path, drafts: Sequence[Draft]) -> _Job:
        fields = {
            **dict(self._asked.options),
            "pages": self._asked.pages,
            "language": self._asked.languages,
            "text_layer": self._asked.text_layer,
            "password": self._asked.password,
            # a PDF is made of the file, which the service might drop at the job's end
            "keep_upload": "1" if any(draft.format.name == "pdf" for draft in drafts) else "",
        }
        # a try whose answer was lost makes no second job
        headers = {"Idempotency-Key": str(uuid.uuid4())}
        form = _Form(source, {name: value for name, value in fields.items() if value})
        return _job(await self._asked_for("POST", "/images", (200, 202), headers=headers, form=form))

    async def _ended(self, job: _Job, told: Told) -> _Job:
        while job.status in ("queued", "processing"):
            if job.pages_total:
                told(job.pages_done + len(job.failed_pages), job.pages_total)
            job = _job(await self._asked_for("GET", f"/images/{job.id}?wait={WAIT_SECONDS}", (200, 202)))
        told(job.pages_done + len(job.failed_pages), job.pages_total or 1)
        return job

    async def _fetch(self, job: _Job, draft: Draft) -> None:
        query = {"format": draft.format.name}
        if draft.format.name == "json" and self._asked.detail:
            query["detail"] = self._asked.detail
        if draft.format.name == "text" and self._asked.rows:
            query["rows"] = self._asked.rows
        await self._asked_for("GET", f"/images/{job.id}/result?{urlencode(query)}", (200,), into=draft.path)

    async def _asked_for(
        self,
        method: str,
        path: str,
        good: Sequence[int],
        *,
        headers: Mapping[str, str] | None = None,
        form: "_Form | None" = None,
        into: Path | None = None,
    ) -> Answer:
        """A good answer, as soon as the service gives one. Raises Unreadable, CannotGoOn or CannotWrite."""
        loop = asyncio.get_running_loop()
        end, pause = loop.time() + self._patience, self._pause
        while True:
            try:
                answer = await self._once(method, path, headers, form, into)
            except Unreachable as error:
                if not self._has_answered or loop.time() > end:
                    raise CannotGoOn(f"{self._url} cannot be reached: {error}") from error
                seconds = pause
            else:
                self._has_answered = True
                if answer.status in good:
                    return answer
                if answer.status not in BUSY or loop.time() > end:
                    raise _refused(answer, self._url)
                seconds = retry_after(answer.headers.get("retry-after", ""), clock.now()).total_seconds() or pause
            await asyncio.sleep(min(seconds, LONGEST_PAUSE_SECONDS))
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)

    async def _once(
        self, method: str, path: str, headers: Mapping[str, str] | None, form: "_Form | None", into: Path | None
    ) -> Answer:
        body = form.body() if form else None
        if into is None:
            return await self._client.ask(method, path, headers=headers, body=body)
        try:
            with into.open("wb") as file:
                return await self._client.ask(method, path, headers=headers, body=body, into=file)
        except OSError as error:
            raise unwritable(into, error) from error


class _Form:
    """multipart/form-data of a file and fields, which can be sent again."""

    def __init__(self, source: Path, fields: Mapping[str, str]) -> None:
        self._source = source
        self._boundary = uuid.uuid4().hex
        head = [f"--{self._boundary}\r\n{_disposition(name)}\r\n\r\n{value}\r\n" for name, value in fields.items()]
        head.append(f'--{self._boundary}\r\n{_disposition("file")}; filename="upload"\r\n\r\n')
        self._head = "".join(head).encode()
        self._tail = f"\r\n--{self._boundary}--\r\n".encode()

    def body(self) -> Body:
        """Raises Unreadable."""
        try:
            size = self._source.stat().st_size
        except OSError as error:
            raise Unreadable(error.strerror or str(error)) from error
        return Body(
            parts=self._parts(size),
            size=len(self._head) + size + len(self._tail),
            media_type=f"multipart/form-data; boundary={self._boundary}",
        )

    async def _parts(self, size: int) -> AsyncIterator[bytes]:
        yield self._head
        try:
            with self._source.open("rb") as file:
                while chunk := file.read(min(CHUNK_BYTES, size)):
                    size -= len(chunk)
                    yield chunk
        except OSError as error:
            raise Unreadable(error.strerror or str(error)) from error
        if size:
            raise Unreadable("it became shorter while it was sent")
        yield self._tail


def _disposition(name: str) -> str:
    return f'Content-Disposition: form-data; name="{name}"'


def _job(answer: Answer) -> _Job:
    try:
        return msgspec.json.decode(answer.body, type=_Job)
    except msgspec.MsgspecError as error:
        raise CannotGoOn(f"the service answers what is no job: {error}") from error


def _refused(answer: Answer, url: str) -> Unreadable | CannotGoOn:
    try:
        why = _told(msgspec.json.decode(answer.body, type=_Fault))
    except msgspec.MsgspecError:
        why = ""
    if answer.status in (401, 403):
        return CannotGoOn(f"{url} refuses the key: {why or answer.status}")
    if 300 <= answer.status < 400:
        return CannotGoOn(f"{url} leads to {answer.headers.get('location', 'elsewhere')}: say that as --url")
    if not why:
        return CannotGoOn(f"{url} answers {answer.status}, and not as the service does")
    return Unreadable(why)


def _told(fault: _Fault | None) -> str:
    if fault is None or not (fault.detail or fault.title):
        return ""
    return f"{fault.detail or fault.title} ({fault.code})"
