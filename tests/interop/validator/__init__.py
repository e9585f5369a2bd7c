"""An independent validator, ``@medplum/core`` on Node (https://www.medplum.com/docs/fhir-datastore/profiles)."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from shared.fhir.json import Resource, dumps
from tests.conftest import NO_NODE

FOLDER = Path(__file__).parent
"""Where Node finds the packages of others."""
PROFILES: list[Resource] = json.loads((FOLDER / "us-core.json").read_text(encoding="utf-8"))


def required_node() -> str:
    """Node. Without it, or without the packages that ``scripts/ensure-node.sh`` fetches, the test is skipped, and with
    ``CI=true`` it fails."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    node = shutil.which("node", path=path)
    if node is None or not (FOLDER / "node_modules").is_dir():
        text = f"{NO_NODE}: run scripts/ensure-node.sh"
        if os.environ.get("CI") == "true":
            pytest.fail(text, pytrace=False)
        pytest.skip(text)
    return node


def findings(cases: Iterable[tuple[Resource, list[str]]]) -> list[list[str]]:
    """What is found in each resource by R4 and by the profiles named beside it (URLs out of ``PROFILES``).

    Each finding is ``severity code expression: text``. Needs ``required_node``."""
    node = required_node()
    asked = {"profiles": PROFILES, "cases": [{"resource": one, "profiles": urls} for one, urls in cases]}
    done = subprocess.run([node, FOLDER / "validate.mjs"], input=dumps(asked), capture_output=True, timeout=110)
    assert done.returncode == 0, done.stderr.decode()
    told: list[list[str]] = json.loads(done.stdout)
    return told
