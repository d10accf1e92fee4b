"""How webhooks are sent out of every store's outbox: each by one node, none held up by another's receiver."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Mapping

import msgspec
import pytest

from app.delivery.addresses import Addresses
from app.delivery.courier import Courier, CourierLimits, DeliveryEvents
from app.delivery.secrets import Secrets
from app.delivery.sender import Answer, Sender
from app.delivery.signature import new_secret
from persistence.job import JobOptions
from persistence.outbox.delivery import OF_IMAGE, Delivery, DeliveryAttempt, DeliveryState
from persistence.store import JobStore
from persistence.tasks import end
from persistence.upload import Upload
from tests.contract.jobs import job

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.parametrize("new_store", ["sqlite", "postgres"], indirect=True),
]

HANGS, WORKS = "https://hangs.example/", "https://works.example/"


class Receivers(Sender):
    """Takes the place of the network: one host hangs, every other one answers 204."""

    def __init__(self) -> None:
        super().__init__(Addresses(), timeout=30.0)
        self.held = 0
        self.hanging = asyncio.Semaphore(0)
        self.got = Counter[str]()
        self.gate = asyncio.Event()

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        if url == HANGS:
            self.held += 1
            self.hanging.release()
            await self.gate.wait()
        self.got[headers["webhook-id"]] += 1
        return Answer(status=204)


class Told(DeliveryEvents):
    def __init__(self) -> None:
        self.attempts: asyncio.Queue[tuple[Delivery, str]] = asyncio.Queue()

    def attempted(self, delivery: Delivery, attempt: DeliveryAttempt, outcome: str) -> None:
        self.attempts.put_nowait((delivery, outcome))


class Node:
    """A courier at work, and what it tells."""

    def __init__(
        self,
        store: JobStore,
        receivers: Receivers,
        told: Told | None = None,
        secrets: Secrets | None = None,
        **limits: float,
    ) -> None:
        self.told = told or Told()
        self.courier = Courier(
            store.outbox,
            receivers,
            secrets or Secrets(new_secret(), ""),
            [self.told],
            timeout=30.0,
            limits=msgspec.structs.replace(CourierLimits(look=0.01), **limits),
        )

    @contextlib.asynccontextmanager
    async def at_work(self) -> AsyncIterator["Node"]:
        running = asyncio.create_task(self.courier.run())
        try:
            yield self
        finally:
            await end(running)
            await self.courier.stop()


async def cancelled_jobs(store: JobStore, *urls: str, owner: str = "", first: int = 0) -> None:
    for number, url in enumerate(urls, first):
        waiting = msgspec.structs.replace(
            job(f"job-{number}", number, owner=owner), options=JobOptions(callback_url=url)
        )
        await store.add(waiting, Upload.of(b"image"))
        assert await store.replace(waiting, waiting.cancelled(waiting.created_at))


async def test_a_receiver_that_hangs_has_its_connections_and_keeps_no_other_waiting(store: JobStore) -> None:
    await cancelled_jobs(store, *[HANGS] * 6, WORKS)
    receivers = Receivers()
    async with Node(store, receivers, of_host=2, grace=0).at_work() as node:
        delivered, outcome = await node.told.attempts.get()
        assert (delivered.subject_id, delivered.status, outcome) == ("job-6", DeliveryState.DELIVERED, "delivered")
        assert receivers.held == 2
        receivers.gate.set()
        for _ in range(6):
            await node.told.attempts.get()
    assert set(receivers.got.values()) == {1}
    assert (await store.outbox.undelivered()).pending == 0


async def test_an_owner_whose_receivers_hang_keeps_no_other_owner_waiting(store: JobStore) -> None:
    await cancelled_jobs(store, *[HANGS] * 3, owner="ann")
    await cancelled_jobs(store, WORKS, owner="bob", first=3)
    async with Node(store, Receivers(), connections=2, of_owner=1, grace=0).at_work() as node:
        delivered, _ = await node.told.attempts.get()
        assert delivered.owner == "bob"


async def test_a_stop_gives_back_what_was_not_answered(store: JobStore) -> None:
    await cancelled_jobs(store, HANGS)
    receivers = Receivers()
    async with Node(store, receivers, grace=0).at_work():
        await receivers.hanging.acquire()
    (delivery,) = await store.outbox.of_subject(OF_IMAGE, "job-0")
    assert (delivery.status, delivery.claimed_until, delivery.attempt) == (DeliveryState.PENDING, None, 0)
    receivers.gate.set()
    async with Node(store, receivers).at_work() as next_life:
        delivered, _ = await next_life.told.attempts.get()
    assert delivered.id == delivery.id


async def test_two_nodes_at_once_send_each_webhook_once(store: JobStore) -> None:
    await cancelled_jobs(store, *(f"https://{number}.example/" for number in range(8)))
    receivers = Receivers()
    told = Told()
    async with Node(store, receivers, told).at_work(), Node(store, receivers, told).at_work():
        for _ in range(8):
            await told.attempts.get()
    assert len(receivers.got) == 8
    assert set(receivers.got.values()) == {1}


async def test_a_node_without_secrets_leaves_webhooks_to_others(store: JobStore) -> None:
    await cancelled_jobs(store, WORKS)
    receivers = Receivers()
    async with Node(store, receivers, secrets=Secrets("", "")).at_work(), Node(store, receivers).at_work() as other:
        _, outcome = await other.told.attempts.get()
    assert outcome == "delivered"


async def test_what_cannot_be_signed_for_its_owner_is_told_and_tried_later(store: JobStore) -> None:
    await cancelled_jobs(store, WORKS, owner="bob")
    of_ann = Secrets("", "", lambda name: [new_secret()] if name == "ann" else [], lambda: True)
    async with Node(store, Receivers(), secrets=of_ann).at_work() as node:
        delivery, outcome = await node.told.attempts.get()
    assert (delivery.status, outcome) == (DeliveryState.PENDING, "unsigned")
    assert "WEBHOOK_SECRETS" in delivery.attempts[0].error
