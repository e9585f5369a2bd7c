"""``CONSILIUM_DATA_DIR/postgres`` as a link to another disk: nothing begins anew because of where it leads."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from consilium.main import app
from tests.ports import free_port

run = CliRunner().invoke


@pytest.fixture
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder of its own."""
    folder = tmp_path / "data"
    folder.mkdir()
    monkeypatch.setenv("CONSILIUM_DATA_DIR", str(folder))
    monkeypatch.setenv("CONSILIUM_PORT", str(free_port()))
    return folder


@pytest.mark.parametrize("there", [True, False])
def test_an_unfinished_restore_is_found_beside_what_a_link_leads_to(there: bool, data_dir: Path) -> None:
    disk = data_dir / "disk"
    (disk / "postgres.restoring").mkdir(parents=True)
    if there:
        (disk / "pg").mkdir()
    (data_dir / "postgres").symlink_to(disk / "pg")
    result = run(app, ["run"])
    assert (result.exit_code, "A restore did not come to its end" in result.output) == (1, True)
    assert not (disk / "pg" / "PG_VERSION").exists()
    assert "a restore did not come to its end" in run(app, ["doctor"]).output


@pytest.mark.parametrize("target", ["not-mounted/pg", "postgres"])
def test_a_link_that_leads_nowhere_is_not_followed_by_an_empty_start(target: str, data_dir: Path) -> None:
    (data_dir / "postgres").symlink_to(target)
    for command in (["run"], ["backup", str(data_dir.parent / "b")]):
        result = run(app, command)
        assert (result.exit_code, "a link to what is not there" in result.output) == (1, True), result.output
    assert not (data_dir / "not-mounted").exists()
    assert "a link to what is not there" in run(app, ["doctor"]).output
