"""What the scripts that bring the tests' programs do on a machine that has none of them."""

import os
import subprocess
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[3] / "scripts"
COREUTILS = ("cat", "chmod", "env", "mkdir", "mktemp", "rm", "sh", "tee")
DOWNLOADS = 'case "$*" in *download*) : >prometheus_1_all.deb ;; esac'
INSTALLS = '[ "$1" = -m ] && : >"$FOLDER/promtool" && chmod 755 "$FOLDER/promtool"'


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """The one folder of a root's PATH: stand-ins of what brings programs, which note in ``asked`` that they were."""
    for name in COREUTILS:
        (tmp_path / name).symlink_to(f"/usr/bin/{name}")
    for name, does in {
        "apt-get": DOWNLOADS,
        "dpkg-deb": "",
        "tar": "",
        "install": INSTALLS,
        "id": "echo 0",
    }.items():
        program = tmp_path / name
        program.write_text(f'#!/bin/sh\necho "{name} $*" >>"$FOLDER/asked"\n{does}\n')
        program.chmod(0o755)
    return tmp_path


def run(script: str, machine: Path) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": str(machine), "FOLDER": str(machine), "CI": "true", "TMPDIR": str(machine)}
    return subprocess.run(
        ["/bin/sh", str(SCRIPTS / script)], env=environment, capture_output=True, text=True, timeout=20, check=False
    )


def asked(machine: Path) -> list[str]:
    return [line.split()[0] for line in (machine / "asked").read_text().splitlines()]


def test_promtool_is_fetched_once_and_installed(machine: Path) -> None:
    done = run("ensure-promtool.sh", machine)
    assert done.returncode == 0, done.stderr
    # the two in the middle are a pipe: either may begin
    assert sorted(asked(machine)) == sorted(["id", "apt-get", "dpkg-deb", "tar", "install"])
    assert os.access(machine / "promtool", os.X_OK)


def test_what_cannot_be_installed_fails_in_ci_and_is_told(machine: Path) -> None:
    (machine / "install").write_text("#!/bin/sh\nexit 1\n")
    done = run("ensure-promtool.sh", machine)
    assert done.returncode == 1
    assert "NOT be tried" in done.stderr


@pytest.mark.parametrize("script", sorted(one.name for one in SCRIPTS.glob("*.sh")))
def test_no_function_takes_the_name_of_a_program(script: str) -> None:
    """In a function of its own name, a program is the function again, without end."""
    defined = {line.split("(")[0] for line in (SCRIPTS / script).read_text().splitlines() if line.endswith("() {")}
    assert defined.isdisjoint({"install", "test", "time", "make", "tar", "find", "id", "env", "docker", "sort"})
