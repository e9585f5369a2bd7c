"""What must be true of docker-compose.yml, read as text: no container engine is needed."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docker-compose.yml").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
APART = ("referrals", "careplans", "notifications")
MIGRATIONS = [f"{name}-migrate" for name in APART]
OURS = ["gateway", *APART, *(f"{name}-worker" for name in APART), *MIGRATIONS]
OBSERVABILITY = {"collector", "jaeger", "prometheus", "grafana"}
WITHOUT_HEALTH = {"collector"}
"""Its image holds one program and no other: nothing in it can ask."""

every = pytest.mark.parametrize("name", SERVICES)


@every
def test_a_container_may_do_nothing_that_it_need_not(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "/tmp" in service["tmpfs"]
    assert not {"privileged", "cap_add", "network_mode", "pid", "ipc", "devices"} & service.keys()


@every
def test_no_container_runs_as_root(name: str) -> None:
    if name in OURS:
        assert re.search(r"^USER 65532:65532$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
        assert "user" not in SERVICES[name]
    else:
        uid = SERVICES[name]["user"].partition(":")[0]
        assert int(uid) > 0


@every
def test_a_container_is_limited_and_is_started_again(name: str) -> None:
    limits = SERVICES[name]["deploy"]["resources"]["limits"]
    assert {"cpus", "memory", "pids"} <= limits.keys()
    assert SERVICES[name]["restart"] == ("on-failure" if name in MIGRATIONS else "unless-stopped")


@every
def test_an_image_is_pinned(name: str) -> None:
    image = SERVICES[name]["image"]
    if name in OURS:
        owner = name.removesuffix("-worker").removesuffix("-migrate")
        assert image == f"consilium/{owner}:${{CONSILIUM_VERSION:-dev}}"
        assert SERVICES[name]["pull_policy"] == "never"
    else:
        assert re.fullmatch(r"[a-z/-]+:v?\d+\.\d+(\.\d+)?(-[a-z]+)?", image), image


@every
def test_a_container_that_stays_says_whether_it_is_well(name: str) -> None:
    check = SERVICES[name].get("healthcheck")
    if name in WITHOUT_HEALTH:
        assert check is None
    elif name in MIGRATIONS:
        assert check == {"disable": True}
    else:
        assert check is not None
        assert check["test"][0] == "CMD"
        assert {"interval", "timeout", "retries", "start_period"} <= check.keys()


@every
def test_ports_are_published_on_this_machine_only(name: str) -> None:
    for port in SERVICES[name].get("ports", ()):
        assert re.fullmatch(r"127\.0\.0\.1:\$\{[A-Z]+_PORT:-\d+\}:\d+", port), port


@every
def test_who_needs_another_waits_until_that_one_is_well(name: str) -> None:
    for other, wanted in SERVICES[name].get("depends_on", {}).items():
        if other in MIGRATIONS:
            expected = "service_completed_successfully"
        else:
            expected = "service_started" if other in WITHOUT_HEALTH else "service_healthy"
        assert wanted == {"condition": expected}, other


@pytest.mark.parametrize("name", APART)
def test_a_service_starts_after_its_migrations_and_its_worker_after_the_broker(name: str) -> None:
    for part in (name, f"{name}-worker"):
        assert {"postgres", f"{name}-migrate"} <= SERVICES[part]["depends_on"].keys()
        assert name == part or "rabbitmq" in SERVICES[part]["depends_on"]
    assert set(APART) == SERVICES["gateway"]["depends_on"].keys()


def test_every_image_of_ours_is_built_once() -> None:
    built = [service["build"]["args"]["SERVICE"] for service in SERVICES.values() if "build" in service]
    assert sorted(built) == sorted(["gateway", *APART])


def test_what_has_no_profile_is_the_core() -> None:
    assert {name for name, service in SERVICES.items() if service.get("profiles") == ["observability"]} == OBSERVABILITY
    assert {name for name, service in SERVICES.items() if "profiles" not in service} == {
        *OURS,
        *("postgres", "rabbitmq", "mailpit"),
    }


def test_no_secret_is_fixed_in_the_file() -> None:
    for name, service in SERVICES.items():
        for variable, value in (service.get("environment") or {}).items():
            if re.search(r"PASS|SECRET|TOKEN", variable):
                assert re.fullmatch(r"\$\{[A-Z]+_PASSWORD:-consilium\}", value), (name, variable)
            assert not re.search(r"://\w+:(?!\$\{)[^@]+@", str(value)), (name, variable)


def test_every_file_that_is_mounted_is_there() -> None:
    mounted = re.findall(r"[ \"](\./[^:\s]+):/[^:\s]+:ro", TEXT)
    assert len(mounted) >= 5
    for path in mounted:
        assert (ROOT / path).exists(), path


def test_every_volume_is_declared() -> None:
    used = {
        volume.partition(":")[0]
        for service in SERVICES.values()
        for volume in service.get("volumes", ())
        if not volume.startswith("./")
    }
    assert used == COMPOSE["volumes"].keys()


def test_only_public_keys_are_mounted() -> None:
    assert COMPOSE["configs"] == {"jwks": {"file": "${CONSILIUM_DATA_DIR:-.consilium}/keys/jwks.json"}}
    assert "signing.pem" not in TEXT


def test_processes_get_the_time_they_need_to_end() -> None:
    for name in OURS:
        assert SERVICES[name]["stop_grace_period"] == "15s"


def test_every_published_port_is_told_with_the_variable_that_changes_it() -> None:
    told = [line for line in (ROOT / "README.md").read_text().splitlines() if line.startswith("|")]
    published = re.findall(r"127\.0\.0\.1:\$\{(\w+):-(\d+)\}:\d+", TEXT)
    assert len(published) == sum(len(service.get("ports", ())) for service in SERVICES.values())
    for variable, port in published:
        # Linux gives those above to outgoing connections (ip_local_port_range), and the bind fails by chance
        assert int(port) < 32768, variable
        assert any(f"`{variable}`" in line and f":{port} " in line for line in told), variable
