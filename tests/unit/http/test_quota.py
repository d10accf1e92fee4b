"""A token bucket a client."""

from app.http.access.rate_limit import MAX_CLIENTS_KEPT, RateLimit


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_client_may_spend_its_minute_at_once_and_then_waits() -> None:
    limit = RateLimit(Clock())
    assert [limit.take("a", 3).granted for _ in range(4)] == [True, True, True, False]


def test_tokens_come_back_with_time() -> None:
    clock = Clock()
    limit = RateLimit(clock)
    for _ in range(3):
        limit.take("a", 3)
    refused = limit.take("a", 3)
    assert (refused.remaining, refused.reset_seconds) == (0, 20)
    clock.now = 20.0
    assert limit.take("a", 3).granted
    assert not limit.take("a", 3).granted


def test_clients_do_not_pay_for_each_other() -> None:
    limit = RateLimit(Clock())
    assert limit.take("a", 1).granted
    assert limit.take("b", 1).granted
    assert not limit.take("a", 1).granted


def test_what_is_left_is_told() -> None:
    allowance = RateLimit(Clock()).take("a", 60)
    assert (allowance.limit, allowance.remaining, allowance.reset_seconds) == (60, 59, 1)


def test_many_clients_cost_bounded_memory() -> None:
    limit = RateLimit(Clock())
    for number in range(MAX_CLIENTS_KEPT + 100):
        limit.take(str(number), 1)
    assert not limit.take(str(MAX_CLIENTS_KEPT + 99), 1).granted  # still known
    assert limit.take("0", 1).granted  # forgotten, though it had nothing left
