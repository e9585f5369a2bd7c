"""``consilium run`` as a process of its own: started, killed, told to end, started again on the same data folder."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil

from consilium.assembly import SERVICES
from consilium.installation import running_on
from shared.process.databases import BUS, database_urls
from shared.security.caller import Caller
from tests.eventually import eventually
from tests.factories.system import Clients

STARTS_WITHIN = 60.0
"""Seconds; a first start makes the database cluster and three schemas, on a machine that may be busy."""


@dataclass
class Process:
    """One installation on a free loopback port. ``close`` ends all that was ever started, PostgreSQL too."""

    data_dir: Path
    port: int
    settings: Mapping[str, str] = field(default_factory=dict)
    _running: subprocess.Popen[bytes] | None = None
    _clients: Clients | None = None

    @property
    def base(self) -> str:
        """Where it serves."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def databases(self) -> dict[str, str]:
        """The URLs of its embedded databases, while it runs."""
        running = running_on(self.data_dir)
        assert running is not None
        assert running.databases is not None
        return database_urls(running.databases, [*(service.name for service in SERVICES), BUS])

    @property
    def postgres(self) -> psutil.Process | None:
        """The embedded server that runs on the data folder, whoever started it."""
        # a single-user server (initdb) writes its pid with a minus: psutil refuses that with a ValueError
        with suppress(FileNotFoundError, psutil.NoSuchProcess, IndexError, ValueError):
            pid = int((self.data_dir / "postgres" / "postmaster.pid").read_text().split()[0])
            process = psutil.Process(pid)
            if "postgres" in process.name() and str(self.data_dir / "postgres") in process.cmdline():
                return process
        return None

    def by(self, caller: Caller) -> httpx.AsyncClient:
        """See ``Clients.by``."""
        if self._clients is None:
            self._clients = Clients(self.base, self.data_dir, httpx.AsyncHTTPTransport)
        return self._clients.by(caller)

    async def start(self) -> None:
        """Start it and wait until all of it is ready."""
        assert self._running is None
        own = {"CONSILIUM_PORT": str(self.port), "CONSILIUM_DATA_DIR": str(self.data_dir), "CONSILIUM_AUTH": "jwt"}
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("CONSILIUM_")}
        self._running = subprocess.Popen(  # noqa: ASYNC220  it does not wait, and must outlive a failing loop
            [sys.executable, "-m", "consilium", "run"],
            env=inherited | own | self.settings,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
        await eventually(self._ready, within=STARTS_WITHIN)

    def kill(self) -> None:
        """End it as the kernel would when memory is short: SIGKILL, to it alone."""
        running, self._running = self._running, None
        assert running is not None
        running.kill()
        running.wait()

    def terminate(self) -> subprocess.Popen[bytes]:
        """Tell it to end (SIGTERM); the process, to wait for."""
        running, self._running = self._running, None
        assert running is not None
        running.send_signal(signal.SIGTERM)
        return running

    async def close(self) -> None:
        """End everything that still runs."""
        if self._clients is not None:
            await self._clients.close()
        if self._running is not None:
            self.kill()
        postgres = self.postgres
        if postgres is not None:
            with suppress(psutil.NoSuchProcess):  # it may be ending by itself
                # SIGINT is its fast shutdown
                postgres.send_signal(signal.SIGINT)
                try:
                    postgres.wait(20)
                except psutil.TimeoutExpired:
                    postgres.kill()

    async def _ready(self) -> bool:
        assert self._running is not None
        if self._running.poll() is not None:
            raise RuntimeError(f"consilium run ended with {self._running.returncode}")
        try:
            async with httpx.AsyncClient(trust_env=False) as client:
                return (await client.get(f"{self.base}/health/ready", timeout=5)).status_code == 200
        except httpx.TransportError:
            return False
