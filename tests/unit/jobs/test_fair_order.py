"""Owners take turns, and so do the jobs of an owner; nobody starves."""

import random
from collections import Counter

import pytest

from app.jobs.queueing.fair_order import FairOrder
from persistence.job import PRIORITIES, Priority
from persistence.queue import Ahead, Unit


def put(order: FairOrder, job: str, pages: int, owner: str = "ann") -> None:
    for page in range(1, pages + 1):
        order.put(Unit(job, page, owner))


def taken(order: FairOrder, count: int) -> list[str]:
    units = (order.take() for _ in range(count))
    return [unit.job_id for unit in units if unit is not None]


def test_jobs_of_one_page_are_taken_in_the_order_in_which_they_came() -> None:
    order = FairOrder()
    for name in "abcd":
        order.put(Unit(name))
    assert taken(order, 9) == ["a", "b", "c", "d"]
    assert (order.take(), len(order)) == (None, 0)


def test_the_pages_of_a_job_are_taken_in_their_order() -> None:
    order = FairOrder()
    put(order, "a", 5)
    assert [unit.page for _ in range(5) if (unit := order.take())] == [1, 2, 3, 4, 5]


def test_a_job_of_one_page_waits_for_one_page_of_somebody_elses_long_file_at_most() -> None:
    order = FairOrder()
    put(order, "long", 300)
    taken(order, 50)
    order.put(Unit("short", 0, "bob"))
    assert "short" in taken(order, 2)


def test_a_job_of_one_page_waits_for_one_page_of_its_owners_own_long_file_at_most() -> None:
    order = FairOrder()
    put(order, "long", 300)
    taken(order, 50)
    order.put(Unit("short", 0, "ann"))
    assert "short" in taken(order, 2)


def test_one_page_behind_the_long_files_of_ten_owners_waits_for_one_page_of_each_at_most() -> None:
    order = FairOrder()
    for number in range(10):
        put(order, f"long-{number}", 300, f"owner-{number}")
    taken(order, 77)
    order.put(Unit("short", 0, "ann"))
    assert "short" in taken(order, 11)


def test_owners_that_come_anew_one_after_the_other_wait_for_one_unit_of_each_of_the_others_at_most() -> None:
    dice = random.Random(5)
    order = FairOrder()
    for number in range(10):
        put(order, f"long-{number}", 3000, f"owner-{number}")
    for number in range(200):
        taken(order, dice.randrange(25))
        order.put(Unit(f"short-{number}", 0, f"anew-{number}"))
        assert f"short-{number}" in taken(order, 11)


def test_an_owner_with_five_long_files_gets_no_more_than_one_with_a_single_one() -> None:
    order = FairOrder()
    for number in range(5):
        put(order, f"ann-{number}", 100, "ann")
    put(order, "bob", 100, "bob")
    shares = Counter(name.partition("-")[0] for name in taken(order, 100))
    assert shares == {"ann": 50, "bob": 50}


def test_the_long_files_of_one_owner_share_its_turns() -> None:
    order = FairOrder()
    put(order, "a", 100)
    put(order, "b", 100)
    assert Counter(taken(order, 100)) == {"a": 50, "b": 50}


def test_who_sends_one_file_after_the_other_gets_no_more_than_its_share() -> None:
    order = FairOrder()
    for number in range(10):
        put(order, f"long-{number}", 100, f"owner-{number}")
    got = Counter[str]()
    for number in range(330):
        if order.ahead(f"short-{number - 1}") is None:
            order.put(Unit(f"short-{number}", 0, "ann"))
        unit = order.take()
        assert unit is not None
        got[unit.owner] += 1
    assert got["ann"] <= 31, "one turn in eleven"


def test_a_stream_of_new_jobs_of_an_owner_does_not_hold_up_its_long_file() -> None:
    order = FairOrder()
    put(order, "long", 50)
    got = Counter[str]()
    for number in range(100):
        order.put(Unit(f"short-{number}", 0, "ann"))
        unit = order.take()
        assert unit is not None
        got["long" if unit.job_id == "long" else "short"] += 1
    assert got["long"] >= 10, "with n others that wait, one turn in n + 1"


def test_a_discarded_job_is_not_taken_and_the_others_are() -> None:
    order = FairOrder()
    put(order, "a", 100)
    put(order, "b", 2)
    put(order, "c", 1, "bob")
    taken(order, 1)
    order.discard("a")
    order.discard("nobody")
    assert sorted(taken(order, 9)) == ["b", "b", "c"]


def test_what_is_said_to_be_ahead_is_what_is_taken_before() -> None:
    lots = random.Random(7)
    for _ in range(50):
        order = FairOrder()
        jobs = {f"job-{number}": lots.randint(1, 6) for number in range(lots.randint(1, 8))}
        for job, pages in jobs.items():
            put(order, job, pages, lots.choice(["ann", "bob", "eve"]))
            taken(order, lots.randint(0, 1))
        promised = {job: order.ahead(job) for job in jobs}
        sequence = taken(order, 100)
        for job, ahead in promised.items():
            places = [place for place, name in enumerate(sequence) if name == job]
            assert ahead == (Ahead(first=places[0], last=places[-1]) if places else None)


def test_a_unit_is_known_while_it_waits() -> None:
    order = FairOrder()
    put(order, "a", 2)
    assert Unit("a", 2) in order
    assert Unit("a", 3) not in order
    assert Unit("b") not in order
    taken(order, 2)
    assert Unit("a", 2) not in order


def test_an_endless_stream_of_new_owners_does_not_starve_a_long_file() -> None:
    order = FairOrder()
    put(order, "long", 50)
    got = Counter[str]()
    for number in range(400):
        order.put(Unit(f"job-{number}", 0, f"address-{number}"))
        unit = order.take()
        assert unit is not None
        got["long" if unit.job_id == "long" else "short"] += 1
    assert got["long"] >= 20


def test_owners_that_came_once_are_forgotten() -> None:
    order = FairOrder()
    put(order, "long", 3000)
    for number in range(2000):
        order.put(Unit(f"job-{number}", 0, f"address-{number}"))
        order.take()
        order.take()
    assert order.remembered < 200


def of_priority(order: FairOrder, job: str, pages: int, priority: Priority, owner: str = "ann") -> None:
    for page in range(1, pages + 1):
        order.put(Unit(job, page, owner, priority))


@pytest.mark.parametrize("owners", [("ann", "ann", "ann"), ("ann", "bob", "cem")])
def test_high_gets_four_times_the_turns_of_normal_and_that_four_times_those_of_low(owners: tuple[str, ...]) -> None:
    order = FairOrder()
    for priority, owner in zip(PRIORITIES, owners, strict=True):
        of_priority(order, priority, 500, priority, owner)
    first = Counter(taken(order, 210))
    assert first["high"] == pytest.approx(160, abs=6)
    assert first["normal"] == pytest.approx(40, abs=3)
    assert first["low"] == pytest.approx(10, abs=3)
    assert len(taken(order, 2000)) == 1500 - 210


def test_what_is_high_waits_for_one_page_at_most_of_what_its_owner_has_piled_up() -> None:
    order = FairOrder()
    for number in range(300):
        order.put(Unit(f"normal-{number}"))
    taken(order, 50)
    order.put(Unit("urgent", priority="high"))
    assert "urgent" in taken(order, 2)


def test_what_is_low_lets_others_go_first_and_is_taken_at_once_where_there_are_none() -> None:
    order = FairOrder()
    order.put(Unit("idle", priority="low"))
    assert taken(order, 1) == ["idle"]
    for name in "abcdef":
        order.put(Unit(name))
    taken(order, 1)
    order.put(Unit("low", priority="low"))
    assert taken(order, 6).index("low") in (2, 3, 4)


def test_an_endless_stream_of_what_is_high_does_not_starve_what_is_low() -> None:
    order = FairOrder()
    of_priority(order, "low", 10, "low")
    seen: list[str] = []
    for number in range(400):
        order.put(Unit(f"high-{number}", 0, f"owner-{number % 7}", "high"))
        seen += taken(order, 1)
    assert 3 <= seen.count("low") <= 10


def test_a_priority_comes_with_its_units_and_what_is_ahead_is_told_by_it() -> None:
    order = FairOrder()
    of_priority(order, "normal", 20, "normal")
    of_priority(order, "high", 20, "high", "bob")
    of_priority(order, "low", 2, "low", "cem")
    ahead = order.ahead("low")
    units = [unit for _ in range(42) if (unit := order.take())]
    places = [place for place, unit in enumerate(units) if unit.job_id == "low"]
    assert ahead == Ahead(first=places[0], last=places[1])
    assert {unit.priority for unit in units if unit.job_id == "high"} == {"high"}
    assert {(unit.owner, unit.priority) for unit in units if unit.job_id == "low"} == {("cem", "low")}
