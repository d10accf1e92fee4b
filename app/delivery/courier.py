"""The loop that sends what is due in the outbox; every node has one, and each delivery is claimed by one of them.

A receiver that hangs costs a connection until the time limit. How many are open is limited: altogether, for each owner
and for each host that it is told at, so that whoever is slow keeps nobody else waiting.
"""

import asyncio
import contextlib
import random
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

import msgspec
from loguru import logger
from msgspec import Struct

from app import clock
from app.delivery.backoff import after_attempt
from app.delivery.secrets import Secrets
from app.delivery.sender import USER_AGENT, Answer, Sender
from app.delivery.signature import signed
from app.jobs.events import JobEvents
from persistence.job import Job
from persistence.outbox.delivery import Delivery, DeliveryAttempt
from persistence.outbox.port import Outbox
from persistence.store import StoreError

T = TypeVar("T")

CLAIM_MARGIN = timedelta(minutes=1)
"""A claim outlasts the time limit of its attempt by this: time to write down what came of it."""


class CourierLimits(Struct, frozen=True, kw_only=True):
    """How many may be under way at the same time, and pauses in seconds."""

    connections: int = 64
    of_owner: int = 32
    of_host: int = 4
    """And owner: many owners may have receivers at one host, of which one hangs."""
    look: float = 2.0
    """Between two looks into the outbox while nothing that happens here asks for one."""
    write: float = 1.0
    """Before an outcome that could not be stored is tried again."""
    writes: int = 30
    """How often it is tried; then another node sends it again."""
    grace: float = 5.0
    """How long a stop waits for answers; what is not answered by then is sent again by another node, or later."""


class DeliveryEvents:
    """What is told of deliveries. A listener overrides what it wants to hear, and returns at once."""

    def attempted(self, delivery: Delivery, attempt: DeliveryAttempt, outcome: str) -> None:
        """The delivery as it stands after an attempt. `outcome`: `delivered`, `rejected` (an answer that is not 2xx),
        `unsigned` (there is no secret), or the Reason of Answer.
        """


class Courier(JobEvents):
    """Hears of jobs that end here, and looks into the outbox for those of other nodes."""

    def __init__(
        self,
        outbox: Outbox,
        sender: Sender,
        secrets: Secrets,
        events: Sequence[DeliveryEvents],
        *,
        timeout: float,
        public_url: str = "",
        limits: CourierLimits = CourierLimits(),
        now: Callable[[], datetime] = clock.now,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        """`timeout`: of one attempt in seconds, as the sender has it. `public_url`: what paths of ours are below."""
        self._outbox = outbox
        self._sender = sender
        self._secrets = secrets
        self._events = events
        self._claimed_for = timedelta(seconds=timeout) + CLAIM_MARGIN
        self._public_url = public_url.rstrip("/")
        self._limits = limits
        self._now = now
        self._jitter = jitter
        self._sending: dict[asyncio.Task[None], Delivery] = {}
        self._bell = asyncio.Event()
        self._stopped = False

    @property
    def sending(self) -> int:
        """Attempts under way."""
        return len(self._sending)

    def ring(self) -> None:
        """Something may be due now."""
        self._bell.set()

    def accepted(self, job: Job) -> None:
        """See JobEvents: one that an equal file answers has ended by then."""
        self.changed(job, job)

    def changed(self, old: Job, job: Job) -> None:
        """See JobEvents."""
        if job.status.terminal and (job.options.callback_url or job.batch_id):
            self.ring()

    async def run(self) -> None:
        """Until it is cancelled; what is under way then goes on until `stop`."""
        while True:
            self._bell.clear()
            with contextlib.suppress(StoreError):
                while self._may_send and (delivery := await self._claim()) is not None:
                    task = asyncio.create_task(self._send(delivery), name=f"webhook {delivery.id}")
                    self._sending[task] = delivery
                    task.add_done_callback(self._ended)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._limits.look):
                    await self._bell.wait()

    async def stop(self) -> None:
        """Begins nothing more, waits a little for answers, and gives the others back. Twice is harmless."""
        self._stopped = True
        if self._sending:
            await asyncio.wait(self._sending, timeout=self._limits.grace)
        left = list(self._sending)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    @property
    def _may_send(self) -> bool:
        return not self._stopped and len(self._sending) < self._limits.connections and self._secrets.any

    async def _claim(self) -> Delivery | None:
        under_way, now = self._sending.values(), self._now()
        return await self._outbox.claim(
            now,
            now + self._claimed_for,
            but_receivers=_full(Counter((each.owner, each.host) for each in under_way), self._limits.of_host),
            but_owners=_full(Counter(each.owner for each in under_way), self._limits.of_owner),
        )

    def _ended(self, task: "asyncio.Task[None]") -> None:
        del self._sending[task]
        self._bell.set()
        if not task.cancelled() and (error := task.exception()) is not None:
            # its claim runs out, and it is sent again
            logger.bind(event="webhook.internal_error").opt(exception=error).error("unexpected error in a delivery")

    async def _send(self, delivery: Delivery) -> None:
        begun, moment = time.monotonic(), self._now()
        try:
            answer, outcome = await self._answer(delivery, moment)
            attempt = DeliveryAttempt(
                at=moment, seconds=round(time.monotonic() - begun, 3), status=answer.status, error=answer.error
            )
            after = after_attempt(delivery, attempt, answer, self._now(), self._jitter())
            if await self._store(delivery, after):
                for listener in self._events:
                    listener.attempted(after, attempt, outcome)
        except asyncio.CancelledError:
            with contextlib.suppress(StoreError):
                await self._outbox.replace(delivery, delivery.released())
            raise

    async def _answer(self, delivery: Delivery, moment: datetime) -> tuple[Answer, str]:
        secrets = self._secrets.of(delivery.owner)
        if not secrets:
            return Answer(error="there is no secret to sign it with: set WEBHOOK_SECRETS"), "unsigned"
        body = message(delivery, self._public_url)
        headers = {
            "Content-Type": "application/json",
            "User-Agent": USER_AGENT,
            **({"traceparent": delivery.traceparent} if delivery.traceparent else {}),
            **signed(delivery.id, moment, body, secrets),
        }
        answer = await self._sender.post(delivery.url, headers, body)
        return answer, "delivered" if answer.accepted else answer.reason or "rejected"

    async def _store(self, old: Delivery, new: Delivery) -> bool:
        for left in reversed(range(self._limits.writes)):
            try:
                return await self._outbox.replace(old, new)
            except StoreError as error:
                if not left:
                    logger.bind(event="webhook.write_failed", delivery_id=new.id).error(
                        f"what came of a delivery cannot be stored; it is sent again: {error}"
                    )
                else:
                    await asyncio.sleep(self._limits.write)
        return False


def message(delivery: Delivery, public_url: str) -> bytes:
    """The body, as Standard Webhooks has it: what happened, when, and where to read on."""
    data = msgspec.json.decode(delivery.data)
    if isinstance(data.get("url"), str):
        data["url"] = public_url + data["url"]
    return msgspec.json.encode({"type": delivery.event, "timestamp": delivery.created_at, "data": data})


def _full(counts: Mapping[T, int], limit: int) -> list[T]:
    return [name for name, count in counts.items() if count >= limit]
