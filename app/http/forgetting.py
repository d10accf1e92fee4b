"""Jobs that are to be deleted once they were read: `delete_after_read`."""

from typing import Any

from litestar import Request

from app.http.request_context import context_of, extend_context
from app.service import Service
from persistence.job import Job, JobState


def forget_once_sent(request: Request[Any, Any, Any], service: Service, job: Job) -> None:
    """To be called where the answer shows all that was read of the job: it is erased when its owner was sent that.

    Not when an admin was, nor by HEAD, by 304, or by an answer that did not come through.
    """
    if job.options.delete_after_read and job.status is JobState.DONE and context_of(request.scope).owner == job.owner:
        extend_context(request.scope, once_sent=lambda: service.forget_read(job))
