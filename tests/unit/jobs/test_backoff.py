"""What becomes of a webhook after an attempt."""

from datetime import timedelta

import pytest

from app.delivery.backoff import MAX_RETRY_AFTER, SCHEDULE, SPREAD, after_attempt, retry_after
from app.delivery.sender import Answer
from persistence.outbox.delivery import Delivery, DeliveryAttempt, DeliveryState, news
from tests.contract.jobs import START, after


def delivery() -> Delivery:
    return news(
        kind="image",
        subject_id="a",
        revision=1,
        owner="",
        event="image.done",
        data={},
        url="https://example.com/",
        at=START,
    )


def outcome(answer: Answer, old: Delivery | None = None, jitter: float = 0.5) -> Delivery:
    attempt = DeliveryAttempt(at=START, seconds=0.1, status=answer.status, error=answer.error)
    return after_attempt(old or delivery(), attempt, answer, START, jitter)


def test_it_is_tried_for_a_day_and_then_given_up() -> None:
    new, pauses = delivery(), []
    while (new := outcome(Answer(error="no answer"), new)).status is DeliveryState.PENDING:
        pauses.append((new.due_at - START).total_seconds())
    assert tuple(pauses) == SCHEDULE
    assert timedelta(hours=24) <= timedelta(seconds=sum(pauses)) < timedelta(hours=25)
    assert (new.status, new.attempt) == (DeliveryState.FAILED, len(SCHEDULE) + 1)


@pytest.mark.parametrize(("jitter", "share"), [(0.0, 1 - SPREAD), (1.0, 1 + SPREAD)])
def test_a_pause_is_spread(jitter: float, share: float) -> None:
    assert outcome(Answer(status=500), jitter=jitter).due_at == after(SCHEDULE[0] * share)


@pytest.mark.parametrize("status", [200, 204, 299])
def test_2xx_is_delivered(status: int) -> None:
    assert outcome(Answer(status=status)).status is DeliveryState.DELIVERED


@pytest.mark.parametrize("status", [100, 302, 307, 400, 404, 429, 500, 503])
def test_any_other_answer_is_tried_again(status: int) -> None:
    assert outcome(Answer(status=status)).status is DeliveryState.PENDING


def test_410_ends_it() -> None:
    assert outcome(Answer(status=410, retry_after="5")).status is DeliveryState.FAILED


def test_retry_after_puts_it_off_and_never_makes_it_sooner() -> None:
    assert outcome(Answer(status=503, retry_after="120")).due_at == after(120)
    assert outcome(Answer(status=503, retry_after="1")).due_at == after(SCHEDULE[0])


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0),
        (" 120 ", 120),
        ("Mon, 23 Nov 2026 12:01:00 GMT", 59.876544),
        ("Mon, 23 Nov 2026 11:00:00 GMT", 0),
        ("9" * 400, MAX_RETRY_AFTER.total_seconds()),
        ("Thu, 31 Dec 9999 23:59:59 GMT", MAX_RETRY_AFTER.total_seconds()),
        ("", 0),
        ("soon", 0),
        ("-5", 0),
        ("1.5", 0),
        ("²", 0),
        ("Mon, 99 Nov 2026 12:01:00 GMT", 0),
        ("Mon, 23 Nov 2026 12:01:00 -9999", 0),
    ],
)
def test_retry_after_is_seconds_or_a_date_and_a_day_at_most(text: str, seconds: float) -> None:
    assert retry_after(text, START) == timedelta(seconds=seconds)
