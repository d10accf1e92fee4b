"""The schema of the PostgreSQL store, step by step. A step that was released is never edited: add the next one.

Each runs in a transaction of its own together with its record in `schema_migrations`, all of them under one advisory
lock, so that nodes which start at the same moment wait for each other.
"""

from importlib import metadata

from msgspec import Struct

from persistence.postgres import entry_table
from persistence.postgres.connection import Connection
from persistence.store import StoreUnusable

MIGRATION_LOCK = 0x0C_12_05_01
"""Key of the advisory lock: any number that nobody else uses."""


class Migration(Struct, frozen=True):
    """One step; its number is its place in MIGRATIONS, from 1."""

    name: str
    sql: str


MIGRATIONS = (
    Migration(
        "jobs_images_tombstones",
        # ids compare by their bytes (COLLATE "C"), as everywhere in the program. `json`, not `jsonb`: text that was
        # read may hold NUL, which jsonb refuses. Images apart from the jobs and uncompressed, since they are already.
        """
        CREATE TABLE jobs (
            id text COLLATE "C" PRIMARY KEY,
            owner text NOT NULL,
            traceparent text NOT NULL,
            status text NOT NULL CHECK (status IN ('queued', 'processing', 'done', 'dead-letter', 'cancelled')),
            revision bigint NOT NULL,
            attempt bigint NOT NULL,
            created_at timestamptz NOT NULL,
            updated_at timestamptz NOT NULL,
            due_at timestamptz NOT NULL,
            started_at timestamptz,
            media_type text NOT NULL,
            width bigint NOT NULL,
            height bigint NOT NULL,
            frames bigint NOT NULL,
            image_bytes bigint NOT NULL,
            error_code text,
            failures json NOT NULL,
            result json
        );
        CREATE INDEX jobs_by_status ON jobs (status);
        CREATE INDEX jobs_unfinished ON jobs (created_at, id) INCLUDE (owner, image_bytes)
            WHERE status IN ('queued', 'processing');
        CREATE INDEX jobs_dead_letters ON jobs (updated_at, id) WHERE status = 'dead-letter';
        CREATE INDEX jobs_dead_letters_by_code ON jobs (error_code, updated_at, id) WHERE status = 'dead-letter';
        CREATE TABLE images (
            job_id text COLLATE "C" PRIMARY KEY REFERENCES jobs (id) ON DELETE CASCADE,
            data bytea NOT NULL
        );
        ALTER TABLE images ALTER COLUMN data SET STORAGE EXTERNAL;
        CREATE TABLE tombstones (
            job_id text COLLATE "C" PRIMARY KEY,
            deleted_at timestamptz NOT NULL
        );
        """,
    ),
    Migration(
        "nodes",
        """
        CREATE TABLE nodes (
            name text PRIMARY KEY,
            report json NOT NULL,
            reported_at timestamptz NOT NULL
        );
        """,
    ),
    Migration(
        "finished_jobs_expire",
        # an id that was deleted before there were owners is nobody's
        """
        ALTER TABLE tombstones ADD COLUMN owner text NOT NULL DEFAULT '';
        CREATE INDEX jobs_finished ON jobs (updated_at, id) WHERE status IN ('done', 'cancelled');
        """,
    ),
    Migration(
        "pages_and_parts",
        # what was read before keeps its result in the job's row; a file of several pages that was not is opened anew.
        # `queue_tag`: the virtual time of the job's latest entry in the queue (see entry_table). No index on any
        # column that changes with a page's end: only so is that update "heap only"
        """
        ALTER TABLE jobs
            ADD COLUMN options json NOT NULL DEFAULT '{}',
            ADD COLUMN paged boolean NOT NULL DEFAULT false,
            ADD COLUMN pages_total bigint NOT NULL DEFAULT 1,
            ADD COLUMN pages_done bigint NOT NULL DEFAULT 0,
            ADD COLUMN pages_failed bigint NOT NULL DEFAULT 0,
            ADD COLUMN queue_tag bigint NOT NULL DEFAULT 0;
        UPDATE jobs SET pages_total = frames WHERE media_type = 'image/tiff' AND frames > 1;
        UPDATE jobs SET pages_total = json_array_length(result -> 'pages')
            WHERE media_type = 'application/pdf' AND status = 'done';
        UPDATE jobs SET pages_done = pages_total WHERE status = 'done';
        UPDATE jobs SET pages_total = 0
            WHERE (pages_total > 1 OR media_type = 'application/pdf')
                AND status IN ('queued', 'processing', 'dead-letter');
        CREATE TABLE pages (
            job_id text COLLATE "C" NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
            number bigint NOT NULL,
            status text NOT NULL CHECK (status IN ('queued', 'processing', 'done', 'failed')),
            revision bigint NOT NULL,
            attempt bigint NOT NULL,
            due_at timestamptz NOT NULL,
            started_at timestamptz,
            failures json NOT NULL,
            result json,
            PRIMARY KEY (job_id, number)
        );
        CREATE INDEX pages_unsettled ON pages (job_id, number) WHERE status IN ('queued', 'processing');
        ALTER TABLE images ADD COLUMN password text NOT NULL DEFAULT '', ADD COLUMN parts bigint NOT NULL DEFAULT 0;
        CREATE TABLE image_parts (
            job_id text COLLATE "C" NOT NULL REFERENCES images (job_id) ON DELETE CASCADE,
            number bigint NOT NULL,
            data bytea NOT NULL,
            PRIMARY KEY (job_id, number)
        );
        ALTER TABLE image_parts ALTER COLUMN data SET STORAGE EXTERNAL;
        """,
    ),
    Migration(
        "changes",
        """
        CREATE INDEX jobs_changed ON jobs (updated_at, id);
        """,
    ),
    Migration(
        "lists",
        """
        CREATE INDEX jobs_by_age ON jobs (created_at, id);
        CREATE INDEX jobs_of_owner ON jobs (owner, created_at, id);
        """,
    ),
    Migration(
        "repeats",
        # no foreign key: the key of a job that was deleted answers that it is gone
        """
        CREATE TABLE repeats (
            owner text NOT NULL,
            key text NOT NULL,
            fingerprint text NOT NULL,
            job_id text COLLATE "C" NOT NULL,
            created_at timestamptz NOT NULL,
            PRIMARY KEY (owner, key)
        );
        CREATE INDEX repeats_by_age ON repeats (created_at);
        """,
    ),
    Migration(
        "expiry",
        """
        ALTER TABLE jobs ADD COLUMN expires_at timestamptz;
        CREATE INDEX jobs_expiring ON jobs (expires_at, id) WHERE expires_at IS NOT NULL;
        """,
    ),
    Migration(
        "deliveries",
        # no foreign key: what is told of may be of several kinds
        """
        CREATE TABLE deliveries (
            id text COLLATE "C" PRIMARY KEY,
            kind text NOT NULL,
            subject_id text COLLATE "C" NOT NULL,
            owner text NOT NULL,
            event text NOT NULL,
            data text NOT NULL,
            url text NOT NULL,
            host text NOT NULL,
            traceparent text NOT NULL,
            status text NOT NULL CHECK (status IN ('pending', 'delivered', 'failed')),
            revision bigint NOT NULL,
            attempt bigint NOT NULL,
            attempts text NOT NULL,
            created_at timestamptz NOT NULL,
            due_at timestamptz NOT NULL,
            claimed_until timestamptz
        );
        CREATE INDEX deliveries_due ON deliveries (due_at, id) WHERE status = 'pending';
        CREATE INDEX deliveries_undelivered ON deliveries (status, created_at) WHERE status <> 'delivered';
        CREATE INDEX deliveries_of_subject ON deliveries (kind, subject_id);
        CREATE INDEX deliveries_by_age ON deliveries (created_at, id);
        """,
    ),
    Migration(
        "batches",
        # no foreign key to jobs: a file whose job was erased stays one of the batch's
        """
        CREATE TABLE batches (
            id text COLLATE "C" PRIMARY KEY,
            owner text NOT NULL,
            created_at timestamptz NOT NULL,
            files bigint NOT NULL,
            jobs bigint NOT NULL,
            unfinished bigint NOT NULL,
            ended_at timestamptz,
            cancelled boolean NOT NULL DEFAULT false,
            ends bigint NOT NULL DEFAULT 0,
            options json NOT NULL,
            traceparent text NOT NULL
        );
        CREATE INDEX batches_by_age ON batches (created_at, id);
        CREATE INDEX batches_of_owner ON batches (owner, created_at, id);
        CREATE TABLE batch_files (
            batch_id text COLLATE "C" NOT NULL REFERENCES batches (id) ON DELETE CASCADE,
            number bigint NOT NULL,
            name text NOT NULL,
            job_id text COLLATE "C" NOT NULL,
            code text NOT NULL,
            detail text NOT NULL,
            PRIMARY KEY (batch_id, number)
        );
        ALTER TABLE jobs
            ADD COLUMN batch_id text COLLATE "C" NOT NULL DEFAULT '',
            ADD COLUMN batch_number bigint NOT NULL DEFAULT 0;
        CREATE INDEX jobs_of_batch ON jobs (batch_id, batch_number) WHERE batch_id != '';
        """,
    ),
    Migration(
        "priorities",
        """
        ALTER TABLE jobs ADD COLUMN priority text NOT NULL DEFAULT 'normal';
        DROP INDEX jobs_unfinished;
        CREATE INDEX jobs_unfinished ON jobs (created_at, id) INCLUDE (owner, priority, image_bytes)
            WHERE status IN ('queued', 'processing');
        """,
    ),
    Migration(
        "counts",
        # of jobs that have ended, which pile up; the others are few, and counted. One row for each state would make
        # all writers wait for each other: each connection has a place of its own, but for chance, and the row is
        # locked at the commit only. The triggers come first: from then on nobody writes until all is counted
        """
        CREATE TABLE job_counts (
            status text NOT NULL,
            place integer NOT NULL,
            jobs bigint NOT NULL,
            PRIMARY KEY (status, place)
        ) WITH (fillfactor = 50);
        CREATE FUNCTION count_ended_job() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'TRUNCATE' THEN
                UPDATE job_counts SET jobs = 0;
                RETURN NULL;
            END IF;
            IF TG_OP != 'INSERT' THEN
                UPDATE job_counts SET jobs = jobs - 1 WHERE status = OLD.status AND place = pg_backend_pid() % 16;
            END IF;
            IF TG_OP != 'DELETE' THEN
                UPDATE job_counts SET jobs = jobs + 1 WHERE status = NEW.status AND place = pg_backend_pid() % 16;
            END IF;
            RETURN NULL;
        END $$;
        CREATE CONSTRAINT TRIGGER jobs_counted AFTER INSERT ON jobs DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
            WHEN (NEW.status NOT IN ('queued', 'processing')) EXECUTE FUNCTION count_ended_job();
        CREATE CONSTRAINT TRIGGER jobs_counted_off AFTER DELETE ON jobs DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
            WHEN (OLD.status NOT IN ('queued', 'processing')) EXECUTE FUNCTION count_ended_job();
        CREATE CONSTRAINT TRIGGER jobs_counted_again AFTER UPDATE OF status ON jobs
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
            WHEN (OLD.status IS DISTINCT FROM NEW.status
                AND NOT (OLD.status IN ('queued', 'processing') AND NEW.status IN ('queued', 'processing')))
            EXECUTE FUNCTION count_ended_job();
        CREATE TRIGGER jobs_truncated AFTER TRUNCATE ON jobs EXECUTE FUNCTION count_ended_job();
        INSERT INTO job_counts
            SELECT status, place, CASE WHEN place = 0 THEN (SELECT count(*) FROM jobs WHERE jobs.status = each.status)
                ELSE 0 END
            FROM unnest(ARRAY['done', 'dead-letter', 'cancelled']) AS each (status), generate_series(0, 15) AS place;
        DROP INDEX jobs_by_status;
        """,
    ),
    Migration(
        "fingerprints",
        """
        ALTER TABLE jobs ADD COLUMN fingerprint text NOT NULL DEFAULT '';
        CREATE INDEX jobs_alike ON jobs (fingerprint, owner, updated_at) WHERE fingerprint != '';
        ALTER TABLE jobs ADD COLUMN tag text;
        UPDATE jobs SET tag = options ->> 'tag'
            WHERE strpos(options::text, '"tag"') > 0 AND strpos(options::text, '\\u0000') = 0;
        CREATE INDEX jobs_tagged ON jobs (tag, created_at, id) WHERE tag IS NOT NULL;
        """,
    ),
    Migration(
        "rare states",
        # a list of what is rare (cancelled ones, failed ones of one key) goes to them, and looks through no others;
        # of one tag there may be as many as of all: told apart without reading a row
        """
        CREATE INDEX jobs_of_status ON jobs (status, created_at, id);
        CREATE INDEX jobs_of_owner_and_status ON jobs (owner, status, created_at, id);
        CREATE INDEX jobs_dead_letters_of_owner ON jobs (owner, updated_at, id, error_code)
            WHERE status = 'dead-letter';
        DROP INDEX jobs_tagged;
        CREATE INDEX jobs_tagged ON jobs (tag, created_at, id, owner, status) WHERE tag IS NOT NULL;
        """,
    ),
    Migration(
        "minutes",
        # with places for the same reason as job_counts
        """
        CREATE TABLE minutes (
            begins timestamptz NOT NULL,
            place integer NOT NULL,
            pages_read bigint NOT NULL,
            pages_failed bigint NOT NULL,
            wait_seconds double precision NOT NULL,
            recognition_seconds double precision NOT NULL,
            PRIMARY KEY (begins, place)
        ) WITH (fillfactor = 50);
        """,
    ),
)


async def migrate(connection: Connection) -> None:
    """Brings the schema up to this program's. Raises StoreUnusable where a newer program has been there."""
    await connection.execute("SELECT pg_advisory_lock($1)", MIGRATION_LOCK)
    try:
        applied = await _applied(connection)
        if applied > len(MIGRATIONS):
            raise StoreUnusable(
                f"a newer version of this program wrote the database (schema {applied}, known {len(MIGRATIONS)})"
            )
        for number, migration in enumerate(MIGRATIONS[applied:], start=applied + 1):
            async with connection.transaction():
                await connection.execute(migration.sql)
                await connection.execute(
                    "INSERT INTO schema_migrations (number, name, applied_at) VALUES ($1, $2, now())",
                    number,
                    migration.name,
                )
        await _migrate_queue(connection)
    finally:
        await connection.execute("SELECT pg_advisory_unlock($1)", MIGRATION_LOCK)


async def _applied(connection: Connection) -> int:
    # asked first: an account without the right to create anything may still run a node
    if await connection.fetchval("SELECT to_regclass('schema_migrations')") is None:
        await connection.execute(
            "CREATE TABLE schema_migrations "
            "(number integer PRIMARY KEY, name text NOT NULL, applied_at timestamptz NOT NULL)"
        )
    return int(await connection.fetchval("SELECT coalesce(max(number), 0) FROM schema_migrations"))


async def _migrate_queue(connection: Connection) -> None:
    """PgQueuer's own schema, as number 0: looked at only where another version of it was the last to do so."""
    version = f"pgqueuer {metadata.version('pgqueuer')}"
    if version == await connection.fetchval("SELECT name FROM schema_migrations WHERE number = 0"):
        return
    await entry_table.install(connection)
    await connection.execute(
        "INSERT INTO schema_migrations (number, name, applied_at) VALUES (0, $1, now()) "
        "ON CONFLICT (number) DO UPDATE SET name = excluded.name, applied_at = excluded.applied_at",
        version,
    )
