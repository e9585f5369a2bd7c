"""The archive of the write-ahead log: nothing is replaced, nothing damaged or missing passes for an end."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from consilium.backup import wal

FIRST, SECOND, THIRD = (f"0000000100000000000000{number:02X}" for number in (1, 2, 3))


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An archive; the working folder is a cluster's, as it is for PostgreSQL."""
    cluster = tmp_path / "cluster"
    (cluster / "global").mkdir(parents=True)
    (cluster / "global" / "pg_control").write_bytes((42).to_bytes(8, "little") + b"more")
    (cluster / "pg_wal").mkdir()
    monkeypatch.chdir(cluster)
    return tmp_path / "archive"


def put(archive: Path, name: str, content: bytes) -> int:
    """Archive ``content`` under ``name``."""
    (path := Path("pg_wal") / "source").write_bytes(content)
    return wal.main(["put", str(archive), str(path), name])


def get(archive: Path, name: str) -> tuple[int, bytes | None]:
    """The code, and what came."""
    target = Path("fetched")
    target.unlink(missing_ok=True)
    code = wal.main(["get", str(archive), name, str(target)])
    return code, target.read_bytes() if target.exists() else None


def test_what_is_put_comes_back(archive: Path) -> None:
    content = os.urandom(100) + bytes(1000)
    assert put(archive, FIRST, content) == 0
    assert get(archive, FIRST) == (0, content)
    assert [path.name for path in (archive / "42").iterdir()] == [f"{FIRST}.gz"]


def test_the_same_file_again_is_well_and_another_one_is_refused(archive: Path) -> None:
    assert put(archive, FIRST, b"one") == 0
    assert put(archive, FIRST, b"one") == 0, "PostgreSQL asks again after a crash"
    assert put(archive, FIRST, b"two") == 1
    assert get(archive, FIRST) == (0, b"one")


def test_what_a_killed_archiver_left_is_cleared_away(archive: Path) -> None:
    (archive / "42").mkdir(parents=True)
    (archive / "42" / f"{wal.NEW}half").write_bytes(b"half")
    assert put(archive, FIRST, b"one") == 0
    assert [path.name for path in (archive / "42").iterdir()] == [f"{FIRST}.gz"]


def test_another_cluster_has_a_shelf_of_its_own(archive: Path) -> None:
    assert put(archive, FIRST, b"one") == 0
    Path("global/pg_control").write_bytes((43).to_bytes(8, "little"))
    assert put(archive, FIRST, b"two") == 0
    assert get(archive, FIRST) == (0, b"two")


def test_the_end_of_the_log_is_an_end_and_a_gap_is_none(archive: Path) -> None:
    assert put(archive, FIRST, b"one") == 0
    assert get(archive, SECOND) == (wal.ABSENT, None)
    assert put(archive, THIRD, b"three") == 0
    assert get(archive, SECOND) == (wal.GAP, None)
    assert get(archive, "00000002.history") == (wal.ABSENT, None)
    assert get(archive, SECOND.replace("00000001", "00000002", 1)) == (wal.ABSENT, None), "of another timeline"


def test_what_the_backup_brought_itself_is_no_gap(archive: Path) -> None:
    assert put(archive, THIRD, b"three") == 0
    (Path("pg_wal") / SECOND).touch()
    assert get(archive, SECOND) == (wal.ABSENT, None)


@pytest.mark.parametrize("damage", [lambda file: file[: len(file) // 2], lambda file: b"x" + file, lambda file: b""])
def test_a_damaged_file_ends_the_recovery(archive: Path, damage: Callable[[bytes], bytes]) -> None:
    assert put(archive, FIRST, os.urandom(1000)) == 0
    path = archive / "42" / f"{FIRST}.gz"
    path.write_bytes(damage(path.read_bytes()))
    code, content = get(archive, FIRST)
    assert code > 125, "PostgreSQL takes anything below for the end of the archive"
    assert content is None
