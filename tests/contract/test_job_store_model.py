"""Random verbs on a store and on a model of it: both must always agree."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from persistence.job import IllegalTransition, Job, JobState
from persistence.store import JobExists
from persistence.upload import Upload
from tests.contract.conftest import OpenStore
from tests.contract.jobs import RESULT, after, failure, job

T = TypeVar("T")

IDS = ("a", "b", "c", "d")
CODES = ("timeout", "worker_crashed")
VERBS: dict[str, Callable[[Job, float, str], Job]] = {
    "claimed": lambda job, at, _: job.claimed(after(at)),
    "completed": lambda job, at, _: job.completed(RESULT, after(at)),
    "retried": lambda job, at, code: job.retried(failure(code, job.attempt), after(at + 5), after(at)),
    "dead_lettered": lambda job, at, code: job.dead_lettered(failure(code, job.attempt), after(at)),
    "interrupted": lambda job, at, _: job.interrupted(after(at)),
    "requeued": lambda job, at, _: job.requeued(after(at)),
    "cancelled": lambda job, at, _: job.cancelled(after(at)),
}


class StoreMachine(RuleBasedStateMachine):
    """Every version of a job that was ever stored may come back and try its luck: only the current one may win."""

    def __init__(self, open_store: OpenStore) -> None:
        super().__init__()
        self._runner = asyncio.Runner()
        self._open_store = open_store
        self._store = self._run(open_store())
        self.jobs: dict[str, Job] = {}
        self.images: dict[str, bytes] = {}
        self.deleted: set[str] = set()
        self.versions: list[Job] = []

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return self._runner.run(work)

    def teardown(self) -> None:
        self._run(self._store.close())
        self._runner.close()

    @rule(job_id=st.sampled_from(IDS), created=st.integers(0, 3), image=st.binary(max_size=20))
    def add(self, job_id: str, created: int, image: bytes) -> None:
        new = job(job_id, created, len(image))
        if job_id in self.jobs or job_id in self.deleted:
            with pytest.raises(JobExists):
                self._run(self._store.add(new, Upload.of(image)))
            return
        self._run(self._store.add(new, Upload.of(image)))
        self.jobs[job_id], self.images[job_id] = new, image
        self.versions.append(new)

    @precondition(lambda self: self.jobs)
    @rule(data=st.data(), verb=st.sampled_from(sorted(VERBS)), at=st.integers(0, 9), code=st.sampled_from(CODES))
    def replace_current(self, data: st.DataObject, verb: str, at: int, code: str) -> None:
        current = data.draw(st.sampled_from(sorted(self.jobs)))
        self._replace(self.jobs[current], verb, at, code)

    @precondition(lambda self: self.versions)
    @rule(data=st.data(), verb=st.sampled_from(sorted(VERBS)), at=st.integers(0, 9), code=st.sampled_from(CODES))
    def replace_any_version(self, data: st.DataObject, verb: str, at: int, code: str) -> None:
        self._replace(data.draw(st.sampled_from(self.versions)), verb, at, code)

    def _replace(self, old: Job, verb: str, at: int, code: str) -> None:
        try:
            new = VERBS[verb](old, at, code)
        except IllegalTransition:
            return
        wins = self.jobs.get(old.id) == old
        assert self._run(self._store.replace(old, new)) is wins
        if wins:
            self.jobs[old.id] = new
            self.versions.append(new)
            if new.status in (JobState.DONE, JobState.CANCELLED):
                del self.images[old.id]

    @precondition(lambda self: any(version.status.terminal for version in self.versions))
    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        version = data.draw(st.sampled_from([each for each in self.versions if each.status.terminal]))
        wins = self.jobs.get(version.id) == version
        assert self._run(self._store.delete(version)) is wins
        if wins:
            del self.jobs[version.id]
            self.images.pop(version.id, None)
            self.deleted.add(version.id)

    @rule()
    def check(self) -> None:
        self._run(self._store.check())

    @rule()
    def open_again(self) -> None:
        self._run(self._store.close())
        self._store = self._run(self._open_store())

    @invariant()
    def both_agree_on_every_job(self) -> None:
        for job_id in IDS:
            assert self._run(self._store.get(job_id)) == self.jobs.get(job_id)
            assert self._run(self._store.image(job_id)) == self.images.get(job_id)
            assert self._run(self._store.was_deleted(job_id)) is (job_id in self.deleted)

    @invariant()
    def both_agree_on_lists_and_figures(self) -> None:
        jobs = self.jobs.values()
        unfinished = sorted((each for each in jobs if not each.status.terminal), key=lambda x: (x.created_at, x.id))
        assert self._run(self._store.unfinished()) == unfinished
        assert self._run(self._store.backlog()).image_bytes == sum(each.image.size for each in unfinished)
        counts = {state: sum(each.status is state for each in jobs) for state in JobState}
        assert self._run(self._store.counts()) == counts
        for code in (None, *CODES):
            letters = [each for each in jobs if each.error and code in (None, each.error.code)]
            letters.sort(key=lambda x: (x.updated_at, x.id), reverse=True)
            page = self._run(self._store.dead_letters(code=code, limit=2))
            assert list(page.jobs) == letters[:2]
            rest = self._run(self._store.dead_letters(code=code, after=page.next)).jobs if page.next else ()
            assert list(rest) == letters[2:]


def test_random_verbs_leave_store_and_model_in_agreement(new_store: Callable[[], OpenStore]) -> None:
    class Machine(StoreMachine):
        def __init__(self) -> None:
            super().__init__(new_store())

    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=15,
            stateful_step_count=30,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
