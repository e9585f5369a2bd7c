"""Kustomizations rendered as the tests need them: by ``kubectl kustomize``, or by kustomize itself."""

import functools
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import yaml

Manifest = dict[str, Any]

ROOT = Path(__file__).parents[3]
K8S = ROOT / "deploy" / "k8s"
OVERLAYS = tuple(sorted(path.parent.name for path in (K8S / "overlays").glob("*/kustomization.yaml")))
COMPONENTS = tuple(sorted(path.parent.name for path in (K8S / "components").glob("*/kustomization.yaml")))
NATIVE = ("v1", "apps", "batch", "autoscaling", "networking.k8s.io", "policy")
"""API groups that every cluster has."""


def rendered_text(folder: Path) -> str:
    """The manifests of the kustomization in ``folder``."""
    result = subprocess.run([*_command(), str(folder)], capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, result.stderr
    assert not result.stderr, result.stderr
    return result.stdout


@functools.cache
def overlay_text(name: str) -> str:
    """An overlay's manifests."""
    return rendered_text(K8S / "overlays" / name)


def overlay(name: str) -> list[Manifest]:
    """An overlay's manifests, parsed; a fresh copy each time."""
    return parsed(overlay_text(name))


def with_components(folder: Path, names: Iterable[str], *, on: str = "base") -> str:
    """The manifests of the base (or of an overlay) with some components, by a kustomization made in ``folder``."""
    relative = Path(os.path.relpath(K8S, folder.resolve()))
    content = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": [str(relative / on)],
        "components": [str(relative / "components" / name) for name in names],
    }
    (folder / "kustomization.yaml").write_text(yaml.safe_dump(content))
    return rendered_text(folder)


def parsed(text: str) -> list[Manifest]:
    """Every document of ``text``."""
    return [document for document in yaml.load_all(text, Loader=_Loader) if document]


def is_native(manifest: Manifest) -> bool:
    """Whether Kubernetes itself defines this kind."""
    return str(manifest["apiVersion"]).split("/")[0] in NATIVE


_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _command() -> list[str]:
    own = Path(sys.executable).parent
    for name, arguments in (("kubectl", ["kustomize"]), ("kustomize", ["build"])):
        found = shutil.which(name, path=f"{own}{os.pathsep}{os.environ.get('PATH', '')}")
        if found:
            return [found, *arguments]
    if os.environ.get("CI") == "true":
        pytest.fail("There is no kubectl: scripts/ensure-kubectl.sh was to install one.")
    pytest.skip("There is no kubectl; scripts/ensure-kubectl.sh says more.")
