"""The JSON of batches: BatchProgress -> BatchView, and a line for each job in their results."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from app.batches.batches import BatchProgress
from app.http.problems import Problem, problem
from app.http.responses.job_answer import job_parts
from app.http.responses.options_view import OptionsView, options_view
from app.http.responses.schemas import Seconds, progress_view
from app.results.lookup import Progress
from app.results.stored_pages import StoredPages
from app.results.stored_run import Detail
from persistence.batches.batch import BatchFile, BatchState
from persistence.job import JobState


class BatchFileView(Struct, frozen=True, kw_only=True):
    """A file of a batch: its job, or its problem."""

    number: Annotated[int, Meta(description="Its place in the batch, from 1.")]
    name: Annotated[str, Meta(description="As it was sent, folders in a ZIP included.")]
    job_id: str | None
    status: JobState | None
    problem: Annotated[Problem | None, Meta(description="Why it became no job.")]


class BatchView(Struct, frozen=True, kw_only=True):
    """How far a batch is."""

    id: str
    status: Annotated[JobState, Meta(description="`done` once all its jobs have ended; see `counts`.")]
    created_at: datetime
    ended_at: datetime | None
    counts: Annotated[Mapping[JobState, int], Meta(description="Jobs in each state.")]
    files_total: Annotated[int, Meta(description="Files that were sent.")]
    files_refused: Annotated[int, Meta(description="Those that became no job.")]
    pages_total: Annotated[int, Meta(description="Of all files that were opened.")]
    pages_done: int
    pages_failed: int
    eta_seconds: Seconds | None
    tag: str
    metadata: Mapping[str, str]
    options: OptionsView


class BatchDetailView(BatchView, frozen=True, kw_only=True):
    """A batch, and its files page by page."""

    files: tuple[BatchFileView, ...]
    next: Annotated[int | None, Meta(description="`after` of the following files; null: none follow.")]


class BatchesView(Struct, frozen=True, kw_only=True):
    """A page of batches, newest first."""

    items: list[BatchView]
    next: Annotated[str | None, Meta(description="`after` of the following page; null: nothing follows.")]


def batch_view(state: BatchState, eta_seconds: float | None = None) -> BatchView:
    """A batch without its files."""
    batch = state.batch
    return BatchView(
        id=batch.id,
        status=state.status,
        created_at=batch.created_at,
        ended_at=batch.ended_at,
        counts=state.counts,
        files_total=batch.files,
        files_refused=batch.files - batch.jobs,
        pages_total=state.pages_total,
        pages_done=state.pages_done,
        pages_failed=state.pages_failed,
        eta_seconds=None if eta_seconds is None else round(eta_seconds, 1),
        tag=batch.options.tag,
        metadata=batch.options.metadata,
        options=options_view(batch.options),
    )


def batch_detail_view(progress: BatchProgress) -> BatchDetailView:
    """A batch as clients see it, with some of its files."""
    view = batch_view(progress.state, progress.eta_seconds)
    return BatchDetailView(
        **{name: getattr(view, name) for name in view.__struct_fields__},
        files=tuple(map(_file_view, progress.files)),
        next=progress.files[-1].number if progress.more else None,
    )


def result_parts(file: BatchFile, progress: Progress, pages: StoredPages, detail: Detail | None) -> Iterator[bytes]:
    """A job that has ended as a line of its own, which begins with its place and its name. Raises as StoredPages."""
    if progress.job.read_pages:
        parts = job_parts(progress, pages, detail)
    else:
        parts = iter([msgspec.json.encode(progress_view(progress, detail))])
    opening = msgspec.json.encode({"number": file.number, "name": file.name})
    yield opening[:-1] + b"," + next(parts).removeprefix(b"{")
    yield from parts
    yield b"\n"


def _file_view(file: BatchFile) -> BatchFileView:
    return BatchFileView(
        number=file.number,
        name=file.name,
        job_id=file.job_id or None,
        status=file.status,
        problem=problem(file.code, file.detail) if file.code else None,
    )
