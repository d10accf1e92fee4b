"""Which store a URL names."""

from persistence.store import JobStore, StoreUnusable


async def open_store(url: str) -> JobStore:
    """Opens, and migrates where needed, the store that the URL names.

    `sqlite:///relative`, `sqlite:////absolute` or `postgresql://user:password@host/database`. Raises StoreUnusable,
    and leaves what is there as it was, where that cannot be done.
    """
    scheme, separator, rest = url.partition("://")
    if shared(url):
        try:
            from persistence.postgres import PostgresStore
        except ModuleNotFoundError as error:
            raise StoreUnusable(f"PostgreSQL needs the extra `cluster`: {error}") from error
        return await PostgresStore.open(url)
    if scheme == "sqlite" and separator and rest.startswith("/") and len(rest) > 1:
        from persistence.sqlite import SqliteStore

        return await SqliteStore.open(rest[1:])
    raise StoreUnusable(f"DATABASE_URL {url!r} names no known store; use sqlite:///path/to/jobs.db or postgresql://")


def shared(url: str) -> bool:
    """True where the store that the URL names is one that several nodes may use at once."""
    return url.startswith(("postgresql://", "postgres://"))
