"""What was uploaded stays for a while after the end of its job: as it came, as pictures, and in searchable PDFs."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from app import clock
from app.jobs.admission import Admission, Limits
from app.jobs.kept_uploads import KeptUploads
from ocr_engine.errors import InvalidImage, OcrError, WorkersBusy
from ocr_engine.searchable.order import PdfOrder
from persistence.store import JobStore
from samples import sample
from tests.integration.test_results_api import run_of
from tests.scripted_pool import ScriptedPool

pytestmark = pytest.mark.anyio

PNG = sample("tiny").data
NO_LIMITS = Limits(max_waiting_bytes=10**9, min_free_disk=0, min_free_memory=0, max_jobs_per_key=0)


async def done(service: Any) -> str:
    """Its path."""
    job = await service.ended((await service.upload(PNG)).json()["id"])
    return f"/images/{job['id']}"


def kept(store: JobStore, hours: float, *, later: float = 0, limits: Limits = NO_LIMITS) -> KeptUploads:
    """As the service has it, so many hours later."""
    return KeptUploads(
        store, timedelta(hours=hours), Admission(store, limits), lambda: clock.now() + timedelta(hours=later)
    )


def nothing_left(service: Any) -> bool:
    return not [*service.service.store.staging.iterdir()]


async def test_the_upload_can_be_had_again_byte_for_byte(run: Any) -> None:
    async with run() as service:
        path = await done(service)
        answer = await service.client.get(f"{path}/file")
        assert (answer.status_code, answer.content) == (200, PNG)
        assert answer.headers["Content-Type"] == "image/png"
        name = path.rsplit("/", 1)[1] + ".png"
        assert answer.headers["Content-Disposition"] == f'attachment; filename="{name}"'
        again = await service.client.get(f"{path}/file", headers={"If-None-Match": answer.headers["ETag"]})
        assert (again.status_code, again.content) == (304, b"")
        assert nothing_left(service)


async def test_a_page_can_be_had_as_a_picture(run: Any) -> None:
    async with run() as service:
        path = await done(service)
        answer = await service.client.get(f"{path}/pages/1/image?width=300")
        assert (answer.headers["Content-Type"], answer.content) == ("image/jpeg", b"page 1 at 300")
        etag = answer.headers["ETag"]
        again = await service.client.get(f"{path}/pages/1/image?width=300", headers={"If-None-Match": etag})
        assert again.status_code == 304
        other = await service.client.get(f"{path}/pages/1/image", headers={"If-None-Match": etag})
        assert other.content == b"page 1 at 1200"
        assert nothing_left(service)


@pytest.mark.parametrize("query", ["?width=0", "?width=100000", "?width=wide", "?height=3"])
async def test_a_picture_of_no_sensible_width_is_refused(run: Any, query: str) -> None:
    async with run() as service:
        answer = await service.client.get(f"{await done(service)}/pages/1/image{query}")
        assert answer.status_code == 400


async def test_a_searchable_pdf_is_made_of_the_pages_that_are_asked_for(run: Any) -> None:
    async with run(ScriptedPool(run_of(3))) as service:
        path = await done(service)
        answer = await service.client.get(f"{path}/result", headers={"Accept": "application/pdf"})
        assert (answer.headers["Content-Type"], answer.content) == ("application/pdf", b"%PDF-1,2,3")
        assert answer.headers["Content-Length"] == str(len(answer.content))
        some = await service.client.get(f"{path}/result?format=pdf&pages=2-3")
        assert some.content == b"%PDF-2,3"
        assert nothing_left(service)


async def test_a_pdf_that_cannot_be_made_is_a_problem_and_leaves_nothing_behind(run: Any) -> None:
    class Failing(ScriptedPool):
        error: OcrError = InvalidImage("broken")

        async def write_searchable_pdf(self, order: PdfOrder, *, patience: float | None = None) -> None:
            order.target.write_bytes(b"half")
            raise self.error

    pool = Failing(default=run_of(1))
    async with run(pool) as service:
        path = await done(service)
        for pool.error, status in ((InvalidImage("broken"), 422), (WorkersBusy("all read"), 503)):
            assert (await service.client.get(f"{path}/result?format=pdf")).status_code == status
            assert nothing_left(service)


@pytest.mark.parametrize("rest", ["file", "pages/1/image", "result?format=pdf"])
async def test_what_needs_the_upload_is_410_once_it_is_dropped_and_the_text_stays(run: Any, rest: str) -> None:
    async with run(ScriptedPool(run_of(1))) as service:
        path = await done(service)
        store = service.service.store
        assert await kept(store, 24).expire() == 0
        assert (await service.client.get(f"{path}/{rest}")).status_code == 200
        assert await kept(store, 24, later=25).expire() == 1
        answer = await service.client.get(f"{path}/{rest}")
        assert (answer.status_code, answer.json()["code"]) == (410, "upload_expired")
        assert (await service.client.get(f"{path}/result")).status_code == 200


async def test_the_result_says_until_when_the_upload_stays(run: Any) -> None:
    async with run(keep_uploads_hours=2.0) as service:
        job = (await service.client.get(await done(service))).json()
        assert job["upload_until"][:13] > job["timestamp"][:13]
    async with run(keep_uploads_hours=0.0) as service:
        path = await done(service)
        assert (await service.client.get(path)).json()["upload_until"] is None
        assert (await service.client.get(f"{path}/file")).status_code == 410


@pytest.mark.parametrize(
    ("service_hours", "asked", "told"),
    [
        (24.0, "", 24),
        (24.0, "true", 24),
        (24.0, "48", 48),
        (24.0, "1.5", 1.5),
        (24.0, "false", None),
        (24.0, "0", None),
        (0.0, "", None),
        (0.0, "true", 24),
        (0.0, "2", 2),
    ],
)
async def test_a_job_may_ask_for_how_long_its_upload_stays(
    run: Any, service_hours: float, asked: str, told: float | None
) -> None:
    async with run(keep_uploads_hours=service_hours) as service:
        sent = await service.client.post("/images", files={"file": PNG}, data={"keep_upload": asked})
        job = await service.ended(sent.json()["id"])
        path, store = f"/images/{job['id']}", service.service.store
        if told is None:
            assert job["upload_until"] is None
            assert (await service.client.get(f"{path}/file")).status_code == 410
            return
        stays = datetime.fromisoformat(job["upload_until"]) - datetime.fromisoformat(job["timestamp"])
        assert stays == timedelta(hours=told)
        assert await kept(store, service_hours, later=told - 0.1).expire() == 0
        assert (await service.client.get(f"{path}/file")).status_code == 200
        assert await kept(store, service_hours, later=told + 0.1).expire() == 1


async def test_operators_bound_how_long_an_upload_stays(run: Any) -> None:
    async with run(keep_uploads_hours=2.0, max_keep_uploads_hours=0.0) as service:
        answers = [
            await service.client.post("/images", files={"file": PNG}, data={"keep_upload": asked})
            for asked in ("2", "2.1", "true", "false")
        ]
        assert [answer.status_code for answer in answers] == [202, 400, 202, 202]
        assert "from 0 to 2" in answers[1].json()["detail"]


async def test_while_the_disk_is_short_uploads_go_before_their_time(run: Any) -> None:
    async with run(ScriptedPool(run_of(1))) as service:
        await done(service)
        short = Limits(max_waiting_bytes=10**9, min_free_disk=10**18, min_free_memory=0, max_jobs_per_key=0)
        assert await kept(service.service.store, 24, limits=short).expire() == 1


async def test_another_keys_file_is_as_unknown_as_none(run: Any) -> None:
    async with run() as service:
        for rest in ("file", "pages/1/image"):
            answer = await service.client.get(f"/images/6d1f6ed2-0000-4000-8000-000000000000/{rest}")
            assert (answer.status_code, answer.json()["code"]) == (404, "job_not_found")
