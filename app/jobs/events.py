"""Everything that is told of jobs: the one list of events, each with what it carries.

Whoever changes a job tells, and knows no listener: the log, metrics, traces, the estimate of waits and waiting clients
all hear of it here, and so will whatever comes to be added. Told is what the store holds by then, so that a listener
never hears of a change that was not kept; each stored change is told once, by one event.
"""

from collections.abc import Callable

from loguru import logger

from persistence.job import Job
from persistence.page import Page


class JobEvents:
    """What happens to jobs. A listener overrides what it wants to hear.

    Called on the event loop, by the task that made the change: a listener returns at once.
    """

    def accepted(self, job: Job) -> None:
        """An upload is stored as this job, which is about to be queued. Told within the request that brought it.

        Where nodes share a queue, a dispatcher may be faster: `claimed` may then be told before this.
        """

    def claimed(self, job: Job) -> None:
        """A dispatcher has the job and begins an attempt: `started_at`, `attempt` and `wait_seconds` are its own."""

    def opened(self, job: Job) -> None:
        """A worker has opened the job's file: `pages_total` are to be read, and about to be queued."""

    def page_claimed(self, job: Job, page: Page) -> None:
        """A dispatcher has a page of a paged job and begins an attempt. The first one's `claimed` is told after it."""

    def page_changed(self, job: Job, old: Page, page: Page) -> None:
        """An attempt at a page ended: it is done, failed, or queued again, with one more of `failures` where it failed.

        What became of the job thereby is told after it.
        """

    def changed(self, old: Job, job: Job) -> None:
        """Any other change, before and after: an attempt ended or was given back (`old` is processing, `job` is done,
        dead-letter, or queued, with one more of `failures` where it failed), or the job was cancelled.

        `result` of a paged job is not told: it is in the store.
        """

    def outcome_dropped(self, job: Job, *, wanted: bool) -> None:
        """An attempt ended whose outcome was not stored: the job, as it was claimed, had changed meanwhile.

        `wanted`: False where it was cancelled or erased, so that nobody misses the outcome.
        """

    def requeued(self, job: Job) -> None:
        """A person sent a dead letter, or failed pages, back: the job, about to be queued, its failures on record."""

    def rescued(self, job: Job) -> None:
        """An unfinished job that the queue may not have, found in the store and about to be queued, if it is not."""

    def deleted(self, job: Job) -> None:
        """The job, as it was last, and its image were forgotten; its id answers 410."""


class Listeners(JobEvents):
    """Tells all of them, in their order. One that fails is logged, and keeps neither the job nor the others."""

    def __init__(self, *listeners: JobEvents) -> None:
        self._listeners = listeners

    def accepted(self, job: Job) -> None:
        """See JobEvents."""
        self._tell(job, lambda listener: listener.accepted(job))

    def claimed(self, job: Job) -> None:
        """See JobEvents."""
        self._tell(job, lambda listener: listener.claimed(job))

    def opened(self, job: Job) -> None:
        """See JobEvents."""
        self._tell(job, lambda listener: listener.opened(job))

    def page_claimed(self, job: Job, page: Page) -> None:
        """See JobEvents."""
        self._tell(job, lambda listener: listener.page_claimed(job, page))

    def page_changed(self, job: Job, old: Page, page: Page) -> None:
        """See JobEvents."""
        self._tell(job, lambda listener: listener.page_changed(job, old, page))

    def changed(self, old: Job, job: Job) -> None:
        """See JobEvents."""
        self._tell(job, lambda listener: listener.changed(old, job))

    def outcome_dropped(self, job: Job, *, wanted: bool) -> None:
        """See JobEvents."""
        self._tell(job, lambda listener: listener.outcome_dropped(job, wanted=wanted))

    def requeued(self, job: Job) -> None:
        """See JobEvents."""
        self._tell(job, lambda listener: listener.requeued(job))

    def rescued(self, job: Job) -> None:
        """See JobEvents."""
        self._tell(job, lambda listener: listener.rescued(job))

    def deleted(self, job: Job) -> None:
        """See JobEvents."""
        self._tell(job, lambda listener: listener.deleted(job))

    def _tell(self, job: Job, event: Callable[[JobEvents], None]) -> None:
        for listener in self._listeners:
            try:
                event(listener)
            except Exception:
                logger.bind(event="job.listener_failed", job_id=job.id).exception(
                    f"{type(listener).__name__} failed at an event; the job goes on"
                )
