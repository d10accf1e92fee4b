"""What a node does and what it leaves to others, by its settings (ROLE, DATABASE_URL)."""

from msgspec import Struct

from config.settings import Settings
from config.urls import is_postgres


class NodeKind(Struct, frozen=True, kw_only=True):
    """The answers to what parts ask before they are made."""

    reads: bool
    """Has OCR processes, and dispatchers that drive them."""
    serves_clients: bool
    """Takes uploads, shows jobs and the page; otherwise health and metrics only."""
    has_neighbours: bool
    """Shares its database: others may read its jobs, and it theirs."""


def kind_of(settings: Settings) -> NodeKind:
    """The node that these settings ask for."""
    return NodeKind(
        reads=settings.role != "api",
        serves_clients=settings.role != "worker",
        has_neighbours=is_postgres(settings.database_url),
    )
