"""What is deleted is gone: of the API at once, and of the files that it was in."""

from pathlib import Path
from typing import Any

import pytest

from ocr_engine.errors import InvalidImage
from persistence.sqlite.connection import connect_reader
from samples import sample
from tests.scripted_pool import ScriptedPool, text_result

pytestmark = pytest.mark.anyio

PNG = sample("tiny").data
NEEDLE = "text-that-nobody-else-has-written"


async def test_a_job_that_ended_is_erased_at_once_and_answers_410(run: Any) -> None:
    async with run(ScriptedPool(text_result("read"), InvalidImage("broken"))) as service:
        for status in ("done", "dead-letter"):
            job_id = (await service.upload(PNG)).json()["id"]
            assert (await service.ended(job_id))["status"] == status
            assert (await service.client.delete(f"/images/{job_id}")).status_code == 204
            for answer in (
                await service.client.get(f"/images/{job_id}"),
                await service.client.delete(f"/images/{job_id}"),
                await service.client.get(f"/images/{job_id}/result"),
                await service.client.get(f"/images/{job_id}/events"),
            ):
                assert (answer.status_code, answer.json()["code"]) == (410, "job_gone")
            assert await service.service.store.image(job_id) is None


async def test_an_erased_text_is_in_no_file_of_the_database_any_more(run: Any, tmp_path: Path) -> None:
    async with run(ScriptedPool(default=text_result(NEEDLE))) as service:
        kept, erased = [(await service.client.post("/images?wait=30", files={"file": PNG})).json() for _ in range(2)]
        assert holds(tmp_path, NEEDLE)
        for job in (kept, erased):
            assert (await service.client.delete(f"/images/{job['id']}")).status_code == 204
        assert not holds(tmp_path, NEEDLE)


async def test_what_a_reader_holds_is_wiped_with_the_next_write_after_it(run: Any, tmp_path: Path) -> None:
    async with run(ScriptedPool(text_result(NEEDLE), text_result("another"))) as service:
        job = (await service.client.post("/images?wait=30", files={"file": PNG})).json()
        backup = connect_reader(tmp_path / "jobs.db")
        backup.execute("BEGIN")
        assert backup.execute("SELECT count(*) FROM jobs").fetchone() == (1,)
        assert (await service.client.delete(f"/images/{job['id']}")).status_code == 204
        backup.close()
        await service.client.post("/images?wait=30", files={"file": PNG})
        assert not holds(tmp_path, NEEDLE)


def holds(folder: Path, needle: str) -> bool:
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert files
    return any(needle.encode() in path.read_bytes() for path in files)
