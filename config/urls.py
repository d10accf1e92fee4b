"""What is wrong with the URLs that settings name, told without the passwords that may be in them."""

import re
from collections.abc import Mapping

POSTGRES = ("postgresql://", "postgres://")
IMAGE_STORES = ("s3", "s3a", "gs", "az", "azure", "adl", "abfs", "abfss", "file", "memory", "https")
"""Schemes that obstore knows; https for the long form of a bucket's address."""

ORIGIN = re.compile(r"\*|null|[a-z][a-z0-9+.-]*://[^\s/?#@A-Z]+")
"""As browsers send it (RFC 6454, 6.2): hosts of web pages in small letters."""


def is_postgres(url: str) -> bool:
    """True for the URL of a database that several nodes may share."""
    return url.startswith(POSTGRES)


def url_faults(values: Mapping[str, str]) -> list[str]:
    """One sentence for each setting of `values` (by its variable's name) whose URL leads nowhere that is known here."""
    checks = {
        "DATABASE_URL": _database_fault,
        "IMAGE_STORE_URL": _image_store_fault,
        "OTEL_EXPORTER_OTLP_ENDPOINT": _endpoint_fault,
        "PUBLIC_URL": _endpoint_fault,
        "CORS_ORIGINS": _origins_fault,
    }
    found = {name: check(values[name]) for name, check in checks.items() if values.get(name)}
    return [f"{name}={fault}" for name, fault in found.items() if fault]


def _database_fault(url: str) -> str:
    if is_postgres(url):
        return ""
    scheme, _, rest = url.partition("://")
    if scheme == "sqlite" and rest[:1] == "/" and len(rest) > 1:
        return ""
    return (
        f"{_shown(url)}: Expected `sqlite:///relative/path.db`, `sqlite:////absolute/path.db` or "
        "`postgresql://user:password@host/database`"
    )


def _image_store_fault(url: str) -> str:
    scheme, _, rest = url.partition("://")
    if scheme in IMAGE_STORES and (rest or scheme == "memory"):
        return ""
    return f"{_shown(url)}: Expected `s3://bucket/prefix`, `gs://…`, `az://…` or `file:///folder`"


def _endpoint_fault(url: str) -> str:
    scheme, _, rest = url.partition("://")
    return "" if scheme in ("http", "https") and rest else f"{_shown(url)}: Expected `http://host:port` or `https://…`"


def _origins_fault(origins: str) -> str:
    """A browser says scheme, host and port, and nothing else: an origin with a path, or a `/`, is never met."""
    wrong = [each for each in map(str.strip, origins.split(",")) if each and not ORIGIN.fullmatch(each)]
    return f"{wrong[0]!r}: Expected `https://host` or `https://host:port`, nothing behind it, or `*`" if wrong else ""


def _shown(url: str) -> str:
    """The scheme alone: after it there may be a password."""
    scheme, separator, _ = url.partition("://")
    return f"'{scheme}://…'" if separator else "'…' (no scheme)"
