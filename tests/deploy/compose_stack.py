"""A running compose project, as `scripts/compose-test.sh` started it: how to reach it, how to kill its containers."""

import asyncio
import os
import subprocess
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from shared.process.databases import database_urls
from shared.security.caller import Caller
from tests.e2e.referring import Sent, send
from tests.factories.system import PSYCHOLOGIST, THERAPIST, Clients

ROOT = Path(__file__).parents[2]
APART = ("referrals", "careplans", "notifications")
SENDERS, PACE = 4, 0.05


class Stack:
    """The project that the environment describes."""

    def __init__(self) -> None:
        here = os.environ
        port, password = here["CONSILIUM_PORT"], here.get("POSTGRES_PASSWORD") or "consilium"
        server = f"postgresql://consilium:{password}@127.0.0.1:{here['POSTGRES_PORT']}/consilium"
        self.databases = database_urls(server, APART)
        password = here.get("RABBITMQ_PASSWORD") or "consilium"
        self.amqp_url = f"amqp://consilium:{password}@127.0.0.1:{here['AMQP_PORT']}/"
        self._clients = Clients(f"http://127.0.0.1:{port}", Path(here["CONSILIUM_DATA_DIR"]), httpx.AsyncHTTPTransport)

    def by(self, caller: Caller) -> httpx.AsyncClient:
        """A client of the gateway that bears a token for ``caller``."""
        return self._clients.by(caller)

    async def close(self) -> None:
        """Close the clients."""
        await self._clients.close()


async def docker(*arguments: str) -> str:
    """Run docker, in a thread; what it printed. Fails with what it complained of."""
    done = await asyncio.to_thread(
        subprocess.run, ["docker", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"docker {' '.join(arguments)}: {done.stderr[-2000:]}"
    return done.stdout


async def killed_and_back(service: str) -> float:
    """Kill the container of ``service`` with SIGKILL and start it again; seconds until it was healthy."""
    await docker("compose", "kill", "--signal", "KILL", service)
    began = time.monotonic()
    # a killed container counts as stopped on purpose: the engine does not restart it by itself
    await docker("compose", "up", "--detach", "--wait", "--no-deps", "--no-recreate", service)
    return time.monotonic() - began


class Load:
    """Referrals sent all the time; what was acknowledged, and how many were not."""

    def __init__(self) -> None:
        self.sent: list[Sent] = []
        self.failed: Counter[str] = Counter()
        self.during = "nothing"

    async def more(self, count: int) -> bool:
        """A fact for ``eventually``: so many were acknowledged."""
        return len(self.sent) >= count


@asynccontextmanager
async def loaded(stack: Stack, patients: Sequence[str]) -> AsyncIterator[Load]:
    """Send referrals for ``patients`` in turn, inside the block."""
    load, stop = Load(), asyncio.Event()

    async def sender(number: int) -> None:
        turn = number
        while not stop.is_set():
            one = await send(stack, patients[turn % len(patients)], (PSYCHOLOGIST, THERAPIST)[turn % 2])
            if one is None:
                load.failed[load.during] += 1
                await asyncio.wait([asyncio.create_task(stop.wait())], timeout=PACE)
            else:
                load.sent.append(one)
            turn += SENDERS

    senders = [asyncio.create_task(sender(number)) for number in range(SENDERS)]
    try:
        yield load
    finally:
        stop.set()
        await asyncio.gather(*senders)
