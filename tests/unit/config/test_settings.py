"""Settings come from the environment, typed, and every fault is told at once."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from app.main import create_app
from app.processes import engine_options
from config import machine
from config.documentation import documented
from config.environment import from_environment, misspelt
from config.settings import Settings, SettingsError


def test_an_empty_environment_gives_the_defaults() -> None:
    settings = from_environment({})
    assert settings.host == "127.0.0.1"
    assert settings.port == 8000
    assert settings.max_workers >= 1


def test_values_are_read_as_their_types() -> None:
    settings = from_environment({"MAX_WORKERS": "3", "JOB_TIMEOUT_SECONDS": "2.5", "OCR_MODEL": "ppocr-v4"})
    assert (settings.max_workers, settings.job_timeout_seconds, settings.ocr_model) == (3, 2.5, "ppocr-v4")


@pytest.mark.parametrize("blank", ["", "  "])
def test_a_blank_variable_counts_as_not_set(blank: str) -> None:
    assert from_environment({"PORT": blank}).port == 8000


def test_auto_asks_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "default_workers", lambda: 7)
    assert from_environment({"MAX_WORKERS": "auto"}).max_workers == 7


def test_every_fault_is_reported_with_its_variable() -> None:
    with pytest.raises(SettingsError) as caught:
        from_environment({"PORT": "http", "MAX_WORKERS": "0", "LOG_FORMAT": "xml", "MAX_ATTEMPTS": "3"})
    named = {fault.partition("=")[0] for fault in caught.value.faults}
    assert named == {"LOG_FORMAT", "MAX_WORKERS", "PORT"}


@pytest.mark.parametrize("days", ["inf", "999999"])
def test_jobs_are_not_kept_longer_than_there_is_a_calendar(days: str) -> None:
    with pytest.raises(SettingsError):
        from_environment({"KEEP_FINISHED_DAYS": days})
    longest = timedelta(days=from_environment({"KEEP_FINISHED_DAYS": "365000"}).keep_finished_days)
    assert datetime(2026, 1, 1, tzinfo=UTC) - longest


@pytest.mark.parametrize("setting", [each.variable for each in documented() if each.variable.endswith("_SECONDS")])
def test_nothing_is_waited_for_without_end(setting: str) -> None:
    for endless in ("inf", "1e10"):
        with pytest.raises(SettingsError, match=setting):
            from_environment({setting: endless})


def test_languages_are_tags_with_commas_between() -> None:
    assert from_environment({"OCR_LANGUAGES": "de, pt-BR,zh-Hant"}).ocr_languages == "de, pt-BR,zh-Hant"
    for wrong in ("german", "de;fr", "de,,fr", "d"):
        with pytest.raises(SettingsError, match="OCR_LANGUAGES"):
            from_environment({"OCR_LANGUAGES": wrong})


def test_a_language_that_is_not_read_is_told_before_anything_is_opened() -> None:
    assert engine_options(Settings(ocr_languages="de, no,pt-BR")).languages == ("de", "nb", "pt")
    with pytest.raises(SettingsError, match=r"OCR_LANGUAGES='de,xx'.*'xx' is none of the languages that are read: af,"):
        create_app(Settings(ocr_languages="de,xx"))


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        from_environment({}).port = 1  # type: ignore[misc]  # what mypy forbids is what is tried


def test_every_setting_has_a_description() -> None:
    assert len(documented()) == len(msgspec.structs.fields(Settings))
    assert all(setting.description.endswith(".") for setting in documented())


@pytest.mark.parametrize("role", ["api", "worker"])
def test_half_a_service_needs_a_database_that_the_other_half_can_reach(role: str) -> None:
    with pytest.raises(SettingsError, match="ROLE"):
        from_environment({"ROLE": role})
    with pytest.raises(SettingsError):
        from_environment({"ROLE": role, "DATABASE_URL": "postgresx://db/ocr"})
    for scheme in ("postgresql", "postgres"):
        assert from_environment({"ROLE": role, "DATABASE_URL": f"{scheme}://db/ocr"}).role == role


@pytest.mark.parametrize(
    ("variable", "expected"),
    [
        ("ROLE", "`all`, `api` or `worker`"),
        ("OCR_MODEL", "`ppocr-v6`, `ppocr-v6-tiny` or `ppocr-v4`"),
        ("LOG_LEVEL", "`DEBUG`, `INFO`, `WARNING` or `ERROR`"),
        ("PROTECT_HEALTH", "`true` or `false`"),
    ],
)
def test_where_there_is_a_choice_the_fault_names_it(variable: str, expected: str) -> None:
    with pytest.raises(SettingsError) as caught:
        from_environment({variable: "boss"})
    assert caught.value.faults == [f"{variable}='boss': Expected {expected}"]


@pytest.mark.parametrize(
    ("variable", "url", "shown"),
    [
        ("DATABASE_URL", "mysql://ann:secret@db/ocr", "'mysql://…': Expected `sqlite:///relative/path.db`"),
        ("DATABASE_URL", "data/secret.db", "'…' (no scheme): Expected `sqlite:///relative/path.db`"),
        ("DATABASE_URL", "sqlite://secret.db", "'sqlite://…': Expected `sqlite:///relative/path.db`"),
        ("CORS_ORIGINS", "https://a.example, https://b.example/", "'https://b.example/': Expected `https://host`"),
        ("CORS_ORIGINS", "a.example", "'a.example': Expected `https://host`"),
        ("MAX_WORKERS", "all", "'all': Expected `auto` or a number from 1"),
        ("DATABASE_URL", "sqlite:///", "'sqlite://…': Expected `sqlite:///relative/path.db`"),
        ("IMAGE_STORE_URL", "ftp://ann:secret@files", "'ftp://…': Expected `s3://bucket/prefix`"),
        ("IMAGE_STORE_URL", "s3://", "'s3://…': Expected `s3://bucket/prefix`"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "secret:4318", "'…' (no scheme): Expected `http://host:port`"),
    ],
)
def test_a_url_that_leads_nowhere_is_a_wrong_setting_told_without_its_secrets(
    variable: str, url: str, shown: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        from_environment({variable: url, "PORT": "http"})
    about_port, about_url = caught.value.faults
    assert about_port.startswith("PORT=")
    assert about_url.startswith(f"{variable}={shown}")
    assert "secret" not in about_url


@pytest.mark.parametrize("url", ["s3://bucket/jobs", "gs://bucket", "az://box", "file:///srv/images", "memory:///"])
def test_the_schemes_of_object_storage_are_known(url: str) -> None:
    assert from_environment({"IMAGE_STORE_URL": url}).image_store_url == url


@pytest.mark.parametrize(
    ("name", "setting"),
    [
        ("MAX_WORKER", "MAX_WORKERS"),
        ("MAX_WORKRES", "MAX_WORKERS"),
        ("DATABASE_URI", "DATABASE_URL"),
        ("LOGLEVEL", "LOG_LEVEL"),
        ("JOB_TIMEOUT_SECOND", "JOB_TIMEOUT_SECONDS"),
        ("API_KEY_FILE", "API_KEYS_FILE"),
        ("max_workers", "MAX_WORKERS"),
    ],
)
def test_a_name_that_is_nearly_a_setting_is_warned_of(name: str, setting: str) -> None:
    assert misspelt({name: "1"}) == [f"{name} is no setting; did you mean {setting}?"]


def test_what_other_programs_have_in_the_environment_is_left_in_peace() -> None:
    foreign = """
        PATH HOME HOSTNAME HOSTTYPE USER LOGNAME LANG LC_ALL TERM SHELL SHLVL PWD OLDPWD TMPDIR TZ EDITOR VIRTUAL_ENV
        PYTHONPATH PYTHONUNBUFFERED PYTHONDONTWRITEBYTECODE UV_PYTHON PIP_NO_CACHE_DIR NO_COLOR COLUMNS LINES
        OMP_NUM_THREADS MALLOC_ARENA_MAX FORWARDED_ALLOW_IPS WEB_CONCURRENCY POSTGRES_PASSWORD POSTGRES_HOST PGHOST
        PGDATABASE PGPORT AWS_ACCESS_KEY_ID AWS_ENDPOINT_URL AWS_REGION GOOGLE_APPLICATION_CREDENTIALS
        HTTP_PROXY HTTPS_PROXY NO_PROXY http_proxy https_proxy no_proxy SSL_CERT_FILE REDIS_URL DATABASE_HOST
        KUBERNETES_SERVICE_HOST KUBERNETES_SERVICE_PORT KUBERNETES_PORT OCR_PORT OCR_SERVICE_HOST OCR_SERVICE_PORT
        OTEL_SERVICE_NAME OTEL_EXPORTER_OTLP_HEADERS OTEL_EXPORTER_OTLP_TRACES_ENDPOINT OTEL_TRACES_SAMPLER
        PUBLISH CPU_LIMIT MEMORY_LIMIT COMPOSE_PROJECT_NAME DOCKER_HOST SYSTEMD_EXEC_PID JOURNAL_STREAM
    """
    settings = [setting.variable for setting in documented()]
    assert misspelt(dict.fromkeys([*foreign.split(), *settings], "1")) == []
