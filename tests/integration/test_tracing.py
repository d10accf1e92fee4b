"""One trace a job, from its request to its worker, through a retry and a restart; no content in it."""

import contextlib
import os
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator, Iterator, Mapping

import msgspec
import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.util.types import AnyValue

from app.main import create_app
from app.telemetry.tracing import Tracing
from config.settings import Settings, SettingsError
from ocr_engine.errors import EngineError
from ocr_engine.result import STAGES, OcrTimings
from persistence.opening import open_store
from persistence.upload import Upload
from samples import sample
from tests.contract.jobs import after, job
from tests.integration.conftest import Running, connected
from tests.pdfs import Leaf, pdf
from tests.scripted_pool import ScriptedPool, text_result

pytestmark = pytest.mark.anyio

IMAGE = sample("health").data
RESULT = msgspec.structs.replace(
    text_result("confidential words"),
    timings=OcrTimings(decode=0.01, detect=0.02, orient=0.03, recognise=0.04, total=0.12),
)


class Kept(InMemorySpanExporter):
    """Outlives the tracers of several lives."""

    def shutdown(self) -> None:
        return


@pytest.fixture
def exporter() -> InMemorySpanExporter:
    return Kept()


class Traced:
    """Lives of a service on one store, every one with a tracer of its own into one exporter."""

    def __init__(self, settings: Settings, exporter: InMemorySpanExporter) -> None:
        self.settings = settings
        self.exporter = exporter

    @contextlib.asynccontextmanager
    async def life(self, pool: ScriptedPool, **changes: object) -> AsyncIterator[Running]:
        failures: list[str] = []
        app = create_app(
            msgspec.structs.replace(self.settings, **changes),
            make_pool=lambda _: pool,
            on_failure=failures.append,
            tracing=Tracing(SimpleSpanProcessor(self.exporter)),
        )
        async with connected(app) as client:
            yield Running(app, client, pool, failures)

    def spans(self, name: str) -> list[ReadableSpan]:
        return [span for span in self.exporter.get_finished_spans() if span.name == name]

    def span(self, name: str) -> ReadableSpan:
        (only,) = self.spans(name)
        return only


@pytest.fixture
def traced(settings: Settings, exporter: InMemorySpanExporter) -> Iterator[Traced]:
    yield Traced(settings, exporter)
    exporter.clear()


def parent(span: ReadableSpan) -> int | None:
    return span.parent.span_id if span.parent else None


def attributes(span: ReadableSpan) -> Mapping[str, AnyValue]:
    assert span.attributes is not None
    return span.attributes


def nanoseconds(span: ReadableSpan) -> int:
    assert span.start_time is not None
    assert span.end_time is not None
    return span.end_time - span.start_time


async def test_a_job_is_one_trace_from_its_request_to_the_stages_of_its_recognition(traced: Traced) -> None:
    async with traced.life(ScriptedPool(RESULT)) as running:
        job_id = (await running.upload(IMAGE)).json()["id"]
        await running.ended(job_id)
    request, attempt, recognition = traced.span("POST /images"), traced.span("attempt"), traced.span("recognition")
    assert parent(request) is None
    assert parent(attempt) == parent(traced.span("wait")) == request.context.span_id
    assert parent(recognition) == attempt.context.span_id
    stages = [traced.span(stage) for stage in STAGES]
    assert {parent(stage) for stage in stages} == {recognition.context.span_id}
    assert [nanoseconds(stage) for stage in stages] == [10_000_000, 20_000_000, 30_000_000, 40_000_000]
    assert nanoseconds(recognition) == 120_000_000
    assert {span.context.trace_id for span in (attempt, recognition, *stages)} == {request.context.trace_id}
    assert attributes(request)["http.response.status_code"] == 202
    assert attributes(request)["ocr.job_id"] == attributes(attempt)["ocr.job_id"] == job_id
    assert attributes(attempt)["ocr.status"] == "done"


async def test_writes_of_the_store_stand_below_what_made_them(traced: Traced) -> None:
    async with traced.life(ScriptedPool(RESULT)) as running:
        await running.ended((await running.upload(IMAGE)).json()["id"])
    assert parent(traced.span("store add")) == traced.span("POST /images").context.span_id
    assert parent(traced.span("store replace")) == traced.span("attempt").context.span_id


async def test_the_trace_of_a_client_is_continued(traced: Traced) -> None:
    trace_id = "0af7651916cd43dd8448eb211c80319c"
    async with traced.life(ScriptedPool(RESULT)) as running:
        answer = await running.upload(IMAGE, traceparent=f"00-{trace_id}-b7ad6b7169203331-01")
        await running.ended(answer.json()["id"])
    assert traced.span("attempt").context.trace_id == int(trace_id, 16)


async def test_every_attempt_is_a_span_and_a_failed_one_says_why(traced: Traced) -> None:
    async with traced.life(ScriptedPool(EngineError("it broke"), RESULT)) as running:
        await running.ended((await running.upload(IMAGE)).json()["id"])
    first, second = traced.spans("attempt")
    assert (attributes(first)["error.type"], first.status.is_ok) == ("engine_error", False)
    assert attributes(second)["ocr.attempt"] == 2
    assert first.context.trace_id == second.context.trace_id == traced.span("POST /images").context.trace_id


async def test_the_trace_goes_on_after_a_restart(traced: Traced) -> None:
    held = ScriptedPool(RESULT)
    held.hold()
    async with traced.life(held, drain_seconds=0.01) as running:
        job_id = (await running.upload(IMAGE)).json()["id"]
        await held.started.acquire()
    async with traced.life(ScriptedPool(RESULT)) as running:
        await running.ended(job_id)
    interrupted, finished = traced.spans("attempt")
    assert (attributes(interrupted)["ocr.status"], attributes(finished)["ocr.status"]) == ("queued", "done")
    request = traced.span("POST /images")
    assert parent(interrupted) == parent(finished) == request.context.span_id
    assert finished.context.trace_id == request.context.trace_id


async def test_an_attempt_that_died_with_its_process_is_told_by_the_next_life(traced: Traced) -> None:
    traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    store = await open_store(traced.settings.database_url)
    waiting = msgspec.structs.replace(job(str(uuid.uuid4())), traceparent=traceparent)
    await store.add(waiting, Upload.of(IMAGE))
    assert await store.replace(waiting, waiting.claimed(after(1)))
    await store.close()
    async with traced.life(ScriptedPool(RESULT)) as running:
        await running.ended(waiting.id)
    died, finished = traced.spans("attempt")
    assert attributes(died)["error.type"] == "worker_crashed"
    assert parent(died) == parent(finished) == 0xB7AD6B7169203331


async def test_every_page_of_a_file_is_an_attempt_of_its_own_in_the_trace_of_its_request(traced: Traced) -> None:
    pool = ScriptedPool(RESULT, EngineError("it broke"), RESULT)
    pool.pages = 2
    async with traced.life(pool) as running:
        await running.ended((await running.upload(pdf(Leaf(), Leaf()))).json()["id"])
    opened, *attempts = traced.spans("attempt")
    assert (attributes(opened)["ocr.status"], attributes(opened)["ocr.pages"]) == ("opened", 2)
    told = [(attributes(each)["ocr.page"], attributes(each)["ocr.status"]) for each in attempts]
    assert told == [(1, "done"), (2, "queued"), (2, "done")]
    assert {parent(each) for each in (opened, *attempts)} == {traced.span("POST /images").context.span_id}
    assert {parent(each) for each in traced.spans("recognition")} == {attempts[n].context.span_id for n in (0, 2)}


async def test_an_attempt_whose_outcome_was_dropped_ends_its_span_and_says_so(traced: Traced) -> None:
    held = ScriptedPool(RESULT)
    held.hold()
    async with traced.life(held) as running:
        job_id = (await running.upload(IMAGE)).json()["id"]
        await held.started.acquire()
        claimed = await running.service.store.get(job_id)
        assert claimed is not None
        assert await running.service.store.replace(claimed, claimed.cancelled(after(1)))
        held.release()
    attempt = traced.span("attempt")
    assert (attributes(attempt)["ocr.job_id"], attributes(attempt)["ocr.status"]) == (job_id, "dropped")
    assert "ocr.confidence" not in attributes(attempt)


async def test_no_span_holds_text_or_what_a_client_sent(traced: Traced) -> None:
    async with traced.life(ScriptedPool(RESULT)) as running:
        await running.ended((await running.upload(IMAGE, authorization="Bearer very-secret")).json()["id"])
        await running.client.get("/hidden-path?token=very-secret")
        await running.client.request("SECRETVERB", "/images")
    told = "".join(span.to_json() for span in traced.exporter.get_finished_spans())
    for secret in ("confidential", "very-secret", "hidden-path", "SECRETVERB"):
        assert secret not in told
    assert "GET unmatched" in told


async def test_probes_are_not_traced(traced: Traced) -> None:
    async with traced.life(ScriptedPool(RESULT)) as running:
        for path in ("/health/live", "/health/ready", "/metrics"):
            assert (await running.client.get(path)).status_code == 200
    assert traced.exporter.get_finished_spans() == ()


def test_without_a_collector_nothing_of_tracing_is_imported() -> None:
    code = "import sys; from app.main import create_app; from config.settings import Settings; create_app(Settings()); "
    code += "raise SystemExit(not sys.modules.keys().isdisjoint({'app.telemetry.tracing', 'opentelemetry.sdk'}))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_collector_without_the_extra_is_a_fault_of_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "app.telemetry.tracing", None)
    with pytest.raises(SettingsError, match="extra `otel` is not installed"):
        create_app(Settings(otel_exporter_otlp_endpoint="http://127.0.0.1:4318"))


def test_an_endpoint_without_the_extra_is_one_clear_line_and_exit_code_2() -> None:
    program = (
        "import sys; sys.modules['opentelemetry.exporter.otlp.proto.http.trace_exporter'] = None\n"
        "from app.__main__ import main\n"
        "sys.exit(main([]))"
    )
    environment = {**os.environ, "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318", "PORT": "0"}
    ended = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 2
    assert "the extra `otel` is not installed" in ended.stderr
    assert "Traceback" not in ended.stderr
