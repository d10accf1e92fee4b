"""Webhooks as clients, receivers and operators meet them; `standardwebhooks` is the verifier that is not ours."""

import contextlib
import json
import queue
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest
from standardwebhooks import Webhook

from app.__main__ import main
from app.delivery.courier import CourierLimits
from app.delivery.signature import new_secret
from app.http.access.key_file import hash_key
from app.wiring import Tuning
from config.settings import Settings
from ocr_engine.errors import InvalidImage
from samples import sample
from tests.receivers import receiver
from tests.scripted_pool import ScriptedPool

pytestmark = pytest.mark.anyio

PNG = sample("tiny").data
OLD, NEW = new_secret(), new_secret()
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class Message(msgspec.Struct):
    """What a receiver was sent."""

    headers: Mapping[str, str]
    body: bytes

    def verified(self, secret: str) -> Any:
        return Webhook(secret).verify(self.body, dict(self.headers))


class Inbox:
    """A receiver's answers and what it was sent."""

    def __init__(self, *statuses: int) -> None:
        self.statuses = list(statuses)
        self.messages: queue.Queue[Message] = queue.Queue()

    def answer(self, headers: Mapping[str, str], body: bytes) -> int:
        self.messages.put(Message(headers, body))
        return self.statuses.pop(0) if self.statuses else 204


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return msgspec.structs.replace(settings, webhook_secrets=f"{NEW},{OLD}", webhook_allowed_hosts="127.0.0.1")


@pytest.fixture
def tuning() -> Tuning:
    return Tuning(courier=CourierLimits(look=0.01, grace=0.0))


@contextlib.contextmanager
def inbox(*statuses: int) -> Iterator[tuple[Inbox, str]]:
    made = Inbox(*statuses)
    with receiver(made.answer) as url:
        yield made, url


async def upload(service: Any, **query: Any) -> Any:
    answer = await service.client.post("/images", content=PNG, params={"wait": 20, **query})
    assert answer.status_code in (200, 202), answer.text
    return answer.json()


async def settled(service: Any, job_id: str, done: Callable[[Any], bool], **headers: str) -> Any:
    """The job's only delivery, once it is as wanted."""
    while True:
        (delivery,) = (await service.client.get(f"/images/{job_id}/deliveries", headers=headers)).json()["items"]
        if done(delivery):
            return delivery


def ended(delivery: Any) -> bool:
    return bool(delivery["status"] != "pending")


async def test_a_receiver_is_told_of_the_end_and_verifies_it_by_either_secret(run: Any) -> None:
    with inbox() as (received, url):
        async with run(public_url="https://ocr.example.com/") as service:
            answer = await service.client.post(
                "/images",
                files={"file": PNG},
                data={"callback_url": url, "tag": "t", "metadata": '{"invoice": "17"}'},
                params={"wait": 20},
                headers={"traceparent": TRACE},
            )
            job = answer.json()
            assert job["callback_url"] == url
            delivery = await settled(service, job["id"], ended)
    message = received.messages.get_nowait()
    assert message.verified(OLD) == message.verified(NEW)
    event = message.verified(NEW)
    assert event == {
        "type": "image.done",
        "timestamp": job["timestamp"],
        "data": {
            "id": job["id"],
            "status": "done",
            "tag": "t",
            "metadata": {"invoice": "17"},
            "error_code": None,
            "pages_done": 1,
            "pages_failed": 0,
            "url": f"https://ocr.example.com/images/{job['id']}",
        },
    }
    assert message.headers["webhook-id"] == delivery["id"]
    assert message.headers["content-type"] == "application/json"
    assert message.headers["traceparent"] == TRACE
    assert (delivery["status"], delivery["attempts"], delivery["next_attempt_at"]) == ("delivered", 1, None)
    assert (delivery["last_response_status"], delivery["url"], delivery["job_id"]) == (204, url, job["id"])


async def test_dead_letters_and_cancelled_jobs_are_told_as_well(run: Any) -> None:
    with inbox() as (received, url):
        async with run(ScriptedPool(InvalidImage("torn"))) as service:
            dead = await upload(service, callback_url=url)
            await settled(service, dead["id"], ended)
            service.pool.hold()
            waiting = await service.client.post("/images", content=PNG, params={"callback_url": url})
            cancelled = (await service.client.delete(f"/images/{waiting.json()['id']}")).json()
            await settled(service, cancelled["id"], ended)
            service.pool.release()
    first, second = (received.messages.get_nowait().verified(NEW) for _ in range(2))
    assert (first["type"], first["data"]["status"]) == ("image.dead_letter", "dead-letter")
    assert first["data"]["error_code"] == "invalid_image"
    assert (second["type"], second["data"]["id"]) == ("image.cancelled", cancelled["id"])


async def test_a_refused_webhook_is_tried_again_and_may_be_sent_again_under_its_id(run: Any) -> None:
    with inbox(500, 410) as (received, url):
        async with run() as service:
            job = await upload(service, callback_url=url)
            tried = await settled(service, job["id"], lambda one: one["attempts"] == 1)
            assert (tried["status"], tried["last_response_status"]) == ("pending", 500)
            assert tried["next_attempt_at"] > tried["history"][0]["at"]
            resend = f"/images/{job['id']}/deliveries/{tried['id']}/resend"
            assert (await service.client.post(resend)).status_code == 202
            gone = await settled(service, job["id"], ended)
            assert (gone["status"], gone["last_response_status"]) == ("failed", 410)
            listed = (await service.client.get("/deliveries", params={"status": "failed"})).json()["items"]
            assert [each["id"] for each in listed] == [tried["id"]]
            figures = (await service.client.get("/metrics")).text
            assert 'ocr_webhooks{status="failed"} 1.0' in figures
            assert 'ocr_webhook_attempts_total{outcome="rejected"} 2.0' in figures
            assert (await service.client.post("/deliveries/resend")).json() == {"resent": 1}
            again = await settled(service, job["id"], lambda one: one["status"] == "delivered")
            assert [each["status"] for each in again["history"]] == [500, 410, 204]
    sent = [received.messages.get_nowait() for _ in range(3)]
    assert {each.headers["webhook-id"] for each in sent} == {tried["id"]}
    for each in sent:
        each.verified(OLD)


async def test_what_was_not_answered_before_a_stop_is_sent_in_the_next_life(run: Any) -> None:
    asked, free = threading.Event(), threading.Event()
    received = Inbox()

    def answer(headers: Mapping[str, str], body: bytes) -> int:
        asked.set()
        free.wait(30)
        return received.answer(headers, body)

    with receiver(answer) as url:
        async with run() as service:
            job = await upload(service, callback_url=url)
            await settled(service, job["id"], lambda _: asked.is_set())
        free.set()
        async with run() as service:
            delivery = await settled(service, job["id"], ended)
    assert (delivery["status"], delivery["attempts"]) == ("delivered", 1)
    assert received.messages.get_nowait().headers["webhook-id"] == delivery["id"]


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("ftp://example.com/", "https://"),
        ("http://8.8.8.8/", "https://"),
        ("https://user:word@8.8.8.8/", "user name"),
        ("https://169.254.169.254/latest/meta-data", "not a public address"),
        ("https://[::ffff:169.254.169.254]/", "not a public address"),
        ("https://2130706433/", "not a public address"),
        ("https://10.0.0.7:8443/", "not a public address"),
        ("not a url", "percent-encoded"),
    ],
)
async def test_a_callback_url_that_must_not_be_called_is_refused_at_once(run: Any, url: str, why: str) -> None:
    async with run() as service:
        answer = await service.client.post("/images", content=PNG, params={"callback_url": url})
        assert (answer.status_code, answer.json()["code"]) == (422, "callback_refused")
        assert why in answer.json()["detail"]
        assert (await service.client.get("/images")).json()["items"] == []


async def test_a_service_without_a_secret_says_what_to_set(run: Any) -> None:
    async with run(webhook_secrets="") as service:
        answer = await service.client.post("/images", content=PNG, params={"callback_url": "https://8.8.8.8/"})
        assert (answer.status_code, answer.json()["code"]) == (422, "webhooks_off")
        assert "WEBHOOK_SECRETS" in answer.json()["detail"]
        assert (await service.client.get("/capabilities")).json()["webhooks"] is False
        assert "callback_url" in await upload(service)
    async with run() as service:
        assert (await service.client.get("/capabilities")).json()["webhooks"] is True


async def test_a_key_has_its_own_url_and_secret_and_sees_no_others(
    run: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "keys"
    with inbox() as (received, url):
        add = ["key", "add", "ann", "--file", str(file), "--callback-url", url, "--webhook-secret"]
        assert main(add) == 0
        ann, _, secret = capsys.readouterr().err.replace("\n", " ").rstrip().rpartition(" ")
        ann = next(word for word in ann.split() if word.startswith("sq_"))
        with file.open("a") as lines:
            lines.write(f"bob:{hash_key('bob')}\nroot:{hash_key('root')} scope=admin\n")
        async with run(api_keys_file=str(file), webhook_secrets="") as service:
            job = await upload(_as(service, ann))
            assert job["callback_url"] == url
            delivery = await settled(service, job["id"], ended, **{"X-API-Key": ann})
            bob = _as(service, "bob").client
            assert (await bob.get(f"/images/{job['id']}/deliveries")).status_code == 404
            assert (await bob.post(f"/images/{job['id']}/deliveries/{delivery['id']}/resend")).status_code == 404
            assert (await bob.get("/deliveries")).json()["items"] == []
            assert (await bob.post(f"/deliveries/{delivery['id']}/resend")).json()["code"] == "delivery_not_found"
            refused = await bob.post("/images", content=PNG, params={"callback_url": url})
            assert refused.json()["code"] == "webhooks_off"
            of_all = (await _as(service, "root").client.get("/deliveries")).json()["items"]
            assert [each["id"] for each in of_all] == [delivery["id"]]
            assert (await _as(service, ann).client.post(f"/deliveries/{delivery['id']}/resend")).status_code == 202
    received.messages.get_nowait().verified(secret)


async def test_a_list_of_deliveries_leads_on(run: Any) -> None:
    with inbox() as (_, url):
        async with run() as service:
            told = {"tag": "invoices", "metadata": '{"customer":"7"}'}
            jobs = [await upload(service, callback_url=url, **told) for _ in range(3)]
            first = await service.client.get("/deliveries", params={"limit": 2})
            link = first.headers["Link"].partition(">")[0].removeprefix("<")
            rest = (await service.client.get(link)).json()
            named = [each["job_id"] for each in (*first.json()["items"], *rest["items"])]
            assert named == [job["id"] for job in reversed(jobs)]
            assert rest["next"] is None
            shown = {(each["tag"], each["metadata"]["customer"]) for each in (*first.json()["items"], *rest["items"])}
            assert shown == {("invoices", "7")}
            assert (await service.client.get("/deliveries", params={"status": "lost"})).status_code == 400


async def test_deliveries_are_erased_with_their_job(run: Any) -> None:
    with inbox() as (_, url):
        async with run() as service:
            job = await upload(service, callback_url=url)
            await settled(service, job["id"], ended)
            assert (await service.client.delete(f"/images/{job['id']}")).status_code == 204
            assert (await service.client.get(f"/images/{job['id']}/deliveries")).status_code == 410
            assert (await service.client.get("/deliveries")).json()["items"] == []


async def test_a_repeated_upload_is_told_once(run: Any) -> None:
    with inbox() as (received, url):
        async with run() as service:
            for _ in range(2):
                query = {"callback_url": url, "wait": "20"}
                job = await service.client.post("/images", content=PNG, params=query, headers={"Idempotency-Key": "k"})
            delivery = await settled(service, job.json()["id"], ended)
    assert json.loads(received.messages.get_nowait().body)["data"]["id"] == delivery["job_id"]
    assert received.messages.empty()


async def test_a_job_that_an_equal_file_answers_is_told(run: Any) -> None:
    with inbox() as (received, url):
        async with run() as service:
            first = await upload(service)
            again = await upload(service, dedupe="content", callback_url=url)
            assert (again["cached"], again["id"] != first["id"]) == (True, True)
            await settled(service, again["id"], ended)
    assert received.messages.get_nowait().verified(NEW)["data"]["id"] == again["id"]


def _as(service: Any, key: str) -> Any:
    """The service for whoever has that key."""
    service.client.headers["X-API-Key"] = key
    return service
