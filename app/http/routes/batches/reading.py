"""`GET` and `DELETE` of batches: how far they are, their results, their end."""

import contextlib
from collections.abc import AsyncIterator
from typing import Annotated, Any

from litestar import Response, Router, delete, get
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath, FromQuery, QueryParameter
from litestar.response import Stream

from app import VERSION
from app.http.checks import checked
from app.http.forgetting import forgetting_once_sent
from app.http.openapi import problems
from app.http.request_context import context_of
from app.http.requests.accept import best_of
from app.http.requests.cursor import following, linked, place_after
from app.http.requests.prefer import WaitSeconds
from app.http.responses.batches import (
    BatchDetailView,
    BatchesView,
    batch_detail_view,
    batch_view,
    result_parts,
)
from app.http.responses.delivery_views import DeliveriesView, deliveries_view
from app.http.responses.event_stream import EVENT_STREAM, event, stream_of
from app.http.responses.pieces import sent
from app.http.responses.static import PRIVATE, held
from app.http.routes.batches.operation import JSONL, NDJSON, LinesOperation
from app.http.routes.batches.submitting import AnyRequest, shown, submit_batch, waited_for
from app.http.routes.lists import PageSize
from app.http.routes.uploads import NOT_CHANGED
from app.results.stored_run import Detail
from app.service import Service
from persistence.batches.batch import BatchState
from persistence.store import StoreError

FileLimit = Annotated[int, QueryParameter(ge=1, le=1000, description="Files on one page.")]
FileNumber = Annotated[int, QueryParameter(ge=0, description="`next` of the page before.")]


@get(
    "/",
    responses=problems(400, 401, 403, 429, 500, 503),
    summary="List batches",
    description="Newest first. `next`, and `Link` with `rel=next`, lead to the following page.",
)
async def list_batches(
    request: AnyRequest,
    service: NamedDependency[Service],
    after: FromQuery[str | None] = None,
    limit: PageSize = 50,
) -> Response[BatchesView]:
    """A page of the key's batches."""
    page = await service.batches.listed(context_of(request.scope).viewer, place_after(after), limit)
    view = BatchesView(items=[batch_view(state) for state in page.batches], next=following(page.next))
    return linked(view, "/batches", view.next, limit=limit)


@get(
    "/{batch_id:str}",
    responses={
        200: ResponseSpec(BatchDetailView, generate_examples=False, description="All its jobs have ended."),
        202: ResponseSpec(BatchDetailView, generate_examples=False, description="Not finished yet; see Retry-After."),
        304: NOT_CHANGED,
        **problems(400, 401, 403, 404, 410, 429, 500, 503),
    },
    summary="Read a batch",
    description="Counts of its jobs, and its files, page by page. With `Prefer: wait=N` or `?wait=N` as for a job.",
)
async def read_batch_state(
    request: AnyRequest,
    batch_id: FromPath[str],
    service: NamedDependency[Service],
    wait: WaitSeconds = 0,
    after: FileNumber = 0,
    limit: FileLimit = 100,
) -> Response[Any]:
    """How far the batch is."""
    progress = await service.batches.progress(batch_id, context_of(request.scope).viewer, after=after, limit=limit)
    progress = await waited_for(request, service, progress, wait, limit, after)
    headers = _kept(progress.state, str(after), str(limit))
    if headers and held(request, headers["ETag"].removeprefix("W/")):
        return Response(None, status_code=304, headers=headers)
    return shown(progress, wait, headers)


@get(
    "/{batch_id:str}/results",
    operation_class=LinesOperation,
    responses={304: NOT_CHANGED, **problems(400, 401, 403, 404, 410, 429, 500, 503)},
    summary="Read a batch's results",
    description="JSON lines: each job that has ended, in the order of the files, with `number` and `name`.",
)
async def read_batch_results(
    request: AnyRequest,
    batch_id: FromPath[str],
    service: NamedDependency[Service],
    detail: FromQuery[Detail | None] = None,
) -> Response[Any]:
    """The jobs that have ended, a line each."""
    context = context_of(request.scope)
    state = await service.batches.state(batch_id, context.viewer)
    media_type = best_of(request.headers.get("accept", ""), [NDJSON, JSONL]) or NDJSON
    headers = {"Vary": "Accept", **_kept(state, media_type, str(detail))}
    if "ETag" in headers and held(request, headers["ETag"].removeprefix("W/")):
        return Response(None, status_code=304, headers=headers)
    if context.headless:
        return Response(b"", media_type=media_type, headers=headers)

    shown_whole = forgetting_once_sent(request, service)

    async def lines() -> AsyncIterator[bytes]:
        async for file, job in service.batches.ended_jobs(batch_id):
            progress = await service.progress_of(job)
            pages = service.pages_of(job, job.read_pages)
            async for piece in sent(result_parts(file, progress, pages, detail)):
                yield piece
            shown_whole(job)

    return Stream(lines(), media_type=media_type, headers=headers)


@get(
    "/{batch_id:str}/events",
    responses={
        200: ResponseSpec(
            str, media_type=EVENT_STREAM, generate_examples=False, description="Events until the batch ends."
        ),
        204: ResponseSpec(None, generate_examples=False, description="Nothing comes after what Last-Event-ID names."),
        **problems(400, 401, 403, 404, 410, 429, 500, 503),
    },
    summary="Follow a batch",
    description="Server-sent events named as its `status`, the batch without its files as data, at each change.",
    tags=["Events"],
)
async def batch_events(
    request: AnyRequest, batch_id: FromPath[str], service: NamedDependency[Service]
) -> Response[Any]:
    """How far the batch is, as it happens."""
    context = context_of(request.scope)
    seen = request.headers.get("last-event-id", "")
    # as with jobs: a store that is away for a moment must not end an EventSource for ever
    with contextlib.suppress(StoreError):
        state = await service.batches.state(batch_id, context.viewer)
        if state.status.terminal and _mark(state) == seen:
            return Response(None, status_code=204)
    service.streams.require_room(context.client)
    states = service.batches.follow(batch_id, context.viewer, context.client, lambda state: _mark(state) == seen)
    return stream_of(
        states,
        lambda state: event(_mark(state), state.status.value, batch_view(state)),
        headless=context.headless,
    )


@get(
    "/{batch_id:str}/deliveries",
    responses=problems(400, 401, 403, 404, 410, 429, 500, 503),
    summary="List a batch's webhooks",
    description="Oldest first, each with its attempts.",
)
async def batch_deliveries(
    request: AnyRequest, batch_id: FromPath[str], service: NamedDependency[Service]
) -> DeliveriesView:
    """All deliveries of the batch."""
    found = await service.batches.deliveries(batch_id, context_of(request.scope).viewer)
    return deliveries_view(found)


@delete(
    "/{batch_id:str}",
    status_code=200,
    responses={
        200: ResponseSpec(BatchDetailView, generate_examples=False, description="What was unfinished is cancelled."),
        204: ResponseSpec(None, generate_examples=False, description="It had ended, and is erased with its jobs."),
        **problems(400, 401, 403, 404, 410, 429, 500, 503),
    },
    summary="Cancel or erase a batch",
    description="Cancels those of its jobs that have not ended; of a batch that has ended, erases all of them.",
)
async def delete_batch(
    request: AnyRequest, batch_id: FromPath[str], service: NamedDependency[Service]
) -> Response[Any]:
    """The batch, cancelled, or nothing of it."""
    progress = await service.batches.delete(batch_id, context_of(request.scope).viewer)
    if progress is None:
        return Response(None, status_code=204)
    return Response(batch_detail_view(progress), status_code=200)


def _kept(state: BatchState, *asked: str) -> dict[str, str]:
    """How an answer about a batch that has ended may be kept; nothing before its end."""
    if not state.status.terminal:
        return {}
    # weak: the same for an answer through gzip
    return {"ETag": f'W/"{"-".join((_mark(state), *asked, VERSION))}"', "Cache-Control": PRIVATE}


def _mark(state: BatchState) -> str:
    """The same as long as nothing has changed."""
    settled = state.pages_done + state.pages_failed
    counts = ".".join(str(count) for count in state.counts.values())
    return f"{state.batch.ends}-{settled}-{counts}"


router = Router(
    "/batches",
    route_handlers=[
        *(submit_batch, list_batches, read_batch_state, read_batch_results, batch_events, batch_deliveries),
        delete_batch,
    ],
    before_request=checked,
    tags=["Batches"],
)
