"""Deliveries of webhooks as clients see them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from persistence.batches.batch import OF_BATCH
from persistence.outbox.delivery import OF_IMAGE, Delivery, DeliveryState


class DeliveryAttemptView(Struct, frozen=True, kw_only=True):
    """One try."""

    at: datetime
    seconds: float
    status: Annotated[int | None, Meta(description="HTTP status of the answer; null where there was none.")]
    error: Annotated[str, Meta(description="Why there was none.")]


class DeliveryView(Struct, frozen=True, kw_only=True):
    """Word of one end of a job or batch, and how far it is."""

    id: Annotated[str, Meta(description="The `webhook-id`, the same at each attempt.")]
    type: str
    job_id: str | None
    batch_id: str | None
    url: str
    tag: str
    metadata: Mapping[str, str]
    status: DeliveryState
    created_at: datetime
    attempts: Annotated[int, Meta(description="That ended, since it was last asked for.")]
    next_attempt_at: Annotated[datetime | None, Meta(description="Null where none follows.")]
    last_response_status: Annotated[int | None, Meta(description="Null where nothing was answered.")]
    last_error: str
    history: Annotated[tuple[DeliveryAttemptView, ...], Meta(description="Attempts, oldest first; of many the latest.")]


class DeliveriesView(Struct, frozen=True, kw_only=True):
    """A page of deliveries."""

    items: list[DeliveryView]
    next: Annotated[str | None, Meta(description="`after` of the following page; null: nothing follows.")] = None


class ResentView(Struct, frozen=True, kw_only=True):
    """What was asked for again."""

    resent: int


class _Told(Struct, frozen=True):
    """What of a job's options is told with its end; of a batch nothing."""

    tag: str = ""
    metadata: Mapping[str, str] = {}


def delivery_view(delivery: Delivery) -> DeliveryView:
    """The delivery as clients see it."""
    history = tuple(
        DeliveryAttemptView(at=each.at, seconds=each.seconds, status=each.status or None, error=each.error)
        for each in delivery.attempts
    )
    last = history[-1] if history else None
    told = msgspec.json.decode(delivery.data, type=_Told)
    return DeliveryView(
        id=delivery.id,
        type=delivery.event,
        job_id=delivery.subject_id if delivery.kind == OF_IMAGE else None,
        batch_id=delivery.subject_id if delivery.kind == OF_BATCH else None,
        url=delivery.url,
        tag=told.tag,
        metadata=told.metadata,
        status=delivery.status,
        created_at=delivery.created_at,
        attempts=delivery.attempt,
        next_attempt_at=delivery.due_at if delivery.status is DeliveryState.PENDING else None,
        last_response_status=last.status if last else None,
        last_error=last.error if last else "",
        history=history,
    )


def deliveries_view(deliveries: Sequence[Delivery], following: str | None = None) -> DeliveriesView:
    """A page of them, and the text of the place where the next one begins."""
    return DeliveriesView(items=[delivery_view(each) for each in deliveries], next=following)
