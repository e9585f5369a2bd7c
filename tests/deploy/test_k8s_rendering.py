"""Every overlay and component renders, fits the schemas of Kubernetes and leaves checkov nothing to say.

Both checkers are big, so they stay outside the project's environment: uv runs them, pinned, in one of their own."""

import json
import os
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

from tests.deploy.k8s.custom_resources import violations
from tests.deploy.k8s.rendering import (
    COMPONENTS,
    OVERLAYS,
    ROOT,
    is_native,
    overlay,
    overlay_text,
    parsed,
    with_components,
)
from tests.deploy.k8s.workloads import workloads

VALIDATE = ("kubernetes-validate", "1.37.0")
CHECKOV = ("checkov", "3.3.30")
VERSIONS = ("1.31", "1.37")
"""The oldest Kubernetes that knows every field that we use, and the newest whose schemas are known."""
PLANTED = "planted.yaml"
WAIVER = re.compile(r"CKV2?_K8S_\d+=.{20,}", re.DOTALL)


def run(tool: tuple[str, str], *arguments: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    name, version = tool
    command = [ROOT / "scripts" / "uv.sh", "--quiet", "tool", "run", "--from", f"{name}=={version}", name, *arguments]
    environment = os.environ | {"CKV_SKIP_PACKAGE_UPDATE_CHECK": "true"}
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=280)


@pytest.fixture(scope="module")
def renderings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what checkers read: each overlay, and one with faults."""
    folder = tmp_path_factory.mktemp("renderings")
    for name in OVERLAYS:
        (folder / f"{name}.yaml").write_text(overlay_text(name))
    faulty = next(one for one in overlay("prod") if one["kind"] == "Deployment")
    pod = faulty["spec"]["template"]["spec"]
    pod["hostNetwork"] = True
    pod["containers"][0]["readynessProbe"] = {}
    (folder / PLANTED).write_text(yaml.safe_dump(faulty))
    return folder


@pytest.mark.parametrize("name", COMPONENTS)
def test_a_component_renders_on_the_base_alone(name: str, tmp_path: Path) -> None:
    manifests = parsed(with_components(tmp_path, [name]))
    assert list(violations(manifests)) == []


def test_every_component_is_used_or_rendered_by_the_checks() -> None:
    used = {
        Path(component).name
        for name in OVERLAYS
        for component in yaml.safe_load((ROOT / "deploy/k8s/overlays" / name / "kustomization.yaml").read_text())[
            "components"
        ]
    }
    assert set(COMPONENTS) - used == {"gateway-api", "external-secrets"}


@pytest.mark.timeout(300)
@pytest.mark.parametrize("version", VERSIONS)
def test_manifests_fit_the_schemas_of_kubernetes_strictly(version: str, renderings: Path, tmp_path: Path) -> None:
    # what overlays share is validated once
    native = {yaml.safe_dump(one) for name in OVERLAYS for one in overlay(name) if is_native(one)}
    (tmp_path / "native.yaml").write_text("---\n".join(sorted(native)))
    result = run(VALIDATE, "--strict", "-k", version, "native.yaml", str(renderings / PLANTED), cwd=tmp_path)
    told = (result.stdout + result.stderr).splitlines()
    assert [line for line in told if "native.yaml" in line and "passed" not in line] == []
    assert len([line for line in told if "native.yaml" in line]) == len(native)
    assert any("readynessProbe" in line for line in told)


# seconds of work, but a machine without them in its cache fetches 100 packages first
@pytest.mark.timeout(300)
def test_checkov_finds_nothing_but_what_is_planted(renderings: Path) -> None:
    files = sorted(path.name for path in renderings.glob("*.yaml"))
    # nothing is asked of its maker's server, and nothing told to it
    result = run(
        CHECKOV, "--framework", "kubernetes", "--skip-download", "--quiet", "-o", "json", "-f", *files, cwd=renderings
    )
    report = json.loads(result.stdout)
    found = {
        (Path(one["file_path"]).name, one["check_id"], one["resource"]) for one in report["results"]["failed_checks"]
    }
    assert {one for one in found if one[0] != PLANTED} == set()
    assert (PLANTED, "CKV_K8S_19") in {one[:2] for one in found}
    assert report["summary"]["passed"] > 2000
    assert report["summary"]["parsing_errors"] == 0


@pytest.mark.parametrize("name", OVERLAYS)
def test_a_waiver_says_why(name: str) -> None:
    for workload in workloads(overlay(name)):
        annotations = workload.manifest["metadata"].get("annotations", {})
        waivers = [value for key, value in annotations.items() if key.startswith("checkov.io/skip")]
        assert all(WAIVER.fullmatch(value) for value in waivers), workload.name


def test_ci_fails_where_nothing_renders(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("sys.executable", str(tmp_path / "python"))
    monkeypatch.setitem(os.environ, "PATH", str(tmp_path))
    monkeypatch.setitem(os.environ, "CI", "true")
    with pytest.raises(pytest.fail.Exception, match="ensure-kubectl"):
        with_components(tmp_path, [])
    monkeypatch.delitem(os.environ, "CI")
    with pytest.raises(pytest.skip.Exception):
        with_components(tmp_path, [])


def test_every_dashboard_comes_along() -> None:
    dashboards = next(one for one in overlay("prod") if one["metadata"]["name"] == "dashboards")
    assert set(dashboards["data"]) == {path.name for path in (ROOT / "deploy/observability/dashboards").glob("*.json")}


def test_versions_are_those_of_compose_and_of_the_project() -> None:
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"].values()
    known = dict(service["image"].rsplit(":", 1) for service in compose)
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    for workload in [one for name in OVERLAYS for one in workloads(overlay(name))]:
        (container,) = workload.containers
        image, _, tag = container["image"].partition("@")[0].rpartition(":")
        assert tag == (version if workload.ours else known[image]), workload.name
        if workload.ours:
            assert workload.labels["app.kubernetes.io/version"] == version
        if workload.manifest["kind"] == "Job":
            assert workload.name == f"Job {workload.service}-migrate-{version}"
