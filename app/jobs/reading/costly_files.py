"""Files whose pages cost workers much and give nothing: after some of them the others are not tried."""

from collections import OrderedDict

from app.jobs.events import JobEvents
from ocr_engine.errors import JobTimeout, OutOfMemory, PageTooCostly, WorkerCrashed
from persistence.job import Job
from persistence.page import Page, PageState

COSTLY = frozenset(kind.code for kind in (JobTimeout, OutOfMemory, PageTooCostly, WorkerCrashed))
"""How a page ends that has cost minutes of a worker, or the worker."""
MIN_COSTLY = 5
"""So many are borne with, and more of them while most pages of the file are read: large drawings among text."""
MAX_COSTLY = 20
"""After which the others are not tried, whatever was read: at 35 s each some 12 minutes of CPU time."""
MAX_FILES = 1000
"""That are remembered; a job that ends is forgotten."""


class CostlyFiles(JobEvents):
    """What pages that were given up have cost, by job, as this node has met it."""

    def __init__(self) -> None:
        self._given_up: OrderedDict[str, int] = OrderedDict()

    def require_worth(self, job: Job) -> None:
        """Raises PageTooCostly where further pages of the file are not tried."""
        given_up = self._given_up.get(job.id, 0)
        if not job.pages_failed:
            self._given_up.pop(job.id, None)  # sent back by another node: all is tried again
        elif given_up >= MAX_COSTLY or (given_up >= MIN_COSTLY and given_up * 2 >= job.pages_failed + job.pages_done):
            raise PageTooCostly("not tried: too many pages of this file took too long, or ended the process at work")

    def page_changed(self, job: Job, old: Page, page: Page) -> None:
        """See JobEvents."""
        if page.status is PageState.FAILED and page.failures and page.failures[-1].code in COSTLY:
            self._given_up[job.id] = self._given_up.pop(job.id, 0) + 1
            while len(self._given_up) > MAX_FILES:
                self._given_up.popitem(last=False)

    def requeued(self, job: Job) -> None:
        """See JobEvents."""
        self._given_up.pop(job.id, None)

    def changed(self, old: Job, job: Job) -> None:
        """See JobEvents."""
        if job.status.terminal:
            self._given_up.pop(job.id, None)
