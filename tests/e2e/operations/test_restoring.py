"""Backup and restore of a running installation, whole and to a moment; nothing is lost or told twice."""

import asyncio
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.broker import Broker
from tests.e2e.evidence import Evidence
from tests.e2e.operations.installation import consilium, ended, environment, settled
from tests.e2e.referring import burst, furnish
from tests.eventually import eventually
from tests.factories.process import Process
from tests.ports import free_port

pytestmark = pytest.mark.timeout(400)


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
