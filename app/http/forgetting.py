"""Jobs that are to be deleted once they were read: `delete_after_read`."""

from collections.abc import Callable
from typing import Any

from litestar import Request

from app.http.request_context import context_of, extend_context
from app.service import Service
from persistence.job import Job, JobState


def forget_once_sent(request: Request[Any, Any, Any], service: Service, job: Job) -> None:
    """To be called where the answer shows all that was read of the job: it is erased when its owner was sent that.

    Not when an admin was, nor by HEAD, by 304, or by an answer that did not come through.
    """
    if _is_to_go(request, job):
        extend_context(request.scope, once_sent=lambda: service.forget_read(job))


def forgetting_once_sent(request: Request[Any, Any, Any], service: Service) -> Callable[[Job], None]:
    """To be told of each job that an answer shows many of: as `forget_once_sent`, when all of the answer was sent."""
    shown: list[Job] = []

    async def forget() -> None:
        for job in shown:
            await service.forget_read(job)

    extend_context(request.scope, once_sent=forget)
    return lambda job: shown.append(job) if _is_to_go(request, job) else None


def _is_to_go(request: Request[Any, Any, Any], job: Job) -> bool:
    is_own = context_of(request.scope).owner == job.owner
    return job.options.delete_after_read and job.status is JobState.DONE and is_own
