"""The routes, guards and CORS policy that a node has by its settings."""

from pathlib import Path

from litestar import Router
from litestar.config.cors import CORSConfig

from app.cluster.node_kind import kind_of
from app.http.access.gate import RATE_LIMIT_HEADERS, Gate, identified
from app.http.access.keys import Keys
from app.http.access.rate_limit import RateLimit
from app.http.routes import (
    capabilities,
    dead_letters,
    deliveries,
    events,
    health,
    images,
    operations,
    results,
    uploads,
    web,
)
from app.http.routes.batches import reading as batches
from config.settings import Settings


def routes(settings: Settings) -> list[Router]:
    """All of them; health and metrics only where no clients are served."""
    if not kind_of(settings).serves_clients:
        return [_open_routes(settings)]
    return [
        images.router,
        batches.router,
        events.router,
        results.router,
        uploads.router,
        dead_letters.router,
        deliveries.of_jobs,
        deliveries.router,
        capabilities.router,
        _open_routes(settings),
        web.router,
    ]


def gate(settings: Settings, keys: Keys | None) -> Gate:
    """Keys and rate limits."""
    return Gate(
        keys=keys,
        uploads=RateLimit(),
        reads=RateLimit(),
        uploads_per_minute=settings.uploads_per_minute,
        reads_per_minute=settings.reads_per_minute,
    )


def keys(settings: Settings) -> Keys | None:
    """Those of API_KEYS_FILE; None where none are asked for. Raises BadKeyFile."""
    return Keys(Path(settings.api_keys_file)) if settings.api_keys_file else None


def cors(settings: Settings) -> CORSConfig | None:
    """Which pages of other origins may call the API; None: none."""
    origins = [origin.strip() for origin in settings.cors_origins.split(",") if origin.strip()]
    exposed = ["ETag", "Link", "Location", "Preference-Applied", *RATE_LIMIT_HEADERS, "Retry-After", "X-Request-ID"]
    return CORSConfig(allow_origins=origins, expose_headers=exposed) if origins else None


def _open_routes(settings: Settings) -> Router:
    """Health and operations, behind the keys where that is asked for; never counted against a rate."""
    probes = Router("/", route_handlers=[health.router], guards=[identified] if settings.protect_health else [])
    figures = Router("/", route_handlers=[operations.router], guards=[identified] if settings.protect_metrics else [])
    return Router("/", route_handlers=[probes, figures])
