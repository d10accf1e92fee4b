"""A listener that keeps what it is told of jobs."""

from app.jobs.events import JobEvents
from persistence.job import Job, JobState


class Told(JobEvents):
    """Every stored change as the states before and after, and whose outcome was dropped: `missed` counts the wanted."""

    def __init__(self) -> None:
        self.changes: list[tuple[JobState, JobState]] = []
        self.dropped: list[Job] = []
        self.missed = 0

    @property
    def states(self) -> list[JobState]:
        """What jobs became, in order."""
        return [state for _, state in self.changes]

    def claimed(self, job: Job) -> None:
        """See JobEvents."""
        self.changes.append((JobState.QUEUED, job.status))

    def changed(self, old: Job, job: Job) -> None:
        """See JobEvents."""
        self.changes.append((old.status, job.status))

    def outcome_dropped(self, job: Job, *, wanted: bool) -> None:
        """See JobEvents."""
        self.dropped.append(job)
        self.missed += wanted
