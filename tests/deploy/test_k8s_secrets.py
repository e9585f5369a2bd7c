"""The script that makes a development cluster's Secrets, against a kubectl that only remembers."""

import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.deploy.k8s.rendering import K8S, overlay
from tests.deploy.k8s.workloads import of_kind, workloads

SCRIPT = K8S / "overlays" / "dev" / "secrets.sh"
KUBECTL = """#!/bin/sh
for last; do :; done
case "$*" in
  *" get --output=jsonpath={.data.password} secret "*)
    sed -n 's/.*--from-literal=password=\\([0-9a-f]*\\).*/\\1/p' "$MADE/$last" | tr -d '\\n' | base64 ;;
  *" get "*) [ -e "$MADE/$last" ] ;;
  *" create configmap "*) echo "$*" >"$MADE/$5" ;;
  *" create secret "*) echo "$*" >"$MADE/$6" ;;
esac
"""
"""Its arguments are: --namespace consilium create secret generic NAME ..."""

Run = Callable[[], "subprocess.CompletedProcess[str]"]


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """A folder with a file for each thing that was made: how it was made."""
    folder = tmp_path / "made"
    folder.mkdir()
    return folder


@pytest.fixture
def run(tmp_path: Path, made: Path) -> Run:
    (tmp_path / "kubectl").write_text(KUBECTL)
    (tmp_path / "kubectl").chmod(0o755)
    environment = os.environ | {
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "MADE": str(made),
        "CONSILIUM_DATA_DIR": str(tmp_path / "data"),
    }
    return lambda: subprocess.run([SCRIPT], env=environment, capture_output=True, text=True, timeout=30)


@pytest.fixture
def keys(tmp_path: Path) -> None:
    (tmp_path / "data" / "keys").mkdir(parents=True)
    (tmp_path / "data" / "keys" / "jwks.json").write_text("{}")


@pytest.mark.usefixtures("keys")
def test_everything_that_pods_refer_to_is_made(run: Run, made: Path) -> None:
    assert run().returncode == 0
    maps = {one["metadata"]["name"] for one in of_kind(overlay("dev"), "ConfigMap")}
    assert referred() - maps == {path.name for path in made.iterdir()}


@pytest.mark.usefixtures("keys")
def test_a_second_run_changes_nothing(run: Run, made: Path) -> None:
    run()
    first = {path.name: path.read_text() for path in made.iterdir()}
    assert run().returncode == 0
    assert {path.name: path.read_text() for path in made.iterdir()} == first


@pytest.mark.usefixtures("keys")
def test_services_and_postgres_are_told_the_same_password(run: Run, made: Path) -> None:
    run()
    found = {path.name: re.findall(r"password=([0-9a-f]{48})\b", path.read_text()) for path in made.iterdir()}
    names = ("postgres-superuser", "referrals-database", "careplans-database", "notifications-database")
    assert len({tuple(found[name]) for name in names}) == 1
    (password,) = found["rabbitmq-default-user"]
    assert (
        f"connection_string=amqp://consilium:{password}@rabbitmq:5672/" in (made / "rabbitmq-default-user").read_text()
    )
    assert [password] != found["postgres-superuser"]


@pytest.mark.usefixtures("keys")
@pytest.mark.parametrize("left", ["postgres-superuser", "careplans-database"])
def test_what_an_interrupted_run_did_not_make_is_made_with_the_same_password(run: Run, made: Path, left: str) -> None:
    run()
    first = {path.name: path.read_text() for path in made.iterdir()}
    for path in made.iterdir():
        if path.name != left:
            path.unlink()
    assert run().returncode == 0
    databases = [name for name in first if name.endswith("-database") or name == "postgres-superuser"]
    assert len(databases) == 4
    assert {name: (made / name).read_text() for name in databases} == {name: first[name] for name in databases}


def test_missing_keys_are_told(run: Run) -> None:
    result = run()
    assert result.returncode == 1
    assert "consilium keys" in result.stderr


def referred() -> set[str]:
    """The Secrets and ConfigMaps that some pod cannot start without."""
    names: set[str] = set()
    for workload in workloads(overlay("dev")):
        for container in workload.containers:
            origins = [one.get("valueFrom", {}) for one in container.get("env", [])]
            references = [reference for origin in origins for reference in origin.values()]
            references += [source["configMapRef"] for source in container.get("envFrom", [])]
            names |= {reference["name"] for reference in references if not reference.get("optional")}
        for volume in workload.pod.get("volumes", []):
            names |= {volume["configMap"]["name"]} if "configMap" in volume else set()
            names |= {volume["secret"]["secretName"]} if "secret" in volume else set()
    return names
