"""What the pool does with files of pages: read one by one, drawn for people, written as a searchable PDF."""

import asyncio
import io
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from PIL import Image

from ocr_engine.errors import (
    ImageMissing,
    NoSuchPage,
    WorkerCrashed,
)
from ocr_engine.formats import Source
from ocr_engine.options import ReadOptions
from ocr_engine.result import DocumentInfo
from ocr_engine.searchable.order import PdfOrder
from ocr_engine.workers import process
from ocr_engine.workers.allowance import Allowance
from tests.integration.watched_pool import KNOWN, StartPool, three_pages, until_busy
from tests.pdf_readers import texts
from tests.pdfs import bomb, pdf, typed

pytestmark = pytest.mark.anyio


async def test_each_page_has_its_time(start_pool: StartPool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pool = await start_pool(job_timeout=20.0)
    allowances: list[float] = []

    class Noted(Allowance):
        def __init__(self, used: Callable[[], float], cpu_seconds: float) -> None:
            super().__init__(used, cpu_seconds)
            allowances.append(cpu_seconds)

    monkeypatch.setattr(process, "Allowance", Noted)
    file = tmp_path / "three.tiff"
    file.write_bytes(three_pages())
    for number in (1, 2, 3):
        await pool.read_page(file, number, ReadOptions())
    assert allowances == [20.0] * 3
    await pool.read_page(file, 1, ReadOptions(timeout=7.0), more_time=True)
    await pool.recognise(KNOWN.data, ReadOptions(timeout=99.0))
    assert allowances[3:] == [7.0, 20.0], "what a client allows, and never more than the pool does"


async def test_an_image_of_several_pages_is_read_in_one_go(start_pool: StartPool) -> None:
    pool = await start_pool()
    result = await pool.recognise(three_pages())
    assert [page.number for page in result.pages] == [1, 2, 3]
    assert [page.text for page in result.pages] == [KNOWN.text] * 3


async def test_the_pages_of_a_file_are_read_one_by_one_in_any_order(start_pool: StartPool, tmp_path: Path) -> None:
    pool = await start_pool()
    file = tmp_path / "three.tiff"
    file.write_bytes(three_pages())
    assert await pool.open(file, ReadOptions()) == DocumentInfo(media_type="image/tiff", pages=3)
    for number in (3, 1, 2):
        result = await pool.read_page(file, number, ReadOptions())
        assert [page.number for page in result.pages] == [number]
        assert (result.text, result.worker) == (KNOWN.text, "worker-1")
        assert result.timings.total >= result.timings.decode > 0
    with pytest.raises(NoSuchPage, match="no page 4"):
        await pool.read_page(file, 4, ReadOptions())
    assert pool.events[-1].kind == "started", "no worker died of it"


async def test_a_file_stays_open_from_page_to_page_until_it_is_forgotten(start_pool: StartPool, tmp_path: Path) -> None:
    pool = await start_pool()
    (pid,) = pool.pids()
    files = [tmp_path / "first.tiff", tmp_path / "second.png"]
    files[0].write_bytes(three_pages())
    files[1].write_bytes(KNOWN.data)

    def held() -> set[str]:
        return {file.path for file in psutil.Process(pid).open_files()} & {*map(str, files)}

    await pool.read_page(files[0], 1, ReadOptions())
    assert held() == {str(files[0])}
    await pool.read_page(files[1], 1, ReadOptions())
    assert held() == {str(files[1])}
    pool.forget(files[0])
    await pool.open(files[1], ReadOptions())
    assert held() == {str(files[1])}
    pool.forget(files[1])
    with pytest.raises(ImageMissing):  # after which the forgetting is done, too
        await pool.open(tmp_path / "none.png", ReadOptions())
    assert not held()


async def test_a_page_that_is_cancelled_stops_computing(start_pool: StartPool, tmp_path: Path) -> None:
    pool = await start_pool()
    file = tmp_path / "known.png"
    file.write_bytes(KNOWN.data)
    os.kill(pool.pids()[0], signal.SIGSTOP)
    page = asyncio.create_task(pool.read_page(file, 1, ReadOptions()))
    await until_busy(pool)
    page.cancel()
    await asyncio.wait({page})
    assert page.cancelled()
    pool.forget(file)  # of a dead process: harmless
    await pool.until("started")
    assert (await pool.read_page(file, 1, ReadOptions())).text == KNOWN.text


async def test_a_page_is_drawn_for_people_as_wide_as_they_want_it(start_pool: StartPool, tmp_path: Path) -> None:
    pool = await start_pool()
    file = tmp_path / "known.png"
    file.write_bytes(KNOWN.data)
    whole = Image.open(io.BytesIO(KNOWN.data))
    for width in (100, 10_000):
        shown = Image.open(io.BytesIO(await pool.render_page(file, 1, ReadOptions(), width)))
        assert shown.format == "JPEG"
        assert shown.width == min(width, whole.width)
        assert abs(shown.height - whole.height * shown.width / whole.width) <= 1


async def test_a_searchable_pdf_is_written_by_a_worker_and_never_in_the_services_process(
    start_pool: StartPool, tmp_path: Path
) -> None:
    pool = await start_pool()
    file, target = tmp_path / "known.png", tmp_path / "known.pdf"
    file.write_bytes(KNOWN.data)
    pages = (await pool.read_page(file, 1, ReadOptions())).pages
    await pool.write_searchable_pdf(
        PdfOrder(file=file, pages=pages, target=target, options=ReadOptions(), source=Source())
    )
    assert {" ".join(page.split()) for (page,) in texts(target).values()} == {" ".join(KNOWN.text.split())}
    file.unlink()
    with pytest.raises(ImageMissing):
        await pool.write_searchable_pdf(
            PdfOrder(file=file, pages=pages, target=target, options=ReadOptions(), source=Source())
        )
    only_for_workers = "import sys, app.main; sys.exit('pikepdf' in sys.modules or 'pypdfium2' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", only_for_workers], check=False).returncode == 0


async def test_a_page_that_unfolds_without_end_costs_its_own_worker_only(start_pool: StartPool, tmp_path: Path) -> None:
    pool = await start_pool()
    files = [tmp_path / "bomb.pdf", tmp_path / "sound.pdf"]
    files[0].write_bytes(bomb(1000))
    files[1].write_bytes(pdf(typed("Hello from page one"), typed("Hello from page two")))
    assert files[0].stat().st_size < 10_000
    with pytest.raises(WorkerCrashed):
        await pool.read_page(files[0], 1, ReadOptions())
    await pool.until("started")
    assert await pool.open(files[1], ReadOptions()) == DocumentInfo(media_type="application/pdf", pages=2)
    assert (await pool.read_page(files[1], 2, ReadOptions())).text == "Hello from page two"
