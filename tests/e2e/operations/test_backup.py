"""Backup and restore of a running installation, whole and to a moment; damaged and half ones are refused."""

import asyncio
import json
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from consilium.backup.archiving import ArchiveSettings
from consilium.backup.restoring import restore
from shared.process.mistakes import Mistake
from tests.broker import Broker
from tests.e2e.evidence import Evidence
from tests.e2e.referring import Sent, burst, furnish
from tests.eventually import eventually
from tests.factories.process import Process
from tests.ports import free_port

pytestmark = pytest.mark.timeout(400)


@pytest.fixture
def archive(data_dir: Path) -> Path:
    """Where the write-ahead log goes."""
    return data_dir.parent / "it's 100% archived"


@pytest.fixture
async def process(data_dir: Path, archive: Path) -> AsyncIterator[Process]:
    """A running installation that archives its log each second."""
    settings = {"CONSILIUM_WAL_ARCHIVE_DIR": str(archive), "CONSILIUM_WAL_ARCHIVE_SECONDS": "1"}
    process = Process(data_dir, free_port(), settings)
    try:
        await process.start()
        yield process
    finally:
        await process.close()


async def consilium(process: Process, *arguments: str | Path) -> tuple[int, str]:
    """Run the command on the installation's folder; its code and all that it said."""
    ended = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "consilium", *map(str, arguments)],
        env=environment(process),
        capture_output=True,
        text=True,
        timeout=200,
    )
    told = ended.stdout + ended.stderr
    assert "Traceback" not in told, told
    return ended.returncode, told


def environment(process: Process) -> Mapping[str, str]:
    """What a command on the installation is started with."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("CONSILIUM_")}
    return {**inherited, "CONSILIUM_DATA_DIR": str(process.data_dir), **process.settings}


async def ended(process: Process) -> None:
    """End it in good order."""
    assert await asyncio.to_thread(process.terminate().wait, 30) == 0


async def settled(process: Process, sent: Sequence[Sent], amqp: str | None = None) -> None:
    """Everything of ``sent``, and nothing else, is in the plans and told, once."""
    evidence = Evidence(process.databases, amqp)
    try:
        await eventually(lambda: evidence.settled(sent), within=60, every=0.2)
    finally:
        await evidence.close()


async def test_a_backup_under_load_restores_to_one_moment_of_all_databases(process: Process) -> None:
    backup = process.data_dir.parent / "backup"
    patients = await furnish(process, 4)
    before = await burst(process, patients, 10)
    sending = asyncio.create_task(burst(process, patients, 60))
    assert (await consilium(process, "backup", backup))[0] == 0
    during = await sending
    refused = await consilium(process, "restore", backup)
    assert refused == (1, refused[1])
    assert "runs on this data folder already" in refused[1]
    await ended(process)
    code, told = await consilium(process, "restore", backup)
    assert code == 1
    assert "--replace" in told
    assert (await consilium(process, "restore", backup, "--replace"))[0] == 0
    (aside,) = process.data_dir.glob("postgres.before-*")
    assert (aside / "PG_VERSION").exists()
    await process.start()
    # which of those sent meanwhile are in it is up to the clock: but each of them wholly or not at all, and told once
    evidence = Evidence(process.databases)
    tasks = {f"Task/{task['id']}" for task in await evidence.resources("referrals", "Task")}
    await evidence.close()
    assert tasks >= {sent.task for sent in before}
    await settled(process, [sent for sent in (*before, *during) if sent.task in tasks])


async def test_a_restore_to_a_moment_has_what_came_before_and_nothing_after(process: Process) -> None:
    backup = process.data_dir.parent / "backup"
    patients = await furnish(process, 2)
    assert (await consilium(process, "backup", backup))[0] == 0
    before = await burst(process, patients, 6)
    await settled(process, before)
    moment = datetime.now(UTC)
    after = await burst(process, patients, 4)
    await settled(process, [*before, *after])
    await ended(process)

    assert (await consilium(process, "restore", backup, "--replace", "--to", moment.isoformat()))[0] == 0
    await process.start()
    await settled(process, before)
    again = await burst(process, patients, 3)
    await settled(process, [*before, *again])


async def test_what_a_restore_undid_can_be_had_back(process: Process) -> None:
    backup = process.data_dir.parent / "backup"
    patients = await furnish(process, 2)
    assert (await consilium(process, "backup", backup))[0] == 0
    sent = await burst(process, patients, 4)
    await settled(process, sent)
    await ended(process)
    # a restore forks the course of events: which one is meant must be said
    assert (await consilium(process, "restore", backup, "--replace"))[0] == 0
    code, told = await consilium(process, "restore", backup, "--replace", "--to", "latest")
    assert (code, "--timeline 2  branched off 1 on" in told) == (1, True), told
    code, told = await consilium(process, "restore", backup, "--replace", "--to", "latest", "--timeline", "1")
    assert (code, "goes on as timeline 3" in told) == (0, True), told
    await process.start()
    await settled(process, sent)


async def test_a_killed_installation_is_restored_to_its_last_archived_change(process: Process) -> None:
    backup = process.data_dir.parent / "backup"
    patients = await furnish(process, 2)
    assert (await consilium(process, "backup", backup))[0] == 0
    sent = await burst(process, patients, 5)
    await settled(process, sent)
    process.kill()
    assert process.postgres is not None, "it outlives the kill, and archives what it has when it is ended"
    code, told = await consilium(process, "restore", backup, "--replace", "--to", "latest")
    assert code == 0, told
    await process.start()
    await settled(process, sent)


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


async def test_a_backup_killed_in_the_middle_is_none_and_the_next_one_clears_it_away(process: Process) -> None:
    backup = process.data_dir.parent / "backup"
    partial = backup.with_name("backup.partial")
    await burst(process, await furnish(process, 2), 10)
    making = subprocess.Popen(  # noqa: ASYNC220  it does not wait
        [sys.executable, "-m", "consilium", "backup", str(backup)],
        env=environment(process),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )

    async def begun() -> bool:
        return (partial / "postgres" / "base").exists() or making.poll() is not None

    await eventually(begun, within=30, every=0.005)
    making.kill()
    making.wait()
    assert not backup.exists()
    for source in (backup, partial):
        code, told = await consilium(process, "restore", source)
        assert code == 1, told

    async def made() -> bool:
        # pg_basebackup may outlive its parent for a moment, and keeps the lock
        return (await consilium(process, "backup", backup))[0] == 0

    await eventually(made, within=60, every=0.5)
    assert not partial.exists()


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


@pytest.mark.rabbitmq
async def test_with_a_broker_emptied_after_the_restore_everything_is_told_once(
    data_dir: Path, spare_broker: Broker
) -> None:
    process = Process(data_dir, free_port(), {"CONSILIUM_AMQP_URL": spare_broker.url})
    backup = data_dir.parent / "backup"
    try:
        await process.start()
        patients = await furnish(process, 2)
        before = await burst(process, patients, 6)
        assert (await consilium(process, "backup", backup))[0] == 0
        await burst(process, patients, 4)
        await ended(process)
        assert (await consilium(process, "restore", backup, "--replace"))[0] == 0
        await emptied(spare_broker)
        await process.start()
        await settled(process, before, spare_broker.url)
    finally:
        await process.close()


async def emptied(broker: Broker) -> None:
    """Delete every queue, as docs/operations/backup.md says."""
    import aio_pika

    from tests.e2e.conftest import all_queues

    async with await aio_pika.connect(broker.url) as connection, connection.channel() as channel:
        for queue in all_queues():
            for name in (queue.name, queue.dead, *(queue.retry(number) for number in range(1, 6))):
                await channel.queue_delete(name)


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
