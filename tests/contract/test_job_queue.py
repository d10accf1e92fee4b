"""What every JobQueue promises. One suite for all implementations."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import anyio.lowlevel
import pytest

from app.jobs.queueing.local_queue import LocalQueue
from config.settings import LEASE_SECONDS
from persistence.postgres.queue import PgQueue
from persistence.queue import Ahead, Handler, JobQueue, QueueFull, QueueStopped, Unit
from tests.postgres import Postgres

pytestmark = pytest.mark.anyio

LIMIT = 3
REDELIVERY_SECONDS = 0.001
"""Rather than 1: before an id comes again whose handler raised, or that was put while a handler has it."""


@pytest.fixture(params=["local", "pgqueuer"])
def database(request: pytest.FixtureRequest) -> str | None:
    """The URL of the queue's database; None for the queue that has none."""
    if request.param == "local":
        return None
    postgres: Postgres = request.getfixturevalue("postgres")
    return postgres.empty_database()


@pytest.fixture
async def queue(database: str | None) -> AsyncIterator[JobQueue]:
    if database is None:
        yield LocalQueue(limit=LIMIT, redelivery_seconds=REDELIVERY_SECONDS)
        return
    async with PgQueue.opened(
        database, limit=LIMIT, lease=LEASE_SECONDS, redelivery_seconds=REDELIVERY_SECONDS
    ) as shared:
        yield shared


@contextlib.asynccontextmanager
async def running(queue: JobQueue, handler: Handler, concurrency: int = 1) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(queue.run(handler, concurrency=concurrency))
    try:
        yield task
    finally:
        queue.stop()
        await asyncio.wait({task})


async def depth_is(queue: JobQueue, expected: int) -> None:
    """Returns when so many ids wait; a shared queue is looked at once a second, and says meanwhile what it saw last."""
    async with asyncio.timeout(30):
        while queue.depth() != expected:
            await anyio.lowlevel.checkpoint()


class Recorder:
    """A handler that keeps what it was given and lets a test wait for it."""

    def __init__(self, *answers: float | Exception | None) -> None:
        self.seen: list[str] = []
        self._answers = list(answers)
        self._arrived = asyncio.Semaphore(0)

    async def __call__(self, unit: Unit) -> float | None:
        self.seen.append(unit.name)
        self._arrived.release()
        answer = self._answers.pop(0) if self._answers else None
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def wait_for(self, count: int) -> None:
        for _ in range(count):
            await self._arrived.acquire()


async def test_an_id_that_was_put_is_delivered(queue: JobQueue) -> None:
    handler = Recorder()
    async with running(queue, handler):
        await queue.put(Unit("a"))
        await handler.wait_for(1)
    assert handler.seen == ["a"]


async def test_ids_are_delivered_in_order(queue: JobQueue) -> None:
    handler = Recorder()
    for job_id in "abcd":
        await queue.put(Unit(job_id))
    async with running(queue, handler):
        await handler.wait_for(4)
    assert handler.seen == ["a", "b", "c", "d"]


async def test_a_handler_that_answers_a_delay_gets_the_id_again(queue: JobQueue) -> None:
    handler = Recorder(0.01, 0.0)
    async with running(queue, handler):
        await queue.put(Unit("a"))
        await handler.wait_for(3)
    assert handler.seen == ["a", "a", "a"]


async def test_a_delayed_id_holds_up_nobody(queue: JobQueue) -> None:
    handler = Recorder()
    async with running(queue, handler):
        await queue.put(Unit("late"), delay=3600)
        await queue.put(Unit("now"))
        await handler.wait_for(1)
        assert handler.seen == ["now"]
        await depth_is(queue, 1)


async def test_an_id_is_delivered_again_when_its_handler_raises(queue: JobQueue) -> None:
    handler = Recorder(RuntimeError("bug"))
    async with running(queue, handler):
        await queue.put(Unit("a"))
        await handler.wait_for(2)
    assert handler.seen == ["a", "a"]


async def test_an_id_is_never_with_two_handlers(queue: JobQueue) -> None:
    arrived, go_on = asyncio.Semaphore(0), asyncio.Event()
    at_work: list[str] = []

    async def handler(unit: Unit) -> None:
        assert unit.name not in at_work
        at_work.append(unit.name)
        arrived.release()
        await go_on.wait()
        at_work.remove(unit.name)

    async with running(queue, handler, concurrency=2):
        await queue.put(Unit("a"))
        await arrived.acquire()
        await queue.put(Unit("a"))
        await queue.put(Unit("b"))
        await arrived.acquire()
        assert at_work == ["a", "b"]
        go_on.set()


async def test_as_many_handlers_as_asked_for_run_side_by_side(queue: JobQueue) -> None:
    barrier = asyncio.Barrier(3)

    async def handler(_: Unit) -> None:
        await barrier.wait()

    async with running(queue, handler, concurrency=2):
        await queue.put(Unit("a"))
        await queue.put(Unit("b"))
        await barrier.wait()  # passes only when both are inside


async def test_dispatchers_have_names(queue: JobQueue) -> None:
    names: set[str] = set()
    both = asyncio.Barrier(3)

    async def handler(_: Unit) -> None:
        task = asyncio.current_task()
        assert task is not None
        names.add(task.get_name())
        await both.wait()

    async with running(queue, handler, concurrency=2):
        await queue.put(Unit("a"))
        await queue.put(Unit("b"))
        await both.wait()
    assert names == {"dispatcher-1", "dispatcher-2"}


async def test_an_id_is_never_in_two_hands_at_once(queue: JobQueue) -> None:
    inside, most, go_on = 0, 0, asyncio.Event()
    seen = asyncio.Semaphore(0)

    async def handler(unit: Unit) -> None:
        nonlocal inside, most
        inside += unit.job_id == "a"
        most = max(most, inside)
        seen.release()
        if unit.job_id == "a":
            await go_on.wait()
            inside -= 1
        else:
            go_on.set()

    async with running(queue, handler, concurrency=2):
        await queue.put(Unit("a"))
        await queue.put(Unit("a"))
        await queue.put(Unit("b"))
        for _ in range(2):
            await seen.acquire()
    assert most == 1


async def test_reserve_refuses_when_the_queue_is_full(queue: JobQueue) -> None:
    for number in range(LIMIT):
        await queue.put(Unit(str(number)))
    await depth_is(queue, LIMIT)
    with pytest.raises(QueueFull), queue.reserve():
        pytest.fail("there was no room")


async def test_delayed_ids_take_room_too(queue: JobQueue) -> None:
    for number in range(LIMIT):
        await queue.put(Unit(str(number)), delay=3600)
    await depth_is(queue, LIMIT)
    with pytest.raises(QueueFull), queue.reserve():
        pytest.fail("there was no room")


async def test_a_place_is_held_while_it_is_reserved(queue: JobQueue) -> None:
    with contextlib.ExitStack() as held:
        for _ in range(LIMIT):
            held.enter_context(queue.reserve())
        with pytest.raises(QueueFull), queue.reserve():
            pytest.fail("there was no room")
    with queue.reserve():
        await depth_is(queue, 0)


async def test_put_never_refuses(queue: JobQueue) -> None:
    """A retried job must find its place, whatever the bound: else dispatchers would wait for each other."""
    for number in range(LIMIT * 2):
        await queue.put(Unit(str(number)))
    await depth_is(queue, LIMIT * 2)


async def test_a_discarded_id_frees_its_place_and_is_not_delivered(queue: JobQueue) -> None:
    handler = Recorder()
    await queue.put(Unit("delayed"), delay=3600)
    for job_id in "abc":
        await queue.put(Unit(job_id))
    for job_id in ("b", "delayed"):
        await queue.discard(job_id)
    await depth_is(queue, 2)
    with queue.reserve():
        await queue.put(Unit("d"))
    async with running(queue, handler):
        await handler.wait_for(3)
    assert handler.seen == ["a", "c", "d"]


async def test_discarding_an_id_that_does_not_wait_changes_nothing(queue: JobQueue) -> None:
    begun, go_on, again = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def handler(_: Unit) -> float | None:
        if begun.is_set():
            again.set()
            return None
        begun.set()
        await go_on.wait()
        return 0.0

    async with running(queue, handler):
        await queue.put(Unit("a"))
        await begun.wait()
        await queue.put(Unit("b"), delay=3600)
        for job_id in ("a", "unknown"):
            await queue.discard(job_id)
        await depth_is(queue, 1)
        go_on.set()
        await again.wait()  # what is being handled is its handler's: it comes again, as that one asked


async def test_a_discarded_id_can_be_put_again(queue: JobQueue) -> None:
    handler = Recorder()
    await queue.put(Unit("a"))
    await queue.discard("a")
    await queue.put(Unit("a"))
    await depth_is(queue, 1)
    async with running(queue, handler):
        await handler.wait_for(1)
    assert handler.seen == ["a"]


async def test_no_more_are_ahead_of_an_id_than_wait(queue: JobQueue) -> None:
    for job_id in "abc":
        await queue.put(Unit(job_id))
    await queue.put(Unit("late"), delay=3600)
    await depth_is(queue, 4)
    for place, job_id in enumerate(["a", "b", "c", "late"]):
        ahead = await queue.ahead(job_id)
        assert ahead is not None
        assert place <= ahead.first <= ahead.last <= 4


async def test_those_that_came_later_are_not_ahead() -> None:
    queue, handler = LocalQueue(limit=LIMIT), Recorder()
    for job_id in "abca":
        await queue.put(Unit(job_id))
    assert [await queue.ahead(job_id) for job_id in "abc"] == [Ahead(first=n, last=n) for n in range(3)]
    await queue.discard("a")
    assert [await queue.ahead(job_id) for job_id in "bc"] == [Ahead(first=n, last=n) for n in range(2)]
    async with running(queue, handler):
        await handler.wait_for(2)
    assert handler.seen == ["b", "c"]


async def test_stop_lets_the_handler_at_work_finish_and_delivers_nothing_more(queue: JobQueue) -> None:
    begun, go_on, finished = asyncio.Event(), asyncio.Event(), []

    async def handler(unit: Unit) -> None:
        begun.set()
        await go_on.wait()
        finished.append(unit.name)

    async with running(queue, handler) as task:
        await queue.put(Unit("a"))
        await queue.put(Unit("b"))
        await begun.wait()
        queue.stop()
        go_on.set()
        await task
    assert finished == ["a"]


async def test_stop_ends_every_idle_dispatcher(queue: JobQueue) -> None:
    async with running(queue, Recorder(), concurrency=5) as task:
        queue.stop()
        await task


async def test_stop_twice_or_before_run_is_harmless(queue: JobQueue) -> None:
    queue.stop()
    queue.stop()
    await queue.run(Recorder(), concurrency=2)


async def test_a_stopped_queue_reserves_no_places(queue: JobQueue) -> None:
    queue.stop()
    with pytest.raises(QueueStopped), queue.reserve():
        pytest.fail("the queue was stopped")


async def test_cancelling_run_cancels_the_handlers_and_waits_for_them(queue: JobQueue) -> None:
    begun, cleaned = asyncio.Event(), []

    async def handler(unit: Unit) -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            cleaned.append(unit.name)

    async with running(queue, handler) as task:
        await queue.put(Unit("a"))
        await begun.wait()
        task.cancel()
        await asyncio.wait({task})
        assert cleaned == ["a"]
        assert task.cancelled()
