"""Dashboard, alerts and their wiring name only what exists; promtool runs the alerts themselves (CONTRIBUTING.md)."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from app.telemetry.metrics import Metrics
from config.documentation import SettingDoc, documented
from config.environment import from_environment

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
OPERATIONS = (ROOT / "docs/operations.md").read_text()
DASHBOARD = json.loads((DEPLOY / "grafana/dashboards/smart-queue-ocr.json").read_text())
ALERTS = [
    rule
    for group in yaml.safe_load((DEPLOY / "prometheus/alerts.yml").read_text())["groups"]
    for rule in group["rules"]
]
ALERT_TESTS = yaml.safe_load((DEPLOY / "prometheus/alerts_test.yml").read_text())["tests"]
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text())
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
METRIC = re.compile(r"\b(?:ocr|process)_[a-z_]+\b")


def exposed() -> set[str]:
    """Every series name that `/metrics` can hold."""
    names = set()
    for family in Metrics(model="m", backend="b", codes=()).registry.collect():
        suffixes = {"counter": ["_total"], "histogram": ["_bucket", "_sum", "_count"]}.get(family.type, [""])
        names |= {family.name + suffix for suffix in suffixes}
    return names


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert["alert"])
def test_an_alert_asks_only_for_metrics_that_there_are(alert: dict[str, Any]) -> None:
    assert set(METRIC.findall(alert["expr"])) <= exposed()


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert["alert"])
def test_every_alert_has_a_severity_a_summary_and_a_line_that_says_what_to_do(alert: dict[str, Any]) -> None:
    severity = alert["labels"]["severity"]
    assert severity in ("warning", "critical")
    assert alert["annotations"]["summary"]
    assert f"| `{alert['alert']}` | {severity} |" in OPERATIONS


def test_every_alert_is_tested_and_every_documented_alert_exists() -> None:
    names = {alert["alert"] for alert in ALERTS}
    tested = {case["alertname"] for test in ALERT_TESTS for case in test["alert_rule_test"] if case["exp_alerts"]}
    assert tested == names
    assert set(re.findall(r"^\| `(Ocr\w+)` \|", OPERATIONS, re.MULTILINE)) == names


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel["title"])
def test_a_panel_asks_only_for_metrics_that_there_are(panel: dict[str, Any]) -> None:
    for target in panel["targets"]:
        asked = set(METRIC.findall(target["expr"]))
        assert asked, target
        assert asked <= exposed()


def test_every_metric_of_ours_is_on_the_dashboard() -> None:
    shown = " ".join(target["expr"] for panel in PANELS for target in panel["targets"])
    families = [family.name for family in Metrics(model="m", backend="b", codes=()).registry.collect()]
    missing = [name for name in families if name.startswith("ocr_") and name not in shown]
    assert missing == ["ocr_build_info"]  # it fills the choice of nodes


@pytest.mark.parametrize(
    ("schema", "files"),
    [
        ("compose-spec", ["compose.yaml", "compose.cluster.yaml"]),
        ("github-workflows", [".github/workflows/ci.yml"]),
    ],
)
def test_what_others_read_is_of_their_form(schema: str, files: list[str]) -> None:
    check = Path(sys.executable).with_name("check-jsonschema")
    command = [str(check), "--builtin-schema", f"vendor.{schema}", *files]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("file", ["compose.yaml", "compose.cluster.yaml"])
def test_compose_opens_a_port_on_this_machine_only_unless_it_is_told_otherwise(file: str) -> None:
    services = yaml.safe_load((ROOT / file).read_text())["services"]
    published = [
        re.sub(r"\$\{PUBLISH:-(.*)\}", r"\1", port) for each in services.values() for port in each.get("ports", ())
    ]
    assert published
    assert all(re.fullmatch(r"127\.0\.0\.1:\d+:\d+", port) for port in published)
    assert "PUBLISH" in (ROOT / file).read_text().split("services:")[0], "nothing says how to open it"


@pytest.mark.parametrize("file", ["compose.yaml", "compose.cluster.yaml", "README.md"])
def test_the_least_versions_of_docker_are_named(file: str) -> None:
    """2.24 knows `required` of an env_file, 25 `start_interval` of a health check."""
    text = " ".join((ROOT / file).read_text().replace("\n#", "\n").split())
    assert re.search(r"Docker Compose 2\.24 .*Docker Engine 25 .*or later", text)


def test_whose_the_data_folder_has_to_be_is_said_as_the_image_has_it() -> None:
    assert "USER 10001:10001\n" in (ROOT / "Dockerfile").read_text()
    assert "10001:10001" in (ROOT / "compose.yaml").read_text()
    assert "`/data` belongs to uid and gid 10001" in (ROOT / "README.md").read_text()


def environment(given: dict[str, str]) -> dict[str, str]:
    """The variables of the container, where `given` is in .env: what stands under `environment` wins over that file."""
    fixed = {name: str(value) for name, value in COMPOSE["services"]["ocr"]["environment"].items()}
    filled = {
        name: re.sub(r"\$\{(\w+):-([^}]*)\}", lambda found: given.get(found[1]) or found[2], value)
        for name, value in fixed.items()
    }
    return given | filled


@pytest.mark.parametrize("setting", documented(), ids=lambda setting: setting.variable)
def test_every_setting_may_come_from_the_file_beside_compose_or_is_said_to_be_fixed(setting: SettingDoc) -> None:
    taken = environment({setting.variable: "given"})[setting.variable] == "given"
    assert taken == (setting.variable not in ("HOST", "PORT"))


def test_what_compose_fixes_is_named_where_it_says_that_settings_go_into_the_file() -> None:
    assert "goes into .env by its own name, but for HOST and PORT:" in (ROOT / "compose.yaml").read_text()
    readme = " ".join((ROOT / "README.md").read_text().split())
    assert "`HOST` and `PORT` alone are fixed" in readme


def test_compose_keeps_jobs_in_its_volume_unless_it_is_told_where() -> None:
    database = from_environment(environment({})).database_url
    assert database == "sqlite:////data/jobs.db"
    assert "data:/data" in COMPOSE["services"]["ocr"]["volumes"]
    assert f"DATABASE_URL={database} " in (ROOT / "Dockerfile").read_text()


def test_the_panels_have_ids_of_their_own_and_do_not_overlap() -> None:
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(ids) == len(set(ids))
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert at["x"] + at["w"] <= 24
        assert not cells & taken, panel["title"]
        taken |= cells


def test_the_dashboard_finds_its_data_source() -> None:
    source = yaml.safe_load((DEPLOY / "grafana/provisioning/datasources/prometheus.yml").read_text())["datasources"][0]
    assert {panel["datasource"]["uid"] for panel in PANELS} == {source["uid"]}
    assert source["url"] == "http://prometheus:9090"
    assert "prometheus" in COMPOSE["services"]


def test_prometheus_scrapes_the_service_of_compose_and_loads_the_alerts() -> None:
    config = yaml.safe_load((DEPLOY / "prometheus/prometheus.yml").read_text())
    (scrape,) = config["scrape_configs"]
    assert scrape["job_name"] == "ocr"
    assert scrape["static_configs"][0]["targets"] == [f"ocr:{COMPOSE['services']['ocr']['environment']['PORT']}"]
    assert config["rule_files"] == ["alerts.yml"]


@pytest.mark.parametrize("name", ["prometheus", "grafana"])
def test_observability_is_asked_for_pinned_and_open_to_this_machine_only(name: str) -> None:
    service = COMPOSE["services"][name]
    assert service["profiles"] == ["observability"]
    assert re.search(r":v?\d+\.\d+\.\d+$", service["image"])
    assert all(port.startswith("127.0.0.1:") for port in service["ports"])
    for mount in service["volumes"]:
        source = mount.split(":")[0]
        assert (ROOT / source).exists() if source.startswith("./") else source in COMPOSE["volumes"]
