"""The verbs of a job: every arrow of the table, and nothing else."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from ocr_engine.errors import PasswordRequired
from ocr_engine.result import ImageInfo, OcrResult
from persistence.job import LOCKED_OUT, TRANSITIONS, IllegalTransition, Job, JobError, JobState

START = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
LATER = START + timedelta(seconds=10)
ERROR = JobError(code="timeout", detail="too slow", at=LATER, attempt=1)
RESULT = OcrResult(pages=())


def queued() -> Job:
    image = ImageInfo(media_type="image/png", width=2, height=1, frames=1, size=70)
    return Job(id="a", image=image, created_at=START, updated_at=START, due_at=START)


def in_state(state: JobState) -> Job:
    processing = queued().claimed(START)
    return {
        JobState.QUEUED: queued(),
        JobState.PROCESSING: processing,
        JobState.DONE: processing.completed(RESULT, START),
        JobState.DEAD_LETTER: processing.dead_lettered(ERROR, START),
        JobState.CANCELLED: processing.cancelled(START),
    }[state]


VERBS: dict[str, tuple[Callable[[Job], Job], set[JobState], JobState]] = {
    "claimed": (lambda job: job.claimed(LATER), {JobState.QUEUED}, JobState.PROCESSING),
    "completed": (lambda job: job.completed(RESULT, LATER), {JobState.PROCESSING}, JobState.DONE),
    "retried": (lambda job: job.retried(ERROR, LATER, LATER), {JobState.PROCESSING}, JobState.QUEUED),
    "dead_lettered": (lambda job: job.dead_lettered(ERROR, LATER), {JobState.PROCESSING}, JobState.DEAD_LETTER),
    "interrupted": (lambda job: job.interrupted(LATER), {JobState.PROCESSING}, JobState.QUEUED),
    "requeued": (lambda job: job.requeued(LATER), {JobState.DEAD_LETTER}, JobState.QUEUED),
    "cancelled": (lambda job: job.cancelled(LATER), {JobState.QUEUED, JobState.PROCESSING}, JobState.CANCELLED),
}
CASES = [(name, state) for name in VERBS for state in JobState]


@pytest.mark.parametrize(("name", "state"), CASES, ids=[f"{name}-from-{state}" for name, state in CASES])
def test_a_verb_leads_where_the_table_says_or_raises(name: str, state: JobState) -> None:
    verb, sources, target = VERBS[name]
    job = in_state(state)
    if state in sources:
        assert verb(job).status is target
    else:
        with pytest.raises(IllegalTransition, match=rf"job a is {state}; it cannot become {target}"):
            verb(job)


def test_a_job_that_is_requeued_again_and_again_keeps_its_latest_failures_only() -> None:
    job = queued()
    for number in range(100):
        error = JobError(code="timeout", detail=f"{number}", at=LATER, attempt=1)
        job = job.claimed(LATER).dead_lettered(error, LATER).requeued(LATER)
    assert [failure.detail for failure in job.failures] == [str(number) for number in range(79, 100)]


def test_the_verbs_and_the_table_have_the_same_arrows() -> None:
    of_verbs = {(source, target) for _, sources, target in VERBS.values() for source in sources}
    of_verbs.add((JobState.DONE, JobState.QUEUED))  # a paged job only, see test_page.py
    of_table = {(source, target) for source, targets in TRANSITIONS.items() for target in targets}
    assert of_verbs == of_table


@pytest.mark.parametrize("name", VERBS)
def test_every_verb_counts_the_revision_and_leaves_the_old_job_alone(name: str) -> None:
    verb, sources, _ = VERBS[name]
    for source in sources:
        old = in_state(source)
        before = in_state(source)
        new = verb(old)
        assert new.revision == old.revision + 1
        assert (new.id, new.image, new.created_at) == (old.id, old.image, old.created_at)
        assert old == before


@pytest.mark.parametrize("name", VERBS)
def test_updated_at_never_runs_backwards_with_the_clock(name: str) -> None:
    verb, sources, _ = VERBS[name]
    for source in sources:
        future = LATER + timedelta(hours=1)
        stamped_in_the_future = _with_updated_at(in_state(source), future)
        assert verb(stamped_in_the_future).updated_at == future
        assert verb(in_state(source)).updated_at == LATER


def _with_updated_at(job: Job, moment: datetime) -> Job:
    return Job(**{name: getattr(job, name) for name in Job.__struct_fields__} | {"updated_at": moment})


def test_an_attempt_counts_from_its_claim() -> None:
    assert queued().attempt == 0
    assert queued().claimed(LATER).attempt == 1
    assert queued().claimed(LATER).retried(ERROR, LATER, LATER).claimed(LATER).attempt == 2


def test_an_interrupted_attempt_is_given_back_and_due_at_once() -> None:
    job = queued().claimed(START).interrupted(LATER)
    assert (job.attempt, job.due_at, job.failures) == (0, LATER, ())


def test_a_retry_keeps_its_failure_and_waits_until_due() -> None:
    due = LATER + timedelta(seconds=30)
    job = queued().claimed(START).retried(ERROR, due, LATER)
    assert (job.due_at, job.failures, job.error) == (due, (ERROR,), None)


def test_only_a_dead_letter_has_an_error_and_it_is_the_last_failure() -> None:
    last = JobError(code="worker_crashed", detail="killed", at=LATER, attempt=2)
    dead = queued().claimed(START).retried(ERROR, START, START).claimed(START).dead_lettered(last, LATER)
    assert dead.failures == (ERROR, last)
    assert dead.error == last
    assert all(in_state(state).error is None for state in JobState if state is not JobState.DEAD_LETTER)


def test_a_requeued_dead_letter_has_all_attempts_again_and_keeps_its_record() -> None:
    job = in_state(JobState.DEAD_LETTER).requeued(LATER)
    assert (job.attempt, job.due_at, job.failures) == (0, LATER, (ERROR,))


def test_done_dead_letter_and_cancelled_are_terminal() -> None:
    terminal = {state for state in JobState if state.terminal}
    assert terminal == {JobState.DONE, JobState.DEAD_LETTER, JobState.CANCELLED}


def test_waiting_is_counted_from_when_the_attempt_was_due() -> None:
    assert queued().wait_seconds == 0.0
    assert queued().claimed(LATER).wait_seconds == 10.0
    assert queued().claimed(START - timedelta(seconds=5)).wait_seconds == 0.0


def test_a_wrong_password_is_known_by_the_engines_word_for_it() -> None:
    assert PasswordRequired.code == LOCKED_OUT
