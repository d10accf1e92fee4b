"""A client that openapi-python-client makes of the OpenAPI document works, against the real server."""

import importlib
import io
import subprocess
import sys
from contextlib import ExitStack
from http import HTTPStatus
from pathlib import Path
from typing import Any

import msgspec
import pytest

from config.settings import Settings
from ocr_engine.errors import WorkerCrashed
from samples import sample
from tests.live_server import live_server
from tests.scripted_pool import ScriptedPool, text_result

JOB_OF_NOBODY = "0b0e2f3e-4f4e-4a51-8d6d-5b1f2c103f0c"


def test_a_generated_client_uploads_reads_cancels_and_is_told_problems(
    tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = ScriptedPool(WorkerCrashed("it died"), default=text_result("Harbour Street"))
    with live_server(msgspec.structs.replace(settings, max_attempts=1), pool) as server, ExitStack() as stack:
        document, config = tmp_path / "openapi.json", tmp_path / "config.yml"
        document.write_bytes(server.client.get("/docs/openapi.json").content)
        config.write_text("post_hooks: []\nproject_name_override: generated-ocr-client\n")
        tool = Path(sys.executable).with_name("openapi-python-client")
        made = subprocess.run(
            [tool, "generate", "--path", document, "--config", config, "--output-path", tmp_path / "made"],
            capture_output=True,
            text=True,
            check=False,
        )
        assert made.returncode == 0, made.stdout + made.stderr
        monkeypatch.syspath_prepend(str(tmp_path / "made"))
        client = importlib.import_module("generated_ocr_client").Client(base_url=server.url)
        stack.callback(client.get_httpx_client().close)
        images, letters = (
            importlib.import_module(f"generated_ocr_client.api.{tag}") for tag in ("images", "dead_letters")
        )
        models, types = (importlib.import_module(f"generated_ocr_client.{name}") for name in ("models", "types"))
        for module in ("submit_image", "read_job", "delete_job"):
            importlib.import_module(f"{images.__name__}.{module}")
        importlib.import_module(f"{letters.__name__}.list_dead_letters")

        def upload(raw: bool = False, **options: object) -> Any:
            file = types.File(payload=io.BytesIO(sample("health").data), file_name="scan.png", mime_type="image/png")
            body = file if raw else models.SubmitImageFilesBody(file=file)
            return images.submit_image.sync_detailed(client=client, body=body, **options)

        lost = upload(wait=20)
        assert lost.status_code == HTTPStatus.OK
        assert lost.parsed.error.code == "worker_crashed"
        (dead,) = letters.list_dead_letters.sync(client=client).items
        assert dead.id == lost.parsed.id
        read = upload(raw=True, prefer="wait=20").parsed
        assert read.text == "Harbour Street"
        assert images.read_job.sync(read.id, client=client).pages[0].lines[0].text == "Harbour Street"
        unknown = images.read_job.sync_detailed(JOB_OF_NOBODY, client=client)
        assert unknown.status_code == HTTPStatus.NOT_FOUND
        assert unknown.parsed.code == "job_not_found"
        server.call(pool.hold)
        waiting = upload()
        assert waiting.status_code == HTTPStatus.ACCEPTED
        assert waiting.headers["location"] == f"/images/{waiting.parsed.id}"
        assert images.delete_job.sync(waiting.parsed.id, client=client).status.value == "cancelled"
        server.call(pool.release)
