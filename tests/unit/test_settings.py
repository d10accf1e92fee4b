"""Settings come from the environment, typed, and every fault is told at once."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from config.settings import Settings, SettingsError, documented, from_environment


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
    monkeypatch.setattr("config.machine.default_workers", lambda: 7)
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
