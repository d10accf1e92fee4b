"""Opens the store that a URL names."""

from persistence.patience import Patience
from persistence.store import JobStore, StoreUnusable


async def open_store(
    url: str,
    image_store_url: str = "",
    patience: Patience = Patience(),
) -> JobStore:
    """Opens, and migrates where needed, the store that the URL names; with images in another one where that is named.

    `sqlite:///relative`, `sqlite:////absolute` or `postgresql://user:password@host/database`; for images `s3://`,
    `gs://`, `az://`, `file:///` or `memory:///`. Raises StoreUnusable, and leaves what is there as it was, where that
    cannot be done.
    """
    jobs = await _open_jobs(url, patience)
    if not image_store_url:
        return jobs
    try:
        from persistence.objects.images import ObjectImages

        return await ObjectImages.open(jobs, image_store_url)
    except ModuleNotFoundError as error:
        await jobs.close()
        raise StoreUnusable(f"IMAGE_STORE_URL needs the extra `objects`: {error}") from error
    except StoreUnusable:
        await jobs.close()
        raise


async def _open_jobs(url: str, patience: Patience) -> JobStore:
    scheme, separator, rest = url.partition("://")
    if scheme in ("postgresql", "postgres") and separator:
        try:
            from persistence.postgres.store import PostgresStore
        except ModuleNotFoundError as error:
            raise StoreUnusable(f"PostgreSQL needs the extra `cluster`: {error}") from error
        return await PostgresStore.open(url, patience)
    if scheme == "sqlite" and separator and rest.startswith("/") and len(rest) > 1:
        from persistence.sqlite.store import SqliteStore

        return await SqliteStore.open(rest[1:])
    # nothing more of it: it may hold a password
    named = f"{scheme}://" if separator else "no scheme"
    raise StoreUnusable(f"DATABASE_URL ({named}) names no known store; use sqlite:///path/to/jobs.db or postgresql://")
