"""What the backup commands refuse at once, and what pruning keeps."""

import fcntl
import shutil
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import pytest
from typer.testing import CliRunner

from consilium.backup import making, restoring
from consilium.backup.archiving import ArchiveSettings, archiving
from consilium.backup.contents import Backup
from consilium.backup.making import _made_beside
from consilium.backup.pruning import prune
from consilium.main import app
from shared.process.mistakes import Mistake
from tests.ports import free_port

run = CliRunner().invoke


@pytest.fixture(autouse=True)
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder of its own."""
    monkeypatch.setenv("CONSILIUM_DATA_DIR", str(tmp_path / "data"))
    return tmp_path / "data"


@pytest.mark.parametrize("command", [["backup", "dest"], ["restore", "source"]])
def test_a_database_of_your_own_is_left_to_its_own_tools(monkeypatch: pytest.MonkeyPatch, command: list[str]) -> None:
    monkeypatch.setenv("CONSILIUM_DATABASE_URL", "postgresql://u:s3cret@h/d")
    result = run(app, command)
    assert result.exit_code == 1
    assert "docs/operations/backup.md" in result.output
    assert "s3cret" not in result.output


def test_there_is_nothing_to_back_up_where_nothing_ran(data_dir: Path, tmp_path: Path) -> None:
    result = run(app, ["backup", str(tmp_path / "dest")])
    assert (result.exit_code, "nothing to back up" in result.output) == (1, True)
    assert not data_dir.exists(), "asking starts no database"


def test_a_backup_is_not_made_beside_the_data(data_dir: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(data_dir)
    for destination in (data_dir, data_dir / "b", tmp_path / "link" / "deep" / "b"):
        result = run(app, ["backup", str(destination)])
        assert (result.exit_code, "DEST: it is in CONSILIUM_DATA_DIR." in result.output) == (1, True)
    assert not data_dir.exists()


@pytest.mark.parametrize("where", ["archive", "../elsewhere"])
def test_an_archive_beside_the_data_is_told(data_dir: Path, monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    monkeypatch.setenv("CONSILIUM_WAL_ARCHIVE_DIR", str(data_dir / where))
    told = run(app, ["doctor"]).output
    assert ("it is in CONSILIUM_DATA_DIR" in told) == (where == "archive")


@pytest.mark.parametrize("moment", ["yesterday", "2026-03-01", "2026-03-01T14:05:00"])
def test_a_time_without_an_offset_is_none(tmp_path: Path, moment: str) -> None:
    assert run(app, ["restore", str(tmp_path), "--to", moment]).exit_code == 2


def test_a_place_is_for_one_backup_at_a_time(tmp_path: Path) -> None:
    destination = tmp_path / "dest"
    with _made_beside(destination) as (folder, lock):
        assert folder == tmp_path / "dest.partial"
        with pytest.raises(Mistake, match="another backup"), _made_beside(destination):
            pass
        assert not destination.exists()
        fcntl.flock(lock, fcntl.LOCK_UN)
    assert destination.is_dir()
    assert not folder.exists()


def test_a_second_backup_never_takes_a_finished_one_for_what_a_killed_one_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    destination = tmp_path / "dest"
    flush, refused = making._flush, []

    def another_begins(folder: Path) -> None:
        flush(folder)
        if not destination.exists():
            with pytest.raises(Mistake, match="another backup") as caught, _made_beside(destination):
                pass
            refused.append(caught.value)

    monkeypatch.setattr(making, "_flush", another_begins)
    with _made_beside(destination) as (folder, _):
        (folder / "postgres").mkdir()
    assert refused
    assert [path.name for path in destination.iterdir()] == ["postgres"]


async def test_a_backup_is_not_made_in_what_it_copies(postgres: str, tmp_path: Path) -> None:
    connection = await asyncpg.connect(postgres)
    cluster = Path(await connection.fetchval("SHOW data_directory"))
    await connection.close()
    (tmp_path / "link").symlink_to(cluster)
    for destination in (cluster / "b", tmp_path / "link" / "b", cluster / "base" / ".." / "b"):
        with pytest.raises(Mistake, match="own folder"):
            await making.make(postgres, {}, destination)
    assert not (cluster / "b.partial").exists(), "what we left there would stop every backup to come"


def test_a_backup_that_fails_gets_no_name(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), _made_beside(tmp_path / "dest"):
        raise RuntimeError
    assert not (tmp_path / "dest").exists()


def test_pruning_keeps_what_the_backup_needs_and_every_history(tmp_path: Path) -> None:
    shelf = tmp_path / "42"
    shelf.mkdir()
    old = [f"0000000{timeline}00000000000000{number:02X}" for timeline in (1, 2) for number in (1, 2)]
    kept = ["000000010000000000000003", "000000020000000000000003", "000000020000000100000000"]
    others = ["00000002.history.gz", "000000010000000000000003.00000028.backup.gz", "stray"]
    for name in (*(f"{one}.gz" for one in (*old, *kept)), *others, "000000010000000000000001.00000028.backup.gz"):
        (shelf / name).touch()
    now = datetime.now(UTC)
    backup = Backup("0.1.0", 18, "42", now, now, 1, "000000020000000000000003", {})
    assert prune(backup, ArchiveSettings(wal_archive_dir=tmp_path)) == 5
    assert sorted(path.name for path in shelf.iterdir()) == sorted([*(f"{one}.gz" for one in kept), *others])


@pytest.mark.parametrize("place", ["missing", "empty"])
def test_an_interrupted_restore_is_not_followed_by_an_empty_start(
    place: str, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONSILIUM_PORT", str(free_port()))
    (data_dir / "postgres.restoring").mkdir(parents=True)
    (data_dir / "postgres.before-20260301T140500Z").mkdir()
    if place == "empty":
        (data_dir / "postgres").mkdir()
    result = run(app, ["run"])
    assert (result.exit_code, "A restore did not come to its end" in result.output) == (1, True)
    assert not (data_dir / "postgres" / "PG_VERSION").exists()
    assert "a restore did not come to its end" in run(app, ["doctor"]).output


def test_a_copy_that_does_not_fit_leaves_the_disk_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(source: Path, new: Path) -> None:
        new.mkdir()
        (new / "half").write_text("of it")
        raise shutil.Error([(str(source), str(new), "No space left on device")])

    monkeypatch.setattr(shutil, "copytree", full)
    with pytest.raises(Mistake, match="is there room"):
        restoring._copy(tmp_path, tmp_path / "postgres.restoring")
    assert list((tmp_path / "postgres.restoring").iterdir()) == []


def test_pruning_wants_an_archive(monkeypatch: pytest.MonkeyPatch) -> None:
    now = datetime.now(UTC)
    with pytest.raises(Mistake, match="CONSILIUM_WAL_ARCHIVE_DIR"):
        prune(Backup("0.1.0", 18, "42", now, now, 1, "0" * 24, {}), ArchiveSettings())


def test_an_archive_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Mistake, match="CONSILIUM_WAL_ARCHIVE_DIR"):
        archiving(ArchiveSettings(wal_archive_dir=tmp_path / "file" / "folder"))
    assert archiving(ArchiveSettings()) == {}
