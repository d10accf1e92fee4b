"""The Batch: files that were sent together, each of which became a job or was refused with a problem of its own."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Self

from msgspec import Struct

from persistence.cursor import Cursor, cut
from persistence.job import Job, JobOptions, JobState
from persistence.outbox.delivery import Delivery, event_of, news
from persistence.page import Page
from persistence.upload import Upload

OF_BATCH = "batch"
"""Kind of the subject that a batch is."""


class Batch(Struct, frozen=True, kw_only=True):
    """What is kept of it beside its files. It is there for as long as any of its jobs is."""

    id: str
    owner: str
    created_at: datetime
    files: int
    """That were sent, refused ones included."""
    jobs: int
    """That were made of them."""
    unfinished: int
    """Jobs that have not ended; counted in the transactions that end them."""
    ended_at: datetime | None = None
    """When the last one did; None while there is one, and again once one was requeued."""
    cancelled: bool = False
    """Its owner wanted none of what was unfinished then."""
    ends: int = 0
    """How often it has ended: more than once where a job was requeued."""
    options: JobOptions = JobOptions()
    """What was asked of all its files. The `callback_url` is the batch's: its jobs have none of their own."""
    traceparent: str = ""
    """W3C trace context of the request that brought it; empty where nobody traces."""


class BatchFile(Struct, frozen=True, kw_only=True):
    """One of its files."""

    number: int
    """Its place among them, from 1."""
    name: str
    """As its client calls it; empty where it was not told, or was erased with its job."""
    job_id: str = ""
    """Empty where it was refused."""
    code: str = ""
    """Why it was refused: the error's code, and its detail."""
    detail: str = ""
    status: JobState | None = None
    """Of its job as it stands; None without one, and once that was erased."""


class NewJob(Struct, frozen=True, kw_only=True):
    """What is stored of a file that was taken."""

    job: Job
    upload: Upload
    pages: Sequence[Page] = ()
    equal: Job | None = None
    """A job that is done, whose result is this one's, too, where it is still there when this one is stored."""

    @property
    def answered(self) -> Job | None:
        """The job, done with the result of its equal; None without one."""
        return self.job.answered_by(self.equal, self.job.created_at) if self.equal else None


class BatchState(Struct, frozen=True, kw_only=True):
    """A batch, and how far its jobs are."""

    batch: Batch
    counts: Mapping[JobState, int]
    """Jobs in each state; every state is a key. Erased ones are in none."""
    pages_total: int
    """Pages that are to be read, as far as their files were opened."""
    pages_done: int
    pages_failed: int
    last_unfinished: str = ""
    """Id of the last of its jobs that has not ended; empty once all have."""

    @property
    def status(self) -> JobState:
        """As a job's: `processing` once any of its jobs was begun; at the end `cancelled` where it was cancelled as a
        whole, `dead-letter` where nothing of it could be read, and `done` otherwise.
        """
        if self.batch.unfinished:
            waiting = self.counts[JobState.QUEUED] == sum(self.counts.values())
            return JobState.QUEUED if waiting else JobState.PROCESSING
        if self.batch.cancelled:
            return JobState.CANCELLED
        failed = self.counts[JobState.DEAD_LETTER] and not self.counts[JobState.DONE]
        return JobState.DEAD_LETTER if failed else JobState.DONE


class BatchListing(Struct, frozen=True, kw_only=True):
    """Some batches of a longer list."""

    batches: tuple[BatchState, ...]
    next: Cursor | None
    """Where to go on; None: nothing follows."""

    @classmethod
    def of(cls, states: Sequence[BatchState], limit: int) -> Self:
        """The first `limit` of `states`, of which there is one more where anything follows."""
        shown, following = cut(
            states, limit, lambda state: Cursor(updated_at=state.batch.created_at, id=state.batch.id)
        )
        return cls(batches=shown, next=following)


def deliveries_of_batch(state: BatchState) -> Sequence[Delivery]:
    """What is to be told of a batch that has just ended."""
    batch, status = state.batch, state.status
    if not batch.options.callback_url or batch.ended_at is None:
        return ()
    data = {
        "id": batch.id,
        "status": status.value,
        "tag": batch.options.tag,
        "metadata": batch.options.metadata,
        "counts": {each.value: count for each, count in state.counts.items()},
        "url": f"/batches/{batch.id}",
    }
    return (
        news(
            kind=OF_BATCH,
            subject_id=batch.id,
            revision=batch.ends,
            owner=batch.owner,
            event=event_of(OF_BATCH, status),
            data=data,
            url=batch.options.callback_url,
            at=batch.ended_at,
            traceparent=batch.traceparent,
        ),
    )
