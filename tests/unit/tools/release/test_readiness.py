"""What stands against a release."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from tests.unit.tools.release.project import CHANGELOG, OVERLAY, git, project, write
from tools.release.readiness import objections
from tools.release.versions import Version

TODAY = date(2026, 1, 3)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return project(tmp_path)


def against(root: Path, version: Version = Version(0, 2, 0)) -> str:
    return "\n".join(objections(root, version, TODAY))


def test_a_clean_commit_with_a_dated_entry_may_be_released(root: Path) -> None:
    assert against(root) == ""


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda root: (root / "pyproject.toml").write_text("x"), "differs from its commit in 1 files"),
        (lambda root: (root / "new").write_text("x"), "differs from its commit"),
        (lambda root: git(root, "switch", "--create", "other"), "this is other"),
        (lambda root: git(root, "switch", "--detach"), "this is no branch"),
        (lambda root: git(root, "tag", "v0.2.0"), "v0.2.0 exists"),
        (lambda root: git(root, "tag", "v0.10.0"), "is below 0.10.0"),
        (lambda root: write(root, "CHANGELOG.md", CHANGELOG.replace("0.2.0", "0.1.0")), "no section for 0.2.0"),
        (lambda root: write(root, "CHANGELOG.md", CHANGELOG.replace("2026-01-02", "2026-01-04")), "has not come yet"),
        (lambda root: write(root, "CHANGELOG.md", CHANGELOG.replace("- Something.", "")), "tells nothing"),
        (lambda root: write(root, "CHANGELOG.md", CHANGELOG.replace(" - 2026-01-02", "")), "line 5"),
        (lambda root: write(root, "docs/operations/upgrade.md", "| 0.1.0 | nothing |"), "no row for 0.2.0"),
        (
            lambda root: write(root, "CHANGELOG.md", CHANGELOG.replace("ed]\n", "ed]\n\n### Fixed\n- More.\n", 1)),
            "unreleased entries",
        ),
        (
            lambda root: write(root, "deploy/a.yaml", OVERLAY.replace("newTag: 0.2.0", "newTag: 0.1.0")),
            "deploy/a.yaml:4 names 0.1.0 instead of 0.2.0",
        ),
    ],
)
def test_what_stands_against_a_release_is_said(root: Path, spoil: Callable[[Path], object], said: str) -> None:
    spoil(root)
    assert said in against(root)


def test_an_older_release_and_somebodys_own_tag_do_not_stand_against_it(root: Path) -> None:
    git(root, "tag", "v0.1.9")
    git(root, "tag", "very-old")
    assert against(root) == ""
