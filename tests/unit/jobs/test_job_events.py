"""Whoever listens to jobs hears every event, and cannot disturb what it listens to."""

import inspect
from typing import Any

import pytest
from loguru import logger

from app.jobs.events import JobEvents, Listeners
from tests.contract.jobs import job

EVENTS = sorted(name for name, _ in inspect.getmembers(JobEvents, inspect.isfunction))


class Everything(JobEvents):
    """Keeps all that it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, tuple[Any, ...]]] = []

    def __getattribute__(self, name: str) -> Any:
        if name in EVENTS:
            return lambda *carried, **named: self.told.append((name, (*carried, *named.values())))
        return super().__getattribute__(name)


class Faulty(JobEvents):
    """Fails at everything."""

    def __getattribute__(self, name: str) -> Any:
        raise ZeroDivisionError(name)


def tell(listeners: JobEvents, event: str) -> tuple[Any, ...]:
    _, *parameters = inspect.signature(getattr(JobEvents, event)).parameters.values()
    named = {each.name: False for each in parameters if each.kind is each.KEYWORD_ONLY}
    carried = (job(),) * (len(parameters) - len(named))
    getattr(listeners, event)(*carried, **named)
    return (*carried, *named.values())


@pytest.mark.parametrize("event", EVENTS)
def test_every_listener_is_told_of_the_event_and_what_it_carries(event: str) -> None:
    first, second = Everything(), Everything()
    carried = tell(Listeners(first, JobEvents(), second), event)
    assert first.told == second.told == [(event, carried)]


@pytest.mark.parametrize("event", EVENTS)
def test_a_faulty_listener_keeps_the_event_from_no_other_and_is_named_in_the_log(event: str) -> None:
    lines: list[str] = []
    sink = logger.add(lambda line: lines.append(str(line)), format="{extra[event]} {extra[job_id]} {message}")
    after = Everything()
    tell(Listeners(Faulty(), after), event)
    logger.remove(sink)
    assert [name for name, _ in after.told] == [event]
    assert lines[0].startswith("job.listener_failed a Faulty")
