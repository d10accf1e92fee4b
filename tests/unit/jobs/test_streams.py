"""What is promised to those who follow jobs, whatever they or the store do meanwhile."""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from typing import Any

import msgspec
import pytest

from app.delivery.streams import Streams, TooManyStreams
from app.delivery.subscription import StreamLimits
from persistence.change import JobChange, change_of
from persistence.cursor import Cursor
from persistence.job import Job
from persistence.store import StoreError
from tests.contract.jobs import RESULT, START, after, job

pytestmark = pytest.mark.anyio

LIMITS = StreamLimits(streams=3, of_client=2, pending=2, heartbeat_seconds=0.001)


class Changes:
    """A store of which only changes are asked, and which may be away."""

    def __init__(self) -> None:
        self.stored: list[JobChange] = []
        self.away = False

    async def changes(self, after: Cursor, limit: int, owner: str | None = None) -> Sequence[JobChange]:
        if self.away:
            raise StoreError("away")
        later = [each for each in self.stored if (each.updated_at, each.id) > (after.updated_at, after.id)]
        return [each for each in later if owner in (None, each.owner)][:limit]


@pytest.fixture
def store() -> Changes:
    return Changes()


@pytest.fixture
def streams(store: Any) -> Streams:
    return Streams(store, LIMITS, now=lambda: START)


def changed(name: str, seconds: float = 1.0, owner: str = "") -> JobChange:
    return change_of(job(name, owner=owner).claimed(after(seconds)))


async def opened(stream: AsyncGenerator[JobChange | None, None]) -> AsyncGenerator[JobChange | None, None]:
    assert await anext(stream) is None
    return stream


async def told(stream: AsyncIterator[JobChange | None]) -> JobChange:
    async for change in stream:
        if change is not None:
            return change
    raise AssertionError("the stream has ended")


async def test_a_stream_that_is_not_read_keeps_little_and_is_ended(streams: Streams) -> None:
    stream = await opened(streams.of_owner("c", None, None))
    for name in ("a", "b", "c", "d"):
        streams.told(changed(name))
    assert [each.id async for each in stream if each] == ["a", "b", "c"]
    assert streams.count == 0


async def test_of_one_job_only_the_latest_change_waits_to_be_told(streams: Streams) -> None:
    claimed = job().claimed(after(1))
    done = claimed.completed(RESULT, after(2))
    stream = await opened(streams.of_owner("c", None, None))
    for each in (job(), claimed, done, claimed):  # the last one late, from another node
        streams.told(change_of(each))
    assert await told(stream) == change_of(done)
    streams.close()
    assert [each async for each in stream if each] == []


async def test_one_client_cannot_take_all_the_streams_and_all_clients_no_more_than_there_are(streams: Streams) -> None:
    own = [await opened(streams.of_owner("greedy", None, None)) for _ in range(2)]
    with pytest.raises(TooManyStreams):
        streams.require_room("greedy")
    assert [each async for each in streams.of_owner("greedy", None, None)] == []
    last = await opened(streams.of_owner("other", None, None))
    with pytest.raises(TooManyStreams):
        streams.require_room("third")
    await own[0].aclose()
    streams.require_room("greedy")
    assert streams.count == 2
    assert last


async def test_what_was_missed_is_told_once_and_nothing_of_others(streams: Streams, store: Changes) -> None:
    stream = await opened(streams.of_owner("c", "ann", None))
    streams.told(changed("a", 1, "ann"))
    assert (await told(stream)).id == "a"
    store.stored = [changed("a", 1, "ann"), changed("x", 2, "bob"), changed("b", 3, "ann")]
    streams.doubt()
    assert (await told(stream)).id == "b"
    streams.told(changed("b", 3, "ann"))
    streams.told(changed("c", 4, "ann"))
    assert (await told(stream)).id == "c"


async def test_a_store_that_is_away_ends_no_stream(streams: Streams, store: Changes) -> None:
    store.away = True
    stream = await opened(streams.of_owner("c", None, Cursor(updated_at=after(0), id="a")))
    assert await anext(stream) is None
    store.away, store.stored = False, [changed("b")]
    assert (await told(stream)).id == "b"


async def test_a_job_is_looked_for_until_the_store_is_back(streams: Streams) -> None:
    answers: list[Job | StoreError] = [StoreError("away"), StoreError("away"), job(), job().cancelled(after(1))]

    async def look() -> Job:
        answer = answers.pop(0)
        if isinstance(answer, StoreError):
            raise answer
        return answer

    stream = await opened(streams.of_job("c", "a", look))
    assert (await told(stream)).status == "queued"
    streams.doubt()
    assert (await told(stream)).status == "cancelled"
    assert [each async for each in stream] == []
    assert streams.count == 0


async def test_a_stream_of_a_job_that_was_deleted_ends(streams: Streams) -> None:
    async def look() -> None:
        return None

    assert [each async for each in streams.of_job("c", "a", look)] == [None]


async def test_a_long_absence_is_caught_up_with_piece_by_piece(streams: Streams, store: Changes) -> None:
    streams.limits = msgspec.structs.replace(LIMITS, pending=200)
    store.stored = [changed(f"{number:04}", 10 + number) for number in range(450)]
    stream = await opened(streams.of_owner("c", None, Cursor(updated_at=after(0), id="seen")))
    assert [(await told(stream)).id for _ in range(450)] == [each.id for each in store.stored]
