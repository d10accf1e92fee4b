"""`GET /images`: the jobs of a key, newest first."""

import hashlib
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromQuery, QueryParameter

from app.http.openapi import problems
from app.http.problems import ApiError
from app.http.request_context import context_of
from app.http.requests.cursor import following, linked, place_after
from app.http.responses.schemas import JobsView, listed_view
from app.http.responses.static import PRIVATE, held
from app.service import Service
from persistence.job import JobState
from persistence.store import JobFilter

PageSize = Annotated[int, QueryParameter(ge=1, le=200, description="Jobs on one page.")]


@get(
    "/",
    responses={
        200: ResponseSpec(JobsView, generate_examples=False, description="A page of the list."),
        304: ResponseSpec(None, generate_examples=False, description="As the client has it, by its If-None-Match."),
        **problems(400, 401, 403, 429, 500, 503),
    },
    summary="List jobs",
    description="Newest first, without their texts. `next`, and `Link` with `rel=next`, lead to the following page.",
)
async def list_jobs(
    request: Request[Any, Any, Any],
    service: NamedDependency[Service],
    status: FromQuery[JobState | None] = None,
    tag: FromQuery[str | None] = None,
    created_after: FromQuery[str | None] = None,
    after: FromQuery[str | None] = None,
    limit: PageSize = 50,
) -> Response[Any]:
    """A page of the key's jobs."""
    wanted = JobFilter(
        owner=context_of(request.scope).viewer,
        status=status,
        tag=tag or None,
        created_after=_moment(created_after) if created_after else None,
    )
    page = await service.listed(wanted, place_after(after), limit)
    view = JobsView(items=[listed_view(job) for job in page.jobs], next=following(page.next))
    etag = f'"{hashlib.sha256(msgspec.json.encode(view)).hexdigest()[:32]}"'
    headers = {"ETag": f"W/{etag}", "Cache-Control": PRIVATE}
    if held(request, etag):
        return Response(None, status_code=304, headers=headers)
    shown = linked(view, "/images", view.next, status=status, tag=tag, created_after=created_after, limit=limit)
    shown.headers.update(headers)
    return shown


def _moment(text: str) -> datetime:
    try:
        moment = msgspec.convert(text, datetime)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (msgspec.ValidationError, OverflowError, ValueError):
        raise ApiError("malformed_request", "`created_after` is no moment, as 2026-11-26T12:00:00Z") from None
