"""The system under test, started as an operator starts it: ``consilium run`` on its own port and data folder."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import httpx


@dataclass(frozen=True, slots=True)
class Running:
    """A running system. ``start_s``: seconds from process start to the first ready answer."""

    url: str
    token: str
    start_s: float
    process: asyncio.subprocess.Process
    databases: str
    """The URL of its embedded PostgreSQL, with ``{database}``."""

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """What every request carries: authentication is on."""
        return (("Authorization", f"Bearer {self.token}"), ("Content-Type", "application/fhir+json"))

    def rss_mb(self) -> float:
        """Resident memory of the process in MB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1]) / 1024


def free_port() -> int:
    """A loopback port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@asynccontextmanager
async def running(folder: Path) -> AsyncIterator[Running]:
    """``consilium run`` with its data in ``folder`` (absolute); ended by SIGTERM."""
    port = free_port()
    environment = os.environ | {
        "CONSILIUM_PORT": str(port),
        "CONSILIUM_DATA_DIR": str(folder),
        "CONSILIUM_AUTH": "jwt",
        # what is put straight into the tables is no change that copies follow
        "CONSILIUM_COPIES_CHECK_S": "86400",
    }
    consilium = str(Path(sys.executable).with_name("consilium"))
    started = time.perf_counter()
    process = await asyncio.create_subprocess_exec(
        consilium, "run", env=environment, stdout=asyncio.subprocess.DEVNULL, stderr=None
    )
    url = f"http://127.0.0.1:{port}"
    try:
        await _ready(url, process)
        start_s = time.perf_counter() - started
        told = await asyncio.to_thread(
            subprocess.run, [consilium, "token", "--role", "system"], env=environment, capture_output=True, text=True
        )
        databases = f"postgresql://postgres:@/{{database}}?host={folder / 'postgres'}"
        yield Running(url, told.stdout.strip(), start_s, process, databases)
    finally:
        process.send_signal(signal.SIGTERM)
        await process.wait()


async def _ready(url: str, process: asyncio.subprocess.Process) -> None:
    async with httpx.AsyncClient() as client:
        for _ in range(3000):
            if process.returncode is not None:
                raise RuntimeError("consilium run ended instead of starting")
            try:
                if (await client.get(f"{url}/health/ready")).status_code == 200:
                    return
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.02)
    raise RuntimeError("consilium run was not ready in a minute")


async def quiet(system: Running) -> None:
    """Wait until the events of the last load are relayed and handled, so that they do not weigh on the next."""
    outboxes = (f"consilium_{service}" for service in ("referrals", "careplans", "notifications"))
    for database, waiting in (
        *((outbox, "SELECT count(*) FROM outbox WHERE published_at IS NULL") for outbox in outboxes),
        ("consilium_bus", "SELECT count(*) FROM bus_message WHERE dead_at IS NULL"),
    ):
        connection = await asyncpg.connect(system.databases.format(database=database))
        while await connection.fetchval(waiting):  # noqa: ASYNC110 - it is another process that works it off
            await asyncio.sleep(0.1)
        await connection.close()
