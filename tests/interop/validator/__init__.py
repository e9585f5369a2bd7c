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

_FOLDER = Path(__file__).parent
PROFILES: list[Resource] = json.loads((_FOLDER / "us-core.json").read_text(encoding="utf-8"))


def findings(cases: Iterable[tuple[Resource, list[str]]]) -> list[list[str]]:
    """What is found in each resource by R4 and by the profiles named beside it (URLs out of ``PROFILES``).

    Each finding is ``severity code expression: text``. Without Node, or without the packages that
    ``scripts/ensure-node.sh`` fetches, the test is skipped, and with ``CI=true`` it fails."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    node = shutil.which("node", path=path)
    if node is None or not (_FOLDER / "node_modules").is_dir():
        text = f"{NO_NODE}: run scripts/ensure-node.sh"
        if os.environ.get("CI") == "true":
            pytest.fail(text, pytrace=False)
        pytest.skip(text)
    asked = {"profiles": PROFILES, "cases": [{"resource": one, "profiles": urls} for one, urls in cases]}
    done = subprocess.run([node, _FOLDER / "validate.mjs"], input=dumps(asked), capture_output=True, timeout=110)
    assert done.returncode == 0, done.stderr.decode()
    told: list[list[str]] = json.loads(done.stdout)
    return told
