"""The composition root: `create_app` makes the ASGI application from settings.

`app`, for any ASGI server, is made of the environment's settings when it is first asked for. What is nested here comes
from `app/lifespan.py` (what is opened and closed), `app/wiring.py` (the components) and `app/http/router.py` (routes).
"""

import signal
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from types import MappingProxyType
from typing import TYPE_CHECKING

from litestar import Litestar
from litestar.datastructures import State
from litestar.di import Provide
from loguru import logger

from app.http import router
from app.http.compression import Compression
from app.http.frame import RequestFrame
from app.http.openapi import openapi_config
from app.http.problems import ERRORS, code_of, on_exception
from app.http.requests.idempotency import InFlight
from app.http.requests.upload import FORM_BYTES
from app.jobs.waiting import Waiters
from app.lifespan import (
    dispatching,
    listening_to_other_nodes,
    opened_queue,
    opened_reports,
    opened_store,
    reporting_to_other_nodes,
    started_pool,
    traces_exported,
)
from app.outside import outside_of
from app.processes import engine_options, process_pool
from app.service import Service
from app.startup import start_failures_logged
from app.telemetry.metrics import Metrics
from app.telemetry.observed_store import ObservedStore
from app.telemetry.observers import Observers
from app.wiring import Opened, Tuning, service_of
from config import logging
from config.environment import load, misspelt
from config.settings import Settings, SettingsError
from ocr_engine.workers.pool import ManagedPool

if TYPE_CHECKING:  # opentelemetry is an extra
    from app.telemetry.tracing import Tracing


def create_app(
    settings: Settings,
    *,
    make_pool: Callable[[Settings], ManagedPool] | None = None,
    on_failure: Callable[[str], None] | None = None,
    tracing: "Tracing | None" = None,
    tuning: Tuning = Tuning(),
) -> Litestar:
    """The service as an ASGI application. `make_pool` replaces the OCR processes (tests, benchmarks).

    `on_failure` is called when the service cannot go on; the default asks the process to stop. `tracing` is used in
    place of what the settings ask for. Raises BadKeyFile, and SettingsError where an extra or a language is missing.
    """
    options = engine_options(settings)
    tracing = tracing or wanted_tracing(settings)
    metrics = Metrics(model=settings.ocr_model, backend=settings.ocr_backend, codes=ERRORS)
    observers = Observers(metrics, tracing, code_of)
    keys = router.keys(settings)
    callable_hosts = outside_of(settings, keys)

    @asynccontextmanager
    async def running(app: Litestar) -> AsyncIterator[None]:
        async with (
            start_failures_logged(),
            traces_exported(tracing),
            opened_store(settings, tuning.database) as store,
            opened_queue(settings, tuning.database) as queue,
            opened_reports(settings, tuning.database) as reports,
            started_pool(make_pool(settings) if make_pool else process_pool(settings, options, observers)) as pool,
        ):
            waiters = Waiters(tuning.max_waiting_requests)
            observed = ObservedStore(store, observers.store_used)
            opened = Opened(store=observed, queue=queue, reports=reports, pool=pool)
            service = service_of(
                settings, opened, waiters, observers, on_failure or stop_process, tuning, keys, callable_hosts
            )
            async with (
                dispatching(service),
                listening_to_other_nodes(service, tuning.database),
                reporting_to_other_nodes(service, reports),
            ):
                app.state.service = service
                yield

    app = Litestar(
        route_handlers=router.routes(settings),
        state=State({"gate": router.gate(settings, keys), "in_flight": InFlight()}),
        cors_config=router.cors(settings),
        dependencies={"service": Provide(running_service, sync_to_thread=False)},
        exception_handlers={Exception: on_exception},
        lifespan=[running],
        openapi_config=openapi_config(),
        request_max_body_size=settings.max_image_bytes + FORM_BYTES,
        logging_config=None,
    )
    app.asgi_handler = RequestFrame(Compression(app.asgi_handler), metrics.request_answered)
    if tracing is not None:
        app.asgi_handler = tracing.around(app.asgi_handler)
    return app


def wanted_tracing(settings: Settings) -> "Tracing | None":
    """Traces to the collector that the settings name; None, and nothing imported, without one. Raises SettingsError."""
    if not settings.otel_exporter_otlp_endpoint:
        return None
    try:
        from app.telemetry.tracing import exporting_to
    except ImportError as error:
        fault = f"OTEL_EXPORTER_OTLP_ENDPOINT is set, but the extra `otel` is not installed: no {error.name}"
        raise SettingsError([fault]) from error
    return exporting_to(settings.otel_exporter_otlp_endpoint)


def running_service(state: State) -> Service:
    """Litestar's provider of the `service` that routes ask for."""
    service: Service = state.service
    return service


def stop_process(reason: str) -> None:
    """Asks the server around us to stop; it drains as at any stop. `reason` was logged."""
    signal.raise_signal(signal.SIGTERM)


def settings_or_exit(overrides: Mapping[str, str] = MappingProxyType({})) -> Settings:
    """The settings of the environment, `overrides` on top; with any fault: all of them on stderr, exit code 2."""
    try:
        return load(overrides)
    except SettingsError as error:
        print("smart-queue-ocr: wrong settings", *error.faults, *misspelt(), sep="\n  ", file=sys.stderr)
        raise SystemExit(2) from None


def set_up_logging(settings: Settings) -> None:
    """Sends the log where the settings say, and tells first of what looks like a setting and is none."""
    logging.set_up(settings.log_level, settings.log_format)
    for slip in misspelt():
        logger.bind(event="settings.misspelt").warning(slip)


def __getattr__(name: str) -> Litestar:
    # made on demand: importing this module must neither read the environment nor take over the logs
    if name != "app":
        raise AttributeError(name)
    settings = settings_or_exit()
    set_up_logging(settings)
    app = globals()["app"] = create_app(settings)
    return app
