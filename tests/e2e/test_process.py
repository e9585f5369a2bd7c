"""``consilium run`` as a process under load: killed with -9, told to end, and started again on the same data."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import httpx
import psutil
import pytest

from tests.e2e.evidence import Evidence
from tests.e2e.referring import Sent, burst, furnish, send
from tests.eventually import eventually
from tests.factories.process import Process
from tests.factories.system import EHR
from tests.ports import free_port

pytestmark = pytest.mark.timeout(240)

SIZE, PATIENTS, ENDS_WITHIN = 300, 20, 10.0


@asynccontextmanager
async def running(data_dir: Path, settings: Mapping[str, str]) -> AsyncIterator[Process]:
    """A running installation; ended afterwards with its PostgreSQL."""
    process = Process(data_dir, free_port(), settings)
    try:
        await process.start()
        yield process
    finally:
        await process.close()


@pytest.fixture
async def process(data_dir: Path, amqp: str | None) -> AsyncIterator[Process]:
    """A running installation over each of the transports."""
    async with running(data_dir, {} if amqp is None else {"CONSILIUM_AMQP_URL": amqp}) as process:
        yield process


async def test_a_process_killed_under_load_loses_nothing_that_it_acknowledged(
    process: Process, amqp: str | None
) -> None:
    patients = await furnish(process, PATIENTS)
    before = await _until_gone(process, patients, 60)
    assert process.postgres is not None, "the kill took PostgreSQL too: not what is tested here"
    await process.start()
    after = await burst(process, patients, 60)
    assert len(after) == 60
    await _settled(process, amqp, [*before, *after])


async def test_a_process_killed_again_while_it_recovers_loses_nothing(process: Process, amqp: str | None) -> None:
    patients, sent = await furnish(process, PATIENTS), []
    for _ in range(2):
        sent += await _until_gone(process, patients, 20)
        await process.start()
    await _settled(process, amqp, sent)


async def test_its_postgresql_killed_under_load_comes_back_with_everything(data_dir: Path) -> None:
    async with running(data_dir, {}) as process:
        patients = await furnish(process, PATIENTS)
        sending = asyncio.create_task(burst(process, patients, 120))
        await eventually(lambda: _acknowledged(process, 20), within=60, every=0.02)
        postgres = process.postgres
        assert postgres is not None
        children: list[psutil.Process] = []
        with suppress(psutil.NoSuchProcess):  # a connection's server ends whenever its client likes
            children = postgres.children(recursive=True)
        for one in (*children, postgres):
            with suppress(psutil.NoSuchProcess):
                one.kill()
        sent = await sending
        process.kill()
        await process.start()
        await _settled(process, None, sent)


async def test_sigterm_under_load_ends_it_in_time_and_keeps_what_was_acknowledged(
    process: Process, amqp: str | None
) -> None:
    patients = await furnish(process, PATIENTS)
    postgres = process.postgres
    assert postgres is not None
    sending = asyncio.create_task(burst(process, patients, SIZE))
    await eventually(lambda: _acknowledged(process, 30), within=60, every=0.05)
    ending, began = process.terminate(), time.monotonic()
    code = await asyncio.to_thread(ending.wait, 30)
    assert time.monotonic() - began < ENDS_WITHIN
    assert code == 0
    sent = await sending
    assert 0 < len(sent) < SIZE
    assert _is_over(postgres)
    with pytest.raises(httpx.ConnectError):
        await process.by(EHR).get("/health/live")
    await process.start()
    one = await send(process, patients[0])
    assert one is not None
    await _settled(process, amqp, [*sent, one])


async def test_a_parent_killed_takes_its_api_processes_along(data_dir: Path) -> None:
    async with running(data_dir, {"CONSILIUM_WORKERS": "2"}) as process:
        patients = await furnish(process, PATIENTS)
        assert process._running is not None
        children = psutil.Process(process._running.pid).children(recursive=True)
        before = await _until_gone(process, patients, 40)
        api = [child for child in children if "consilium.api_process" in " ".join(_command(child))]
        await eventually(lambda: _ended(api))
        await process.start()
        after = await burst(process, patients, 40)
        assert len(after) == 40
        await _settled(process, None, [*before, *after])


async def _until_gone(process: Process, patients: Sequence[str], size: int) -> list[Sent]:
    """Send until ``process`` was killed after about ``size`` referrals; those that it acknowledged."""
    sending = asyncio.create_task(burst(process, patients, SIZE))
    (already,) = await _count(process)
    await eventually(lambda: _acknowledged(process, already + size), within=60, every=0.02)
    process.kill()
    sent = await sending
    assert 0 < len(sent) < SIZE, "killed too early or too late"
    return sent


async def _count(process: Process) -> tuple[int]:
    evidence = Evidence(process.databases)
    (row,) = await evidence.rows("referrals", "SELECT count(*) FROM resource WHERE type = 'Task'")
    await evidence.close()
    return (int(row[0]),)


async def _acknowledged(process: Process, size: int) -> bool:
    return (await _count(process))[0] >= size


async def _settled(process: Process, amqp: str | None, sent: list[Sent]) -> None:
    evidence = Evidence(process.databases, amqp)
    try:
        await eventually(lambda: evidence.settled(sent), within=60, every=0.3)
    finally:
        await evidence.close()


async def _ended(processes: Sequence[psutil.Process]) -> bool:
    assert processes, "there were no API processes"
    return all(_is_over(one) for one in processes)


def _is_over(process: psutil.Process) -> bool:
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.NoSuchProcess:
        return ["consilium.api_process"]
