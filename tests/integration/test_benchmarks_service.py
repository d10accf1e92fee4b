"""The service benchmark against the real server, with an engine that takes no time."""

import itertools

import pytest

from benchmarks.report.progress import Progress
from benchmarks.service import rounds
from benchmarks.service.load import closed_loop, open_loop, schedule, verify
from benchmarks.service.server_process import FAKE, ServerFailed, running
from benchmarks.service.usage import watched
from samples import sample

pytestmark = pytest.mark.anyio


async def test_every_job_of_both_loops_is_stored_and_counted_once_and_refusals_are_errors() -> None:
    images = [sample("tiny").data, sample("health").data]
    moments = schedule("uniform", 500.0, 5)
    async with running(FAKE, workers=2) as server, watched(server.pid, server.worker_pids) as usage:
        closed = await closed_loop(server, images * 3, clients=2)
        arriving = await open_loop(server, images, moments)
        refused = await closed_loop(server, [b"this is no image"] * 2, clients=1)
        faults = await verify(server, (*closed.records, *arriving.records))
        (own,) = usage.memory()
    assert (len(closed.records), len(arriving.records), len(refused.records)) == (6, 5, 0)
    assert len({record.job_id for record in (*closed.records, *arriving.records)}) == 11
    assert closed.errors == arriving.errors == ()
    assert faults == []
    assert all(record.intended <= record.accepted <= record.stored for record in (*closed.records, *arriving.records))
    # latency counts from there, whenever the client itself got round to it
    assert sorted(record.intended - arriving.begun for record in arriving.records) == pytest.approx(moments)
    assert [error[:3] for error in refused.errors] == ["415", "415"]
    assert own.proportional > 0


async def test_the_floor_is_measured() -> None:
    plan = rounds.Plan(round_seconds=1, pairs=1, rates=(), rate_seconds=1, floor_jobs=4, peer_images=1)
    floor = await rounds.floor([sample("tiny").path], plan, Progress())
    assert floor.jobs == 4
    assert floor.rate > 0


async def test_a_server_that_cannot_start_is_told_with_its_last_words() -> None:
    with pytest.raises(ServerFailed, match="JOB_TIMEOUT_SECONDS"):
        async with running(FAKE, workers=1, settings={"JOB_TIMEOUT_SECONDS": "-1"}):
            pass


def test_what_the_service_would_refuse_is_left_out() -> None:
    good, text = sample("tiny").path, sample("tiny").path.with_suffix(".txt")
    assert rounds.readable([text, good], 10**8) == [good]
    with pytest.raises(ServerFailed):
        rounds.readable(itertools.repeat(text, 2), 10**8)
