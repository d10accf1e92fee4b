"""The schema of the SQLite store, step by step. A step that was released is never edited: add the next one.

Each runs in a transaction of its own together with its record in sqlite-utils' `_sqlite_migrations`.
"""

from sqlite_utils import Database, Migrations

MIGRATIONS = Migrations("smart-queue-ocr")


@MIGRATIONS(name="0001_jobs_images_tombstones")
def _jobs_images_tombstones(db: Database) -> None:
    # Times are text, UTC, always with six decimals: exact, in order when sorted as text, readable for people and for
    # SQLite's own date functions. What only the program reads (failures, result) is JSON, for `json_extract`.
    db.execute("""
        CREATE TABLE jobs (
            id TEXT PRIMARY KEY NOT NULL,
            owner TEXT NOT NULL,
            traceparent TEXT NOT NULL,
            status TEXT NOT NULL CHECK (status IN ('queued', 'processing', 'done', 'dead-letter', 'cancelled')),
            revision INTEGER NOT NULL,
            attempt INTEGER NOT NULL,
            created_at TEXT NOT NULL,
            updated_at TEXT NOT NULL,
            due_at TEXT NOT NULL,
            started_at TEXT,
            media_type TEXT NOT NULL,
            width INTEGER NOT NULL,
            height INTEGER NOT NULL,
            frames INTEGER NOT NULL,
            image_bytes INTEGER NOT NULL,
            error_code TEXT,
            failures TEXT NOT NULL,
            result TEXT
        ) STRICT
    """)
    # the queries name their index: without statistics SQLite would take the first for all of them, and sort
    db.execute("CREATE INDEX jobs_by_status ON jobs (status)")
    db.execute("""
        CREATE INDEX jobs_unfinished ON jobs (created_at, id, owner, image_bytes)
        WHERE status IN ('queued', 'processing')
    """)
    db.execute("""
        CREATE INDEX jobs_dead_letters ON jobs (updated_at, id) WHERE status = 'dead-letter'
    """)
    db.execute("""
        CREATE INDEX jobs_dead_letters_by_code ON jobs (error_code, updated_at, id) WHERE status = 'dead-letter'
    """)
    # apart from the jobs, so that reading and changing a job never touches megabytes
    db.execute("""
        CREATE TABLE images (
            job_id TEXT PRIMARY KEY NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
            data BLOB NOT NULL
        ) STRICT
    """)
    db.execute("""
        CREATE TABLE tombstones (
            job_id TEXT PRIMARY KEY NOT NULL,
            deleted_at TEXT NOT NULL
        ) STRICT, WITHOUT ROWID
    """)


@MIGRATIONS(name="0002_finished_jobs_expire")
def _finished_jobs_expire(db: Database) -> None:
    # an id that was deleted before there were owners is nobody's
    db.execute("ALTER TABLE tombstones ADD COLUMN owner TEXT NOT NULL DEFAULT ''")
    db.execute("CREATE INDEX jobs_finished ON jobs (updated_at, id) WHERE status IN ('done', 'cancelled')")


@MIGRATIONS(name="0003_pages_and_files")
def _pages_and_files(db: Database) -> None:
    for column in (
        "options TEXT NOT NULL DEFAULT '{}'",
        "paged INTEGER NOT NULL DEFAULT 0",
        "pages_total INTEGER NOT NULL DEFAULT 1",
        "pages_done INTEGER NOT NULL DEFAULT 0",
        "pages_failed INTEGER NOT NULL DEFAULT 0",
    ):
        db.execute(f"ALTER TABLE jobs ADD COLUMN {column}")
    # what was read before keeps its result in the job's row; a file of several pages that was not is opened anew
    db.execute("UPDATE jobs SET pages_total = frames WHERE media_type = 'image/tiff' AND frames > 1")
    db.execute(
        "UPDATE jobs SET pages_total = json_array_length(result, '$.pages') "
        "WHERE media_type = 'application/pdf' AND status = 'done'"
    )
    db.execute("UPDATE jobs SET pages_done = pages_total WHERE status = 'done'")
    db.execute(
        "UPDATE jobs SET pages_total = 0 WHERE (pages_total > 1 OR media_type = 'application/pdf') "
        "AND status IN ('queued', 'processing', 'dead-letter')"
    )
    # a rowid table: among results of kilobytes a scan for what is unsettled takes 1 to 5 ms, here 0.05
    db.execute("""
        CREATE TABLE pages (
            job_id TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
            number INTEGER NOT NULL,
            status TEXT NOT NULL CHECK (status IN ('queued', 'processing', 'done', 'failed')),
            revision INTEGER NOT NULL,
            attempt INTEGER NOT NULL,
            due_at TEXT NOT NULL,
            started_at TEXT,
            failures TEXT NOT NULL,
            result TEXT,
            PRIMARY KEY (job_id, number)
        ) STRICT
    """)
    db.execute("CREATE INDEX pages_unsettled ON pages (job_id, number) WHERE status IN ('queued', 'processing')")
    # an upload that is a file beside the database: its name; `data` is empty then
    db.execute("ALTER TABLE images ADD COLUMN file TEXT NOT NULL DEFAULT ''")
    db.execute("ALTER TABLE images ADD COLUMN password TEXT NOT NULL DEFAULT ''")


@MIGRATIONS(name="0004_changes")
def _changes(db: Database) -> None:
    db.execute("CREATE INDEX jobs_changed ON jobs (updated_at, id)")


@MIGRATIONS(name="0005_lists")
def _lists(db: Database) -> None:
    db.execute("CREATE INDEX jobs_by_age ON jobs (created_at, id)")
    db.execute("CREATE INDEX jobs_of_owner ON jobs (owner, created_at, id)")


@MIGRATIONS(name="0006_repeats")
def _repeats(db: Database) -> None:
    # no foreign key: the key of a job that was deleted answers that it is gone
    db.execute("""
        CREATE TABLE repeats (
            owner TEXT NOT NULL,
            key TEXT NOT NULL,
            fingerprint TEXT NOT NULL,
            job_id TEXT NOT NULL,
            created_at TEXT NOT NULL,
            PRIMARY KEY (owner, key)
        ) STRICT, WITHOUT ROWID
    """)
    db.execute("CREATE INDEX repeats_by_age ON repeats (created_at)")


@MIGRATIONS(name="0007_counts")
def _counts(db: Database) -> None:
    # kept, as scrapes ask all day: to count 243 000 rows of an index takes 19 ms of CPU time
    db.execute(
        "CREATE TABLE job_counts (status TEXT PRIMARY KEY NOT NULL, jobs INTEGER NOT NULL) STRICT, WITHOUT ROWID"
    )
    for status in ("queued", "processing", "done", "dead-letter", "cancelled"):
        db.execute("INSERT INTO job_counts SELECT ?, count(*) FROM jobs WHERE status = ?", (status, status))
    more = "UPDATE job_counts SET jobs = jobs + 1 WHERE status = new.status;"
    fewer = "UPDATE job_counts SET jobs = jobs - 1 WHERE status = old.status;"
    db.execute(f"CREATE TRIGGER jobs_counted AFTER INSERT ON jobs BEGIN {more} END")
    db.execute(f"CREATE TRIGGER jobs_counted_off AFTER DELETE ON jobs BEGIN {fewer} END")
    db.execute(f"CREATE TRIGGER jobs_counted_again AFTER UPDATE OF status ON jobs BEGIN {fewer} {more} END")


@MIGRATIONS(name="0008_expiry")
def _expiry(db: Database) -> None:
    db.execute("ALTER TABLE jobs ADD COLUMN expires_at TEXT")
    db.execute("CREATE INDEX jobs_expiring ON jobs (expires_at, id) WHERE expires_at IS NOT NULL")


@MIGRATIONS(name="0009_deliveries")
def _deliveries(db: Database) -> None:
    # no foreign key: what is told of may be of several kinds
    db.execute("""
        CREATE TABLE deliveries (
            id TEXT PRIMARY KEY NOT NULL,
            kind TEXT NOT NULL,
            subject_id TEXT NOT NULL,
            owner TEXT NOT NULL,
            event TEXT NOT NULL,
            data TEXT NOT NULL,
            url TEXT NOT NULL,
            host TEXT NOT NULL,
            traceparent TEXT NOT NULL,
            status TEXT NOT NULL CHECK (status IN ('pending', 'delivered', 'failed')),
            revision INTEGER NOT NULL,
            attempt INTEGER NOT NULL,
            attempts TEXT NOT NULL,
            created_at TEXT NOT NULL,
            due_at TEXT NOT NULL,
            claimed_until TEXT
        ) STRICT
    """)
    # with all that a claim asks: of thousands for a receiver that is busy no row is read
    db.execute("""
        CREATE INDEX deliveries_due ON deliveries (due_at, id, host, owner, claimed_until) WHERE status = 'pending'
    """)
    db.execute("CREATE INDEX deliveries_undelivered ON deliveries (status, created_at) WHERE status <> 'delivered'")
    db.execute("CREATE INDEX deliveries_of_subject ON deliveries (kind, subject_id)")
    db.execute("CREATE INDEX deliveries_by_age ON deliveries (created_at, id)")


@MIGRATIONS(name="0011_batches")
def _batches(db: Database) -> None:
    db.execute("""
        CREATE TABLE batches (
            id TEXT PRIMARY KEY NOT NULL,
            owner TEXT NOT NULL,
            created_at TEXT NOT NULL,
            files INTEGER NOT NULL,
            jobs INTEGER NOT NULL,
            unfinished INTEGER NOT NULL,
            ended_at TEXT,
            cancelled INTEGER NOT NULL DEFAULT 0,
            ends INTEGER NOT NULL DEFAULT 0,
            options TEXT NOT NULL,
            traceparent TEXT NOT NULL
        ) STRICT
    """)
    db.execute("CREATE INDEX batches_by_age ON batches (created_at, id)")
    db.execute("CREATE INDEX batches_of_owner ON batches (owner, created_at, id)")
    # no foreign key to jobs: a file whose job was erased stays one of the batch's
    db.execute("""
        CREATE TABLE batch_files (
            batch_id TEXT NOT NULL REFERENCES batches (id) ON DELETE CASCADE,
            number INTEGER NOT NULL,
            name TEXT NOT NULL,
            job_id TEXT NOT NULL,
            code TEXT NOT NULL,
            detail TEXT NOT NULL,
            PRIMARY KEY (batch_id, number)
        ) STRICT, WITHOUT ROWID
    """)
    db.execute("ALTER TABLE jobs ADD COLUMN batch_id TEXT NOT NULL DEFAULT ''")
    db.execute("ALTER TABLE jobs ADD COLUMN batch_number INTEGER NOT NULL DEFAULT 0")
    db.execute("CREATE INDEX jobs_of_batch ON jobs (batch_id, batch_number) WHERE batch_id != ''")


@MIGRATIONS(name="0012_fingerprints")
def _fingerprints(db: Database) -> None:
    db.execute("ALTER TABLE jobs ADD COLUMN fingerprint TEXT NOT NULL DEFAULT ''")
    db.execute("CREATE INDEX jobs_alike ON jobs (fingerprint, owner, updated_at) WHERE fingerprint != ''")
    db.execute("""
        CREATE INDEX jobs_tagged ON jobs (json_extract(options, '$.tag'), created_at, id)
        WHERE json_extract(options, '$.tag') IS NOT NULL
    """)


@MIGRATIONS(name="0013_rare_states")
def _rare_states(db: Database) -> None:
    # a list of what is rare (cancelled ones, failed ones of one key) goes to them, and looks through no others
    db.execute("DROP INDEX jobs_by_status")
    db.execute("CREATE INDEX jobs_of_status ON jobs (status, created_at, id)")
    db.execute("CREATE INDEX jobs_of_owner_and_status ON jobs (owner, status, created_at, id)")
    db.execute("""
        CREATE INDEX jobs_dead_letters_of_owner ON jobs (owner, updated_at, id, error_code)
        WHERE status = 'dead-letter'
    """)
    # of one tag there may be as many as of all: told apart without reading a row
    db.execute("DROP INDEX jobs_tagged")
    db.execute("""
        CREATE INDEX jobs_tagged ON jobs (json_extract(options, '$.tag'), created_at, id, owner, status)
        WHERE json_extract(options, '$.tag') IS NOT NULL
    """)


@MIGRATIONS(name="0014_minutes")
def _minutes(db: Database) -> None:
    db.execute("""
        CREATE TABLE minutes (
            begins TEXT PRIMARY KEY NOT NULL,
            pages_read INTEGER NOT NULL,
            pages_failed INTEGER NOT NULL,
            wait_seconds REAL NOT NULL,
            recognition_seconds REAL NOT NULL
        ) STRICT, WITHOUT ROWID
    """)


def obstacle(db: Database) -> str | None:
    """Why this program must not touch the database, in words; None where it may. Reads only."""
    applied = {migration.name for migration in MIGRATIONS.applied(db)}
    if not applied:
        others = set(db.table_names()) - {MIGRATIONS.migrations_table}
        return "it belongs to another program" if others else None
    with Database(memory=True, execute_plugins=False) as empty:
        known = {migration.name for migration in MIGRATIONS.pending(empty)}
    unknown = sorted(applied - known)
    return f"a newer version of this program wrote it (it has {unknown[-1]})" if unknown else None
