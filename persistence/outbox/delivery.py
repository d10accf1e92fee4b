"""A Delivery: word of one event, on its way to a receiver outside; its verbs are the only ways in which it may change.

Its row is written in the transaction that makes the event true, so that neither is ever without the other: for the end
of a job by both stores' `update_job`, out of `deliveries_of`. Another kind of subject (a batch) makes its Delivery with
`news` and hands it to `insert` of persistence/outbox/sqlite.py and postgres.py inside the transaction that ends it, and
`forget`s it in the one that erases it. Senders need know nothing of it.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from persistence.job import Job, JobState

OF_IMAGE = "image"
"""Kind of the subject that a job is."""
KEPT_ATTEMPTS = 20
"""The latest that are kept of a delivery that is sent again and again."""
MAX_ERROR_LETTERS = 300
"""Of what is kept of one failed attempt: it may be a receiver's own words."""


class DeliveryState(StrEnum):
    """Where a delivery stands."""

    PENDING = "pending"
    """Waits for its next attempt, or is being sent."""
    DELIVERED = "delivered"
    """The receiver said so. Final, unless a person sends it again."""
    FAILED = "failed"
    """Given up. Waits for a person to send it again."""


TRANSITIONS: Mapping[DeliveryState, frozenset[DeliveryState]] = MappingProxyType(
    {
        DeliveryState.PENDING: frozenset({DeliveryState.PENDING, DeliveryState.DELIVERED, DeliveryState.FAILED}),
        DeliveryState.DELIVERED: frozenset({DeliveryState.PENDING}),
        DeliveryState.FAILED: frozenset({DeliveryState.PENDING}),
    }
)


class IllegalDeliveryTransition(Exception):
    """The table has no arrow from the delivery's state to the one asked for."""


class DeliveryAttempt(Struct, frozen=True, kw_only=True):
    """One try, and what came of it."""

    at: datetime
    seconds: float
    status: int = 0
    """HTTP status of the answer; 0 where there was none."""
    error: str = ""
    """Why there was none."""


class Delivery(Struct, frozen=True, kw_only=True):
    """Word of one event for one receiver. Changes only by the verbs below, each of which gives a new Delivery."""

    id: str
    """The `webhook-id`: the same at every attempt."""
    kind: str
    """Of what it tells: OF_IMAGE, or another one."""
    subject_id: str
    owner: str
    event: str
    """As `image.done`."""
    data: str
    """What is told, as a JSON object; `url` in it is a path of this service."""
    url: str
    """Of the receiver."""
    host: str
    """In `url`, lower case: how many may be sent there at the same time is limited."""
    traceparent: str = ""
    status: DeliveryState = DeliveryState.PENDING
    revision: int = 0
    """Counts every transition; the store compares it."""
    attempt: int = 0
    """Attempts that ended, since it was last sent again."""
    attempts: tuple[DeliveryAttempt, ...] = ()
    """The latest of them all, oldest first."""
    created_at: datetime
    """When what it tells of happened."""
    due_at: datetime
    """Not before then may the next attempt begin."""
    claimed_until: datetime | None = None
    """Until then a sender has it; if that one dies, another may take it afterwards."""

    def claimed(self, until: datetime) -> "Delivery":
        """A sender takes it."""
        return self._become(DeliveryState.PENDING, claimed_until=until)

    def released(self) -> "Delivery":
        """Its sender stops, and has not sent it: it is due as before."""
        return self._become(DeliveryState.PENDING, claimed_until=None)

    def delivered(self, attempt: DeliveryAttempt) -> "Delivery":
        """The receiver has it."""
        return self._attempted(DeliveryState.DELIVERED, attempt)

    def retried(self, attempt: DeliveryAttempt, due_at: datetime) -> "Delivery":
        """An attempt failed and another one is allowed, at `due_at`."""
        return self._attempted(DeliveryState.PENDING, attempt, due_at=due_at)

    def failed(self, attempt: DeliveryAttempt) -> "Delivery":
        """An attempt failed and no other one is allowed."""
        return self._attempted(DeliveryState.FAILED, attempt)

    def sent_again(self, now: datetime) -> "Delivery":
        """A person wants it to be sent now, with all attempts before it; those that there were stay on record."""
        return self._become(DeliveryState.PENDING, attempt=0, due_at=now, claimed_until=None)

    def _attempted(self, status: DeliveryState, attempt: DeliveryAttempt, **changes: object) -> "Delivery":
        shortened = msgspec.structs.replace(attempt, error=attempt.error[:MAX_ERROR_LETTERS])
        kept = (*self.attempts, shortened)[-KEPT_ATTEMPTS:]
        return self._become(status, attempt=self.attempt + 1, attempts=kept, claimed_until=None, **changes)

    def _become(self, status: DeliveryState, **changes: object) -> "Delivery":
        if status not in TRANSITIONS[self.status]:
            raise IllegalDeliveryTransition(f"delivery {self.id} is {self.status}; it cannot become {status}")
        return msgspec.structs.replace(self, status=status, revision=self.revision + 1, **changes)


def news(
    *,
    kind: str,
    subject_id: str,
    revision: int,
    owner: str,
    event: str,
    data: Mapping[str, object],
    url: str,
    at: datetime,
    traceparent: str = "",
) -> Delivery:
    """Word for `url` of what happened. The same subject at the same `revision` is the same delivery."""
    return Delivery(
        # a dot would separate it from what is signed with it
        id=f"msg_{kind}_{subject_id.replace('-', '')}_{revision}",
        kind=kind,
        subject_id=subject_id,
        owner=owner,
        event=event,
        data=msgspec.json.encode(data).decode(),
        url=url,
        host=_host(url),
        traceparent=traceparent,
        created_at=at,
        due_at=at,
    )


def event_of(kind: str, status: JobState) -> str:
    """What an end is called: `image.dead_letter`. Standard Webhooks knows letters, digits, `_` and dots."""
    return f"{kind}.{status.value.replace('-', '_')}"


def deliveries_of(old: Job | None, new: Job) -> Sequence[Delivery]:
    """What is to be told of the change: each end of a job whose client wants to be called, and nothing else.

    A dead letter, or a page that was given up, may be sent round again: its next end is told as well.
    """
    ended = new.status.terminal and (old is None or not old.status.terminal)
    if not ended or not new.options.callback_url:
        return ()
    data = {
        "id": new.id,
        "status": new.status.value,
        "tag": new.options.tag,
        "metadata": new.options.metadata,
        "error_code": new.error.code if new.error else None,
        "pages_done": new.pages_done,
        "pages_failed": new.pages_failed,
        "url": f"/images/{new.id}",
    }
    return (
        news(
            kind=OF_IMAGE,
            subject_id=new.id,
            revision=new.revision,
            owner=new.owner,
            event=event_of(OF_IMAGE, new.status),
            data=data,
            url=new.options.callback_url,
            at=new.updated_at,
            traceparent=new.traceparent,
        ),
    )


def _host(url: str) -> str:
    # what it stands in is the end of a job, which no odd URL may keep from being stored
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""
