"""What clients may ask of webhooks: to be called, what became of it, and to be called again."""

import asyncio
from collections.abc import Callable
from datetime import datetime

from loguru import logger

from app import clock
from app.delivery.addresses import Addresses, Refused, Unresolved
from app.delivery.secrets import Secrets
from persistence.cursor import Cursor
from persistence.job import Job
from persistence.outbox.delivery import OF_IMAGE, Delivery, DeliveryState
from persistence.outbox.port import DeliveryListing, Outbox

LOOK_UP_SECONDS = 2.0
"""How long an upload waits to hear where its callback URL leads; it is looked up again at each attempt anyhow."""
SENT_AGAIN_BATCH = 100
"""Deliveries that are read at a time where all are sent again."""


class WebhooksOff(Exception):
    """There is no secret to sign them with."""


class CallbackRefused(Exception):
    """The service must not call that URL; the text says why."""


class NoSuchDelivery(Exception):
    """The job has no such delivery."""


class Webhooks:
    """Which URLs are called, and the deliveries that there are."""

    def __init__(
        self,
        outbox: Outbox,
        addresses: Addresses,
        secrets: Secrets,
        ring: Callable[[], None],
        url_of_key: Callable[[str], str] = lambda _: "",
        now: Callable[[], datetime] = clock.now,
    ) -> None:
        """`ring`: told that something is due. `url_of_key`: where an owner's jobs are told by default; may be empty."""
        self._outbox = outbox
        self._addresses = addresses
        self._secrets = secrets
        self._ring = ring
        self._url_of_key = url_of_key
        self._now = now

    def offered(self, owner: str) -> bool:
        """May that owner ask to be called?"""
        return bool(self._secrets.of(owner))

    async def callback_url(self, wanted: str, owner: str) -> str:
        """Where the owner's job is told: what was asked for, else the key's own URL; empty: nowhere.

        Raises WebhooksOff, CallbackRefused. A name that has no address now is taken: it may have one when it matters.
        """
        if not wanted:
            url = self._url_of_key(owner)
            if url and not self.offered(owner):
                # no reason to refuse the work: what is to be told waits for a secret
                logger.bind(event="webhook.unsigned", key=owner).error(
                    "the key has a callback URL, and there is no secret to sign with: set WEBHOOK_SECRETS"
                )
            return url
        if not self.offered(owner):
            raise WebhooksOff(
                "this service has no secret to sign webhooks with; its operator sets WEBHOOK_SECRETS (python -m app "
                "webhook-secret makes one), or gives the key one of its own"
            )
        try:
            self._addresses.check(wanted)
            async with asyncio.timeout(LOOK_UP_SECONDS):
                await self._addresses.target(wanted)
        except (Unresolved, TimeoutError):
            pass
        except Refused as error:
            raise CallbackRefused(f"callback_url: {error}") from error
        return wanted

    async def of_job(self, job: Job) -> list[Delivery]:
        """Oldest first. Raises StoreError."""
        return await self._outbox.of_subject(OF_IMAGE, job.id)

    async def listed(
        self, owner: str | None, status: DeliveryState | None, after: Cursor | None, limit: int
    ) -> DeliveryListing:
        """Newest first, of everybody where `owner` is None. Raises StoreError."""
        return await self._outbox.listed(owner=owner, status=status, after=after, limit=limit)

    async def send_again(self, delivery_id: str, owner: str | None, job: Job | None = None) -> Delivery:
        """The delivery of that owner (None: of anybody), of the job where one is given: due now with all attempts
        before it, unless it is just being sent. Raises NoSuchDelivery, StoreError.
        """
        while True:
            found = await self._outbox.get(delivery_id)
            if found is None or owner not in (None, found.owner):
                raise NoSuchDelivery("there is no such delivery")
            if job is not None and (found.kind, found.subject_id) != (OF_IMAGE, job.id):
                raise NoSuchDelivery("the job has no such delivery")
            if (again := await self._due(found)) is not None:
                return again

    async def send_all_again(self, owner: str | None) -> int:
        """Every delivery of that owner (None: of all) that was given up; how many. Raises StoreError."""
        sent, after = 0, None
        while True:
            page = await self._outbox.listed(
                owner=owner, status=DeliveryState.FAILED, after=after, limit=SENT_AGAIN_BATCH
            )
            for delivery in page.deliveries:
                sent += await self._due(delivery) is not None
            if page.next is None:
                return sent
            after = page.next

    async def _due(self, delivery: Delivery) -> Delivery | None:
        """None where somebody else changed it meanwhile."""
        now = self._now()
        if delivery.status is DeliveryState.PENDING and delivery.claimed_until and delivery.claimed_until > now:
            return delivery
        again = delivery.sent_again(now)
        if not await self._outbox.replace(delivery, again):
            return None
        self._ring()
        return again
