"""One version, and the files that repeat it."""

from pathlib import Path

import pytest

from tests.unit.tools.release.project import project
from tools.release.versions import Version, mentions, own_version, parse_version, write_version

PROJECT = Path(__file__).parents[4]


def test_every_file_of_the_deployment_names_the_projects_version() -> None:
    found = {mention.version for mention in mentions(PROJECT)}
    assert found == {str(own_version(PROJECT))}


@pytest.mark.parametrize("text", ["1", "1.2", "1.2.3.4", "01.2.3", "1.2.3rc1", "1.2.3-rc.1", "v1.2.3", "", "1.2.3\n"])
def test_three_numbers_and_nothing_else_are_a_version(text: str) -> None:
    with pytest.raises(ValueError, match=r"MAJOR\.MINOR\.PATCH"):
        parse_version(text)


def test_versions_are_ordered_as_numbers() -> None:
    assert parse_version("0.10.0") > parse_version("0.9.12")
    assert str(parse_version("0.10.0")) == "0.10.0"


def test_a_version_is_written_where_it_is_repeated_and_nowhere_else(tmp_path: Path) -> None:
    root = project(tmp_path)
    changed = write_version(root, Version(0, 3, 0))
    assert sorted(path.as_posix() for path in changed) == [
        "deploy/k8s/components/version/kustomization.yaml",
        "deploy/k8s/overlays/prod/kustomization.yaml",
        "pyproject.toml",
    ]
    assert own_version(root) == Version(0, 3, 0)
    assert [mention.version for mention in mentions(root)] == ["0.3.0", "0.3.0"]
    assert 'version = "7"' in (root / "pyproject.toml").read_text()
    assert "newTag: 17.5-bookworm" in (root / changed[-1]).read_text()


@pytest.mark.parametrize("form", ["{}", "${{CONSILIUM_VERSION:-{}}}"])
def test_a_compose_file_repeats_the_version_in_its_images(tmp_path: Path, form: str) -> None:
    root = project(tmp_path)
    tag = form.format("0.2.0")
    (root / "docker-compose.yml").write_text(f"services:\n  a:\n    image: consilium/referrals:{tag}\n")
    write_version(root, Version(1, 0, 0))
    assert (root / "docker-compose.yml").read_text().count(form.format("1.0.0")) == 1
