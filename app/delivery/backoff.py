"""What becomes of a delivery after an attempt. Pure: from the answer to the next attempt, and when, or the end."""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from app.delivery.sender import Answer
from persistence.outbox.delivery import Delivery, DeliveryAttempt

SCHEDULE = (5, 30, 2 * 60, 10 * 60, 3600, 3 * 3600, 6 * 3600, 14 * 3600)
"""Seconds from a failed attempt to the next one, a day in all, as Standard Webhooks recommends."""
SPREAD = 0.2
"""A pause is longer or shorter by up to this share: what failed together does not come again together."""
MAX_RETRY_AFTER = timedelta(days=1)
"""A receiver may put an attempt off for so long."""
GONE = 410
"""The receiver wants to hear no more."""


def after_attempt(
    delivery: Delivery, attempt: DeliveryAttempt, answer: Answer, now: datetime, jitter: float
) -> Delivery:
    """`jitter`: from 0 to 1."""
    if answer.accepted:
        return delivery.delivered(attempt)
    if answer.status == GONE or delivery.attempt >= len(SCHEDULE):
        return delivery.failed(attempt)
    pause = timedelta(seconds=SCHEDULE[delivery.attempt] * (1 + SPREAD * (2 * jitter - 1)))
    return delivery.retried(attempt, now + max(pause, retry_after(answer.retry_after, now)))


def retry_after(text: str, now: datetime) -> timedelta:
    """What a Retry-After header asks for (RFC 9110, 10.2.3): seconds, or a date; nothing where it is neither."""
    text = text.strip()
    if text.isascii() and text.isdigit():
        return min(timedelta(seconds=int(text[:9])), MAX_RETRY_AFTER)
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError):
        return timedelta()
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    return min(max(moment - now, timedelta()), MAX_RETRY_AFTER)
