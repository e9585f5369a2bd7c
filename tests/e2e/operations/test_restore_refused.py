"""What cannot be restored is refused before anything is done: damaged, half and foreign backups, logs with gaps."""

import json
import os
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from consilium.backup.archiving import ArchiveSettings
from consilium.backup.restoring import restore
from shared.process.mistakes import Mistake
from tests.e2e.operations.installation import consilium, ended, settled
from tests.e2e.referring import burst, furnish
from tests.eventually import eventually
from tests.factories.process import Process

pytestmark = pytest.mark.timeout(400)


async def test_a_time_that_the_log_does_not_reach_changes_nothing(process: Process) -> None:
    backup = process.data_dir.parent / "backup"
    patients = await furnish(process, 1)
    early = datetime.now(UTC)
    assert (await consilium(process, "backup", backup))[0] == 0
    sent = await burst(process, patients, 2)
    await settled(process, sent)
    await ended(process)
    for moment, line in (
        (early.isoformat(), "Take an earlier backup"),
        ("2100-01-01T00:00:00Z", "the archived log ends before that time"),
    ):
        code, told = await consilium(process, "restore", backup, "--replace", "--to", moment)
        assert (code, line in told) == (1, True), told
    assert not list(process.data_dir.glob("postgres.before-*"))
    await process.start()
    await settled(process, sent)


def segments_after(archive: Path, first: str) -> list[Path]:
    """The archived segments that come after ``first``."""
    return sorted(path for path in archive.glob("*/*.gz") if len(path.name) == 27 and path.name > f"{first}.gz")


def everything(folder: Path) -> list[Path]:
    """All that is in ``folder``."""
    return sorted(folder.rglob("*"))


async def test_an_archive_that_does_not_go_on_from_the_backup_is_refused_before_anything_is_done(
    process: Process, archive: Path
) -> None:
    backup = process.data_dir.parent / "backup"
    elsewhere = process.data_dir.parent / "elsewhere"
    patients = await furnish(process, 1)
    assert (await consilium(process, "backup", backup))[0] == 0
    sent = await burst(process, patients, 2)
    await settled(process, sent)
    await ended(process)
    for segment in segments_after(archive, json.loads((backup / "backup.json").read_text())["first_wal"][:-1]):
        segment.rename(segment.with_name(f"gone-{segment.name}"))
    before = everything(archive)

    async def refused(folder: Path, line: str) -> None:
        settings = ArchiveSettings(wal_archive_dir=folder)
        for target in ("latest", datetime.now(UTC)):
            with pytest.raises(Mistake, match=line):
                await restore(backup, process.data_dir, target, settings, replace=True)

    await refused(archive, "it lacks")
    await refused(elsewhere, "no such folder")
    assert not elsewhere.exists()
    elsewhere.mkdir()
    await refused(elsewhere, "nothing in it is of the cluster")
    assert (everything(archive), everything(elsewhere)) == (before, [])
    assert not list(process.data_dir.glob("postgres.*"))


async def test_a_gap_or_damage_in_the_archived_log_is_told(process: Process, archive: Path) -> None:
    backup = process.data_dir.parent / "backup"
    patients = await furnish(process, 1)
    assert (await consilium(process, "backup", backup))[0] == 0
    # a backup that took long on a busy machine holds several segments itself, and does not need the archive's
    last = max(path.name for path in (backup / "postgres" / "pg_wal").iterdir() if len(path.name) == 24)

    async def archived() -> list[Path]:
        await burst(process, patients, 1)
        later = segments_after(archive, last)
        return later if len(later) >= 4 else []

    segments = await eventually(archived, within=60, every=0.5)
    await ended(process)
    for harm, line in (
        (lambda path: path.write_bytes(path.read_bytes()[:-100]), "is damaged"),
        (lambda path: path.unlink(), "lacks a part"),
    ):
        harm(segments[2])
        code, told = await consilium(process, "restore", backup, "--replace", "--to", "latest")
        assert (code, line in told) == (1, True), told


async def test_a_damaged_or_foreign_backup_is_refused_in_a_line(process: Process) -> None:
    whole, broken = process.data_dir.parent / "whole", process.data_dir.parent / "broken"
    await ended(process)
    code, _ = await consilium(process, "backup", whole)
    assert code == 0, "where nobody runs the server is started for it"
    code, told = await consilium(process, "backup", whole)
    assert (code, "something already" in told) == (1, True)
    base = Path("postgres/base")
    table = max((path for path in (whole / base).rglob("*") if path.is_file()), key=lambda path: path.stat().st_size)
    name = table.relative_to(whole)
    log = max((whole / "postgres" / "pg_wal").glob("0*")).relative_to(whole)
    cases = {
        "a file does not match": lambda: _flip(broken / name),
        "a file is missing": lambda: (broken / name).unlink(),
        "does not belong": lambda: (broken / base / "stray").touch(),
        "its own checksum": lambda: _flip(broken / "postgres" / "backup_manifest"),
        "its log cannot be read": lambda: _rewritten(broken / log, bytes(16 * 1024 * 1024)),
        "no complete backup": lambda: (broken / "backup.json").unlink(),
        "cannot be read": lambda: _rewritten(broken / "backup.json", b"{}"),
        "another version": lambda: _told(broken, format=2),
        "is of PostgreSQL 12": lambda: _told(broken, postgres=12),
        "is newer than this one": lambda: _told(broken, revisions={"referrals": "9999"}),
    }
    for line, harm in cases.items():
        shutil.copytree(whole, broken, copy_function=os.link)
        harm()
        with pytest.raises(Mistake, match=line):
            await restore(broken, process.data_dir, None, ArchiveSettings(), replace=True)
        shutil.rmtree(broken)
    assert not list(process.data_dir.glob("postgres.before-*"))
    (whole / "backup.json").unlink()
    code, told = await consilium(process, "restore", whole, "--replace")
    assert (code, told.splitlines()) == (
        1,
        ["Not restored. SOURCE: there is no complete backup: it has no backup.json."],
    )


def _flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    _rewritten(path, bytes(content))


def _rewritten(path: Path, content: bytes) -> None:
    """A new file in the place of one that is linked to the whole backup."""
    path.unlink()
    path.write_bytes(content)


def _told(backup: Path, **other: object) -> None:
    record = backup / "backup.json"
    _rewritten(record, json.dumps(json.loads(record.read_text()) | other).encode())
