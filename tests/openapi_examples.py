"""Real answers of the service for the examples of its OpenAPI document.

`uv run python -m tests.openapi_examples` records them anew, recognition included: app/http/examples.json.
"""

import tempfile
from pathlib import Path
from typing import Any

import httpx
import msgspec

from app.delivery.signature import new_secret
from app.http.access.key_file import hash_key
from config.settings import Settings
from ocr_engine.engine import Engine
from ocr_engine.errors import WorkerCrashed
from ocr_engine.options import EngineOptions
from samples import sample
from tests.live_server import PATIENCE, live_server
from tests.receivers import receiver
from tests.scripted_pool import ScriptedPool, text_result

FILE = Path(__file__).parents[1] / "app/http/examples.json"


def recorded(folder: Path) -> dict[str, Any]:
    """`operation_status` or an error's code -> a body, as a service with its data in `folder` answers it now."""
    image = sample("health").data
    pool = ScriptedPool(
        WorkerCrashed("the OCR process died with signal 9"), default=Engine(EngineOptions()).recognise(image)
    )
    examples: dict[str, Any] = {}

    def keep(name: str, answer: httpx.Response) -> Any:
        body = answer.json()
        if answer.headers["content-type"].startswith("application/problem+json"):
            name = body["code"]
        else:
            name = f"{name}_{answer.status_code}"
        examples[name] = body
        return body

    settings = Settings(database_url=f"sqlite:///{folder}/jobs.db", max_attempts=1, queue_limit=100)
    called = msgspec.structs.replace(settings, webhook_secrets=new_secret(), webhook_allowed_hosts="127.0.0.1")
    with (
        receiver() as hook,
        live_server(called, pool) as server,
        httpx.Client(base_url=server.url, timeout=PATIENCE) as client,
    ):
        client.headers["X-Request-ID"] = "3f0c6a52-2f3e-4f4e-9a51-0d6d5b1f2c10"
        lost = client.post("/images?wait=20", content=image).json()["id"]
        keep("list_dead_letters", client.get("/dead-letters"))
        keep("read_dead_letter", client.get(f"/dead-letters/{lost}"))
        keep("no_result", client.get(f"/images/{lost}/result"))
        keep("requeue_dead_letter", client.post(f"/dead-letters/{lost}/requeue"))
        client.get(f"/images/{lost}?wait=20")
        keep("requeue_dead_letters", client.post("/dead-letters/requeue"))
        told = httpx.QueryParams(wait=20, callback_url=hook)
        done = keep("submit_image", client.post("/images", content=image, params=told))["id"]
        while client.get(f"/images/{done}/deliveries").json()["items"][0]["status"] == "pending":
            pass
        (delivery,) = keep("job_deliveries", client.get(f"/images/{done}/deliveries"))["items"]
        keep("list_deliveries", client.get("/deliveries"))
        keep("resend_job_delivery", client.post(f"/images/{done}/deliveries/{delivery['id']}/resend"))
        keep("resend_delivery", client.post(f"/deliveries/{delivery['id']}/resend"))
        keep("resend_failed_deliveries", client.post("/deliveries/resend"))
        keep("", client.post(f"/images/{done}/deliveries/msg_1/resend"))
        keep("", client.post("/images", content=image, params={"callback_url": "https://169.254.169.254/"}))
        keep("read_job", client.get(f"/images/{done}"))
        keep("list_jobs", client.get("/images?limit=1"))
        keep("get_queue", client.get("/queue"))
        history = keep("queue_history", client.get("/queue/history"))
        history["minutes"] = history["minutes"][-1:]
        capabilities = keep("get_capabilities", client.get("/capabilities"))
        # the first of each list says enough; all of them would be a third of all examples
        examples["get_capabilities_200"] = {
            name: value[:1] if isinstance(value, list) else value for name, value in capabilities.items()
        }
        for name in ("live", "ready", "ai"):
            keep(f"get_{name}", client.get(f"/health/{name}"))
        pool.hold()
        waiting = keep("submit_image", client.post("/images", content=image))["id"]
        keep("read_job", client.get(f"/images/{waiting}"))
        keep("", client.get(f"/images/{waiting}/result"))
        keep("delete_job", client.delete(f"/images/{waiting}"))
        batch = keep("submit_batch", client.post("/batches", files=[("file", ("a.jpg", image))]))["id"]
        keep("read_batch_state", client.get(f"/batches/{batch}"))
        keep("delete_batch", client.delete(f"/batches/{batch}"))
        pool.release()
        files = [("file", ("a.jpg", image)), ("file", ("b.txt", b"text"))]
        batch = keep("submit_batch", client.post("/batches?wait=20", files=files))["id"]
        keep("read_batch_state", client.get(f"/batches/{batch}?limit=1"))
        keep("batch_deliveries", client.get(f"/batches/{batch}/deliveries"))
        keep("list_batches", client.get("/batches?limit=1"))
        keep("", client.get("/batches/0b0e2f3e-4f4e-4a51-8d6d-5b1f2c103f0c"))
        keep("", client.post("/batches", content=b"PK\x03\x04"))
        keep("", client.get("/images?limit=none"))
        keep("", client.get("/images?page=2"))
        keep("", client.post("/images", files={"picture": ("a.png", image)}))
        keep("", client.get("/images/0b0e2f3e-4f4e-4a51-8d6d-5b1f2c103f0c"))
        keep("", client.get(f"/images/{done}/result?format=hocr&pages=9"))
        keep("", client.get(f"/images/{done}/result", headers={"Accept": "image/png"}))
        keep("", client.get(f"/dead-letters/{done}"))
        keep("", client.post("/images", content=b"<svg/>"))
        keep("", client.post("/images", content=image[:20]))
    keys = folder / "keys"
    keys.write_text(f"ann:{hash_key('sq_ann')}\n")
    limited = msgspec.structs.replace(
        settings,
        api_keys_file=str(keys),
        reads_per_minute=1,
        max_image_bytes=100,
        database_url=f"sqlite:///{folder}/2.db",
    )
    with live_server(limited, pool) as server, httpx.Client(base_url=server.url, timeout=PATIENCE) as client:
        keep("", client.get("/images"))
        client.headers["X-API-Key"] = "sq_ann"
        keep("", client.post("/images", content=image[:99], params={"callback_url": "https://example.com/"}))
        keep("", client.post("/images", content=image))
        client.get("/capabilities")
        keep("", client.get("/capabilities"))
    poor = ScriptedPool(default=text_result("nothing like it"))
    full = msgspec.structs.replace(settings, queue_limit=1, database_url=f"sqlite:///{folder}/3.db")
    with live_server(full, poor) as server, httpx.Client(base_url=server.url, timeout=PATIENCE) as client:
        keep("get_ai", client.get("/health/ai"))
        poor.hold()
        while (answer := client.post("/images", content=image)).status_code == 202:
            pass
        keep("", answer)
        keep("get_ready", client.get("/health/ready"))
        poor.release()
    return examples


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        FILE.write_bytes(
            msgspec.json.format(msgspec.json.encode(recorded(Path(made)), order="sorted"), indent=1) + b"\n"
        )
