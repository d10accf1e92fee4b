"""compose.cluster.yaml and the Kubernetes example name only what exists, and give nodes the time that they need."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from config.documentation import documented
from config.environment import from_environment
from config.settings import Settings

ROOT = Path(__file__).parents[2]
COMPOSE = yaml.safe_load((ROOT / "compose.cluster.yaml").read_text())
SERVICES = COMPOSE["services"]
NODES = ("migrate", "api", "worker")
MANIFESTS = list(
    yaml.safe_load_all((ROOT / "docs/cluster.md").read_text().split("```yaml\n", 1)[1].split("\n```", 1)[0])
)
VARIABLES = {setting.variable for setting in documented()}


def environment(node: str) -> dict[str, str]:
    """The variables of a node as compose would give them, defaults filled in."""
    values = {name: str(value) for name, value in SERVICES[node]["environment"].items()}
    return {name: re.sub(r"\$\{\w+:[-?]([^}]*)\}", r"\1", value) for name, value in values.items()}


@pytest.mark.parametrize("node", NODES)
def test_a_node_of_compose_is_given_settings_that_it_understands(node: str) -> None:
    assert set(environment(node)) <= {*VARIABLES, "FORWARDED_ALLOW_IPS", "TMPDIR"}  # uvicorn's, and the system's
    settings = from_environment(environment(node))
    assert settings.database_url.startswith("postgresql://")
    assert settings.role == (node if node in ("api", "worker") else "all")


def test_what_compose_fixes_is_named_where_it_says_that_settings_go_into_the_file() -> None:
    comment = (ROOT / "compose.cluster.yaml").read_text().split("\nx-node:")[0]
    fixed = {
        name
        for node in NODES
        for name, value in SERVICES[node]["environment"].items()
        if not str(value).startswith(f"${{{name}:-")
    }
    assert fixed == {"DATABASE_URL", "ROLE", "HOST", "PORT", "FORWARDED_ALLOW_IPS", "TMPDIR"}
    _, exceptions = comment.split("but for those")
    assert fixed <= set(re.findall(r"[A-Z_]+", exceptions))


@pytest.mark.parametrize("node", ["api", "worker"])
def test_a_node_of_compose_may_drain_before_it_is_killed(node: str) -> None:
    assert int(SERVICES[node]["stop_grace_period"].removesuffix("s")) >= Settings().drain_seconds + 10


def test_everything_that_compose_refers_to_is_there() -> None:
    for name, service in SERVICES.items():
        assert ("image" in service) or ("build" in service), name
        for other, condition in service.get("depends_on", {}).items():
            assert other in SERVICES
            has_end = SERVICES[other].get("restart") == "no"
            wanted = "service_completed_successfully" if has_end else "service_healthy"
            assert condition["condition"] == wanted
        for mount in service.get("volumes", []):
            assert mount.split(":")[0] in COMPOSE["volumes"]


def test_only_the_proxy_can_be_reached_from_outside_and_it_reaches_api_nodes_only() -> None:
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["proxy"]
    assert {name for name, service in SERVICES.items() if "front" in service["networks"]} == {"api", "proxy"}
    assert "back" not in SERVICES["proxy"]["networks"]
    assert {network for service in SERVICES.values() for network in service["networks"]} == set(COMPOSE["networks"])


def test_api_nodes_and_nobody_else_take_the_proxys_word_for_a_clients_address() -> None:
    trusting = {name for name, service in SERVICES.items() if "FORWARDED_ALLOW_IPS" in service.get("environment", {})}
    assert trusting == {"api"}


def test_whoever_is_waited_for_or_asked_from_outside_has_a_health_check() -> None:
    # an image of ours brings its own
    unchecked = {name for name, service in SERVICES.items() if "healthcheck" not in service and "build" not in service}
    assert unchecked == set()


@pytest.mark.parametrize("manifest", [each for each in MANIFESTS if each["kind"] == "Deployment"])
def test_a_deployment_of_the_example_is_given_settings_that_there_are_and_time_to_drain(
    manifest: dict[str, Any],
) -> None:
    pod = manifest["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert {variable["name"] for variable in container["env"]} <= VARIABLES
    assert pod["terminationGracePeriodSeconds"] >= Settings().drain_seconds + 10
    assert manifest["spec"]["selector"]["matchLabels"] == manifest["spec"]["template"]["metadata"]["labels"]


def test_the_autoscaler_of_the_example_asks_for_a_figure_that_there_is() -> None:
    from app.http.responses.schemas import QueueView

    (scaled,) = (each for each in MANIFESTS if each["kind"] == "ScaledObject")
    (trigger,) = scaled["spec"]["triggers"]
    assert trigger["metadata"]["valueLocation"] in QueueView.__struct_fields__
    assert scaled["spec"]["scaleTargetRef"]["name"] in {each["metadata"]["name"] for each in MANIFESTS}
