"""`make release` and `make release ARGS='prepare X.Y.Z'` on a small project."""

import hashlib
import subprocess
import tomllib
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from tests.unit.tools.release.installation import files
from tests.unit.tools.release.project import CHANGELOG, git, project, write
from tools.release import changelog, distributions, images
from tools.release.__main__ import prepare, release
from tools.release.making import exported
from tools.release.versions import Version, own_version

TODAY = date(2026, 1, 3)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = project(tmp_path)
    (root / "dist").mkdir()
    return root


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> None:
    """Builds that cost nothing; no container engine."""

    def build(source: Path, target: Path, epoch: int) -> list[Path]:
        assert not (source / "dist").exists()
        project, lock = (tomllib.loads((source / name).read_text()) for name in ("pyproject.toml", "uv.lock"))
        version = project["project"]["version"]
        assert [package["version"] for package in lock["package"]] == ["0.2.0", version]
        (target / f"consilium-{version}.whl").write_text(f"{epoch > 0}")
        return [target / f"consilium-{version}.whl"]

    monkeypatch.setattr(distributions, "build", build)
    monkeypatch.setattr(distributions, "environment", lambda source, folder: files())
    monkeypatch.setattr(images, "engine", lambda: None)


def with_an_engine(monkeypatch: pytest.MonkeyPatch, *, stand_in: bool) -> None:
    def build(program: str, context: Path, service: str, tag: str, origin: images.Origin) -> images.Image:
        assert origin.version == ("0.2.0+rehearsal" if tag == "rehearsal" else tag)
        return images.Image(service, f"consilium/{service}:{tag}", "sha256:1", 1000, stand_in)

    monkeypatch.setattr(images, "engine", lambda: "docker")
    monkeypatch.setattr(images, "build", build)
    monkeypatch.setattr(images, "contents", lambda program, image: files())


@pytest.mark.parametrize(
    "spoil",
    [
        lambda root: (root / "new").write_text("x"),
        lambda root: git(root, "tag", "v0.2.0"),
        lambda root: write(root, "CHANGELOG.md", CHANGELOG.replace("0.2.0", "0.1.0")),
        lambda root: (root / "dist" / "0.2.0").mkdir(),
    ],
)
@pytest.mark.usefixtures("built")
def test_nothing_is_tested_or_built_while_something_stands_against_it(
    root: Path, spoil: Callable[[Path], object], capsys: pytest.CaptureFixture[str]
) -> None:
    spoil(root)
    assert release(root, TODAY, tests=True, rehearsal=False) == 1
    assert capsys.readouterr().out.startswith("No release:\n  - ")
    assert [path for path in (root / "dist").rglob("*") if path.is_file()] == []


@pytest.mark.usefixtures("built")
def test_failing_tests_stop_a_release_and_skipped_ones_are_told(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(root, "broken", "")
    assert release(root, TODAY, tests=True, rehearsal=False) == 1
    assert "The tests fail." in capsys.readouterr().out
    assert not (root / "dist" / "0.2.0").exists()
    release(root, TODAY, tests=False, rehearsal=False)
    assert "Tests were skipped" in capsys.readouterr().out


@pytest.mark.usefixtures("built")
def test_without_a_container_engine_the_rest_is_made_and_what_is_missing_is_said(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert release(root, TODAY, tests=True, rehearsal=False) == 1
    assert "NOT BUILT: the images and their inventories" in capsys.readouterr().out
    made = {path.name for path in (root / "dist" / "0.2.0").iterdir()}
    assert made == {
        *("consilium-0.2.0.whl", "consilium-0.2.0.cdx.json", "consilium-0.2.0.licences.tsv"),
        *("NOTES.md", "IMAGES.txt", "SHA256SUMS"),
    }


@pytest.mark.usefixtures("built")
def test_a_release_has_an_inventory_of_every_image_and_checksums_and_is_not_pushed(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with_an_engine(monkeypatch, stand_in=False)
    assert release(root, TODAY, tests=True, rehearsal=False) == 0
    said = capsys.readouterr().out
    assert "Nothing was pushed." in said
    assert "git tag --sign v0.2.0" in said
    folder = root / "dist" / "0.2.0"
    assert len(list(folder.glob("consilium-*-0.2.0.cdx.json"))) == len(images.SERVICES)
    assert (folder / "IMAGES.txt").read_text().startswith("consilium/referrals:0.2.0 sha256:1\n")
    assert (folder / "NOTES.md").read_text() == "### Added\n- Something.\n"
    for line in (folder / "SHA256SUMS").read_text().splitlines():
        digest, _, name = line.partition("  ")
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest


@pytest.mark.usefixtures("built")
def test_images_on_a_stand_in_may_be_rehearsed_and_not_released(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with_an_engine(monkeypatch, stand_in=True)
    assert release(root, TODAY, tests=False, rehearsal=False) == 1
    assert "consilium/gateway:0.2.0 stands on a stand-in" in capsys.readouterr().out
    (root / "new").write_text("x")
    assert release(root, TODAY, tests=False, rehearsal=True) == 0
    said = capsys.readouterr().out
    assert "Against a release: The working tree differs" in said
    assert "consilium/gateway:rehearsal stands on a stand-in" in said
    assert "A rehearsal" in said


@pytest.mark.usefixtures("built")
def test_what_a_rehearsal_makes_is_called_one_and_small_files_have_a_size(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert release(root, TODAY, tests=False, rehearsal=True) == 0
    names = {path.name for path in (root / "dist" / "rehearsal").iterdir()}
    assert names - {"NOTES.md", "IMAGES.txt", "SHA256SUMS"} == {
        *("consilium-0.2.0+rehearsal.whl", "consilium-0.2.0+rehearsal.cdx.json"),
        "consilium-0.2.0+rehearsal.licences.tsv",
    }
    said = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["0", "bytes", "IMAGES.txt"] in said
    with_an_engine(monkeypatch, stand_in=False)
    release(root, TODAY, tests=False, rehearsal=True)
    assert (root / "dist" / "rehearsal" / "consilium-gateway-0.2.0+rehearsal.cdx.json").exists()
    assert "1 kB  image consilium/gateway:rehearsal" in capsys.readouterr().out


@pytest.mark.usefixtures("built")
def test_a_build_that_fails_leaves_nothing_behind_and_says_what_it_said(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def build(*arguments: object) -> images.Image:
        raise subprocess.CalledProcessError(1, ["docker", "build"], "", "no such stage")

    with_an_engine(monkeypatch, stand_in=False)
    monkeypatch.setattr(images, "build", build)
    assert release(root, TODAY, tests=False, rehearsal=False) == 1
    assert "docker build ended with 1.\nno such stage" in capsys.readouterr().out.replace("\n\n", "\n")
    assert not (root / "dist" / "0.2.0").exists()


def test_a_release_is_built_from_the_commit_and_not_from_what_lies_around(root: Path, tmp_path: Path) -> None:
    (root / "pyproject.toml").write_text("changed")
    (root / "secret").write_text("lies around")
    source = exported(root, tmp_path / "source")
    assert own_version(source) == Version(0, 2, 0)
    assert not (source / "secret").exists()


def test_preparing_writes_the_version_everywhere_and_the_day_into_the_changelog(root: Path) -> None:
    write(root, "scripts/uv.sh", '#!/bin/sh\necho "$@" > lock\n')
    (root / "scripts/uv.sh").chmod(0o755)
    assert prepare(root, Version(0, 3, 0), TODAY) == 1, "nothing is unreleased"
    (root / "CHANGELOG.md").write_text(CHANGELOG.replace("ed]\n", "ed]\n\n### Fixed\n- More.\n", 1))
    assert prepare(root, Version(0, 3, 0), TODAY) == 0
    assert own_version(root) == Version(0, 3, 0)
    assert (root / "lock").read_text() == "lock --quiet\n"
    assert changelog.read(root)[1].version == Version(0, 3, 0)
