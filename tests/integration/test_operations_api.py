"""`/queue` and `/metrics` as autoscalers and Prometheus meet them."""

import io
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from prometheus_client.parser import text_string_to_metric_families

from app.http.access.key_file import hash_key
from app.http.requests.languages import languages_told
from config.settings import Settings
from ocr_engine.errors import InvalidImage
from ocr_engine.formats import EVERY_FORMAT
from ocr_engine.recognition.letters.languages import UnknownLanguage
from ocr_engine.scripts.data import NONE, find_data
from samples import sample
from tests.pdfs import Leaf, pdf
from tests.scripted_pool import ScriptedPool
from tests.unit.image.heic import HEIC

pytestmark = pytest.mark.anyio

PNG = sample("health").data


def pages(number: int) -> bytes:
    """A TIFF of so many pages of 9 x 9 pixels."""
    page, file = Image.new("1", (9, 9)), io.BytesIO()
    page.save(file, "TIFF", save_all=True, append_images=[page] * (number - 1))
    return file.getvalue()


TIFF = pages(3)
KINDS = {"done": "read", "failed": "failed"}
"""A label of the metric -> its word in the history."""
NOTHING = {"begins": "", "pages_read": 0, "pages_failed": 0, "wait_seconds": None, "recognition_seconds": None}


async def scraped(service: Any) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    answer = await service.client.get("/metrics")
    assert answer.status_code == 200
    # the version that every scraper reads: older ones refuse 1.0.0, which only those get that ask for it
    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


async def test_the_queue_shows_work_and_speed(run: Any) -> None:
    async with run() as service:
        service.pool.hold()
        for _ in range(3):
            await service.upload(PNG)
        await service.pool.started.acquire()
        view = (await service.client.get("/queue")).json()
        assert (view["depth"], view["active"], view["workers"]) == (2, 1, 1)
        assert view["drain_seconds"] == pytest.approx(3 * view["service_seconds"])
        service.pool.release()


async def test_the_pages_of_a_requeued_file_are_work_that_waits(run: Any) -> None:
    async with run(ScriptedPool(*[InvalidImage("bad")] * 3)) as service:
        letter = (await service.upload(TIFF)).json()["id"]
        await service.ended(letter)
        for _ in range(3):
            await service.pool.started.acquire()
        service.pool.hold()
        await service.upload(PNG)
        await service.pool.started.acquire()
        assert (await service.client.post(f"/dead-letters/{letter}/requeue")).status_code == 202
        view = (await service.client.get("/queue")).json()
        assert view["drain_seconds"] == pytest.approx((1 + 3) * view["service_seconds"])
        service.pool.release()


async def test_the_last_hour_is_there_by_minutes_also_of_what_was_erased_and_after_a_restart(
    run: Any, tmp_path: Path
) -> None:
    database = f"sqlite:///{tmp_path}/history.db"
    async with run(ScriptedPool(InvalidImage("bad")), database_url=database) as service:
        for image in (PNG, TIFF):
            job_id = (await service.upload(image)).json()["id"]
            await service.ended(job_id)
        assert (await service.client.delete(f"/images/{job_id}")).status_code == 204
        figures = await scraped(service)
        pages = {dict(labels)["status"]: n for (name, labels), n in figures.items() if name == "ocr_pages_ended_total"}
        taken = figures["ocr_recognition_seconds_sum", frozenset()]
    async with run(database_url=database) as service:
        minutes = (await service.client.get("/queue/history")).json()["minutes"]
    assert len(minutes) == 60
    assert [each["begins"] for each in minutes] == sorted({each["begins"] for each in minutes})
    assert {kind: sum(each[f"pages_{name}"] for each in minutes) for kind, name in KINDS.items()} == pages
    assert pages == {"done": 3, "failed": 1}
    read = sum(each["pages_read"] * each["recognition_seconds"] for each in minutes if each["pages_read"])
    assert read == pytest.approx(taken)
    assert minutes[0] | {"begins": ""} == NOTHING


async def test_a_scrape_shows_what_happened(run: Any) -> None:
    async with run() as service:
        job_id = (await service.upload(PNG)).json()["id"]
        await service.ended(job_id)
        await service.upload(b"no image")
        await service.client.get("/nowhere/at/all")
        await service.client.get("/health/ai")
        figures = await scraped(service)

        def figure(name: str, **labels: str) -> float:
            return figures[name, frozenset(labels.items())]

        assert figure("ocr_jobs_ended_total", status="done", code="") == 1
        assert figure("ocr_jobs", status="done") == 1
        assert figure("ocr_uploads_total", media_type="image/png", outcome="accepted") == 1
        assert figure("ocr_uploads_total", media_type="unknown", outcome="unsupported_media_type") == 1
        assert figure("ocr_http_request_seconds_count", method="POST", route="/images", status="202") == 1
        assert figure("ocr_http_request_seconds_count", method="GET", route="unmatched", status="404") == 1
        assert figure("ocr_store_seconds_count", operation="add") == 1
        assert figure("ocr_workers", state="idle") == 1
        assert figure("ocr_store_free_bytes") > 0
        assert sum(figure("ocr_ai_health", grade=grade) for grade in ("good", "acceptable", "low", "failing")) == 1


@pytest.mark.parametrize(
    ("image", "limits", "media_type", "code"),
    [
        (TIFF, {"max_image_pages": 2}, "image/tiff", "too_many_pages"),
        (TIFF, {"max_image_pixels": 80}, "image/tiff", "too_many_pixels"),
        (PNG, {"max_waiting_bytes": 1}, "image/png", "queue_full"),
        (PNG[:20], {}, "unknown", "invalid_image"),
        (PNG, {"max_image_bytes": 100}, "unknown", "image_too_large"),
    ],
    ids=["pages", "pixels", "room", "damaged", "bytes"],
)
async def test_a_refused_upload_is_counted_under_the_type_that_its_bytes_say(
    run: Any, image: bytes, limits: dict[str, int], media_type: str, code: str
) -> None:
    async with run(**limits) as service:
        answer = await service.upload(image, **{"Content-Type": "image/bmp"})
        assert answer.json()["code"] == code
        figures = await scraped(service)
        counted = {key: count for key, count in figures.items() if key[0] == "ocr_uploads_total"}
        labels = frozenset({("media_type", media_type), ("outcome", code)})
        assert counted == {("ocr_uploads_total", labels): 1}


async def test_an_upload_that_waits_shows_its_age(run: Any) -> None:
    async with run() as service:
        service.pool.hold()
        await service.upload(PNG)
        await service.pool.started.acquire()
        figures = await scraped(service)
        assert figures["ocr_oldest_job_age_seconds", frozenset()] > 0
        assert figures["ocr_backlog_bytes", frozenset()] == len(PNG)
        service.pool.release()


@pytest.mark.parametrize(("protect", "status"), [(False, 200), (True, 401)])
async def test_figures_are_open_unless_they_are_protected(run: Any, tmp_path: Path, protect: bool, status: int) -> None:
    keys = tmp_path / "keys.txt"
    keys.write_text(f"ann:{hash_key('key-of-ann')}\n")
    async with run(api_keys_file=str(keys), protect_metrics=protect) as service:
        for path in ("/metrics", "/queue", "/queue/history"):
            assert (await service.client.get(path)).status_code == status
            assert (await service.client.get(path, headers={"X-API-Key": "key-of-ann"})).status_code == 200


async def test_the_service_reads_the_sample_by_itself_when_told_to(run: Any) -> None:
    async with run(health_interval_seconds=3600.0) as service:
        await service.pool.started.acquire()
        assert service.pool.images == [PNG]


def test_a_language_is_refused_whose_data_is_not_there() -> None:
    with pytest.raises(UnknownLanguage, match="'ru' is none of the languages that are read: af,"):
        languages_told("de,ru", Settings(ocr_tesseract_data=NONE))


async def test_capabilities_say_what_the_workers_run_on_not_what_was_asked_for(run: Any) -> None:
    async with run(ocr_backend="auto") as service:
        assert (await service.client.get("/capabilities")).json()["backend"] == "onnxruntime"
        service.pool.workers = list
        assert (await service.client.get("/capabilities")).json()["backend"] == "auto"


async def test_capabilities_list_what_is_taken_and_what_is_listed_is_taken(run: Any) -> None:
    page = Image.new("RGB", (40, 30), "white")
    writers = {"image/jpeg": "JPEG", "image/png": "PNG", "image/tiff": "TIFF", "image/webp": "WEBP", "image/gif": "GIF"}
    writers |= {"image/bmp": "BMP", "image/avif": "AVIF", "image/jp2": "JPEG2000", "image/x-portable-anymap": "PPM"}
    made = {"application/pdf": pdf(Leaf()), "image/heic": HEIC}
    for media_type, kind in writers.items():
        file = io.BytesIO()
        page.save(file, kind)
        made[media_type] = file.getvalue()
    async with run(max_image_pages=7, max_image_pixels=5_000_000) as service:
        said = (await service.client.get("/capabilities")).json()
        assert said["limits"]["max_image_pages"] == 7
        assert said["limits"]["max_image_pixels"] == 5_000_000
        assert [each["name"] for each in said["formats"]] == [*EVERY_FORMAT]
        assert said["text_layer"] == ["ocr", "auto"]
        assert said["options"]["rotate"] == {"values": ["auto", "0", "90", "180", "270"], "default": "auto"}
        assert said["options"]["timeout"] == {"minimum": 0.1, "maximum": 120}
        assert {"pages", "language", "password", "min_confidence"} <= set(said["options"])
        assert {"tag": "de", "letters": True, "reader": "models"} in said["languages"]
        assert {"tag": "af", "letters": False, "reader": "models"} in said["languages"]
        assert {"tag": "ru", "letters": False, "reader": "tesseract"} in said["languages"]
        installed = find_data("")
        assert installed is not None
        by_tesseract = {each["tag"] for each in said["languages"] if each["reader"] == "tesseract"}
        # no other ones than the data is there for; the models may read some of these
        assert by_tesseract <= {language.tag for language in installed.languages()}
        assert {each["media_type"] for each in said["files"]} == set(made)
        for each in said["languages"]:
            assert languages_told(each["tag"], Settings())
        for data in made.values():
            assert (await service.upload(data)).status_code == 202
    async with run(ocr_recognition_model="/models/of/ones/own.onnx", ocr_tesseract_data="none") as service:
        assert (await service.client.get("/capabilities")).json()["languages"] == []
