"""The account of a store that is at rest: accepted = done + dead letters + cancelled, none twice, none missing.

`python -m tests.chaos.audit sqlite:////data/jobs.db < ids` holds the ids that clients were given against a store.
"""

import asyncio
import sys
from collections import Counter
from collections.abc import Mapping

import msgspec
from msgspec import Struct

from ocr_engine.errors import InvalidImage
from persistence.cursor import Cursor
from persistence.job import Job, JobState
from persistence.opening import open_store
from persistence.store import JobStore
from tests.chaos.load import Expectation


class Audit(Struct, frozen=True, kw_only=True):
    """What was found; `faults` says in words what must not be."""

    accepted: int
    states: dict[str, int]
    dead_letters: dict[str, int]
    """By error code."""
    faults: list[str]


async def audit(url: str, accepted: Mapping[str, Expectation | None], done_events: Counter[str]) -> Audit:
    """Compares the store with what clients were promised and with the log's `job.done` of all lives of the service.

    Every job that a client or the log knows is looked at; the sum over all states shows that no other one is open.
    """
    store = await open_store(url)
    try:
        counts = await store.counts()
        faults = [f"{job.id} is still {job.status}" for job in await store.unfinished()]
        for job_id, expectation in accepted.items():
            job = await store.get(job_id)
            faults += (
                [f"{job_id} was accepted and is missing"] if job is None else await _wrong(store, job, expectation)
            )
        for job_id, events in done_events.items():
            job = await store.get(job_id)
            if job is None or job.status is not JobState.DONE:
                faults.append(f"{job_id} was logged as done and is {job.status if job else 'missing'}")
            if events > 1:
                faults.append(f"{job_id} was done {events} times")
        letters = Counter(job.error.code for job in await _dead_letters(store) if job.error)
        if letters.total() != counts[JobState.DEAD_LETTER]:
            faults.append(f"{letters.total()} dead letters are listed and {counts[JobState.DEAD_LETTER]} counted")
        if sum(counts.values()) < len(accepted):
            faults.append(f"{len(accepted)} were accepted, {sum(counts.values())} are stored")
    finally:
        await store.close()
    return Audit(
        accepted=len(accepted),
        states={state.value: count for state, count in counts.items()},
        dead_letters=dict(letters),
        faults=faults,
    )


async def _wrong(store: JobStore, job: Job, expectation: Expectation | None) -> list[str]:
    """What is wrong with the end of one job."""
    if job.status is JobState.DONE:
        faults = []
        if job.result is None:
            faults.append(f"{job.id} is done and has no result")
        elif expectation is not None and job.result.text != expectation.text:
            faults.append(f"{job.id} ({expectation.image}) was read as {job.result.text!r}")
        if (await store.image(job.id) is not None) > job.keeps_upload:
            faults.append(f"{job.id} is done and still has its image")
        return faults
    if job.error is not None and job.error.code == InvalidImage.code and expectation and expectation.text is not None:
        return [f"{job.id} ({expectation.image}) was thought to be no image: {job.error.detail}"]
    return []


async def _dead_letters(store: JobStore) -> list[Job]:
    jobs: list[Job] = []
    after: Cursor | None = None
    while True:
        page = await store.dead_letters(after=after)
        jobs += page.jobs
        if page.next is None:
            return jobs
        after = page.next


if __name__ == "__main__":
    report = asyncio.run(audit(sys.argv[1], dict.fromkeys(sys.stdin.read().split()), Counter()))
    print(msgspec.json.format(msgspec.json.encode(report)).decode())
    sys.exit(bool(report.faults))
