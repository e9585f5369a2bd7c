"""Consilium as a cluster runs it: every API, worker and gateway a process of its own, several of each.

They share a PostgreSQL and a RabbitMQ; before the APIs stand balancers as Kubernetes Services stand there.
"""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil

from shared.security.caller import Caller
from shared.security.keys import jwks_path, local_key
from tests.eventually import eventually
from tests.factories.balancer import Balancer, probed
from tests.factories.system import Clients
from tests.ports import lasting_port

OWNERS = ("referrals", "careplans", "notifications")
GATEWAY = "gateway"
STARTS_WITHIN, ENDS_WITHIN = 90.0, 10.0
"""Seconds; twenty processes start at once on a machine that may be busy."""


def in_time(seconds: float) -> bool:
    """Whether an end that took so long was in time: ``ENDS_WITHIN``, longer where others have the cores (as many
    times as there are processes waiting for each core, beyond two)."""
    crowd = os.getloadavg()[0] / (os.cpu_count() or 1)
    return seconds < ENDS_WITHIN * max(1.0, crowd / 2)


_DYING = [setpriv, "--pdeathsig", "KILL"] if (setpriv := shutil.which("setpriv")) else []
"""A process dies with the tests, however those ended."""


@dataclass(frozen=True)
class Counts:
    """How many processes: per service an API and a worker so often, and gateways."""

    api: int = 1
    worker: int = 1
    gateway: int = 1


@dataclass
class Child:
    """One process: ``python -m services.<service> <command>``."""

    service: str
    command: str
    port: int
    log: Path
    running: subprocess.Popen[bytes]

    @property
    def rss_mb(self) -> float:
        """Resident memory in MB."""
        return float(psutil.Process(self.running.pid).memory_info().rss) / 2**20

    async def ready(self) -> bool:
        """Whether it says so. Fails at once where the process ended."""
        if self.running.poll() is not None:
            raise RuntimeError(f"{self.service} {self.command} ended: {self.log.read_text()[-600:]}")
        return await probed(self.port) == 200

    async def end(self) -> float:
        """SIGTERM and wait; the seconds that it took. Fails where it does not end well."""
        began = time.monotonic()
        self.running.send_signal(signal.SIGTERM)
        code = await asyncio.to_thread(self.running.wait, 30)
        assert code == 0, f"{self.service} {self.command} ended with {code}: {self.log.read_text()[-600:]}"
        return time.monotonic() - began


@dataclass
class Apart:
    """A running installation; ``by`` a caller one talks to its gateways."""

    settings: Mapping[str, str]
    data_dir: Path
    databases: Mapping[str, str]
    amqp_url: str | None
    balancers: Mapping[str, Balancer]
    children: dict[tuple[str, str], list[Child]] = field(default_factory=dict)
    clients: Clients = field(init=False)

    def __post_init__(self) -> None:
        self.clients = Clients(self.base, self.data_dir, patient_transport)

    @property
    def base(self) -> str:
        """Where the gateways are."""
        return self.balancers[GATEWAY].url

    @property
    def all(self) -> list[Child]:
        """Every process."""
        return [child for some in self.children.values() for child in some]

    def by(self, caller: Caller) -> httpx.AsyncClient:
        """See ``Clients.by``."""
        return self.clients.by(caller)

    def logs(self) -> str:
        """Everything that any process, also one that ended, ever said."""
        return "".join(path.read_text(errors="replace") for path in sorted(self.data_dir.glob("*.log")))

    def spawn(self, service: str, command: str) -> Child:
        """Start one more process of a kind."""
        port = lasting_port()
        log = self.data_dir / f"{service}-{command}-{port}.log"
        own = {"CONSILIUM_PORT": str(port), "CONSILIUM_HOST": "127.0.0.1"}
        # nobody but clients stands before a gateway here
        own |= {"CONSILIUM_TRUST_FORWARDED": str(service != GATEWAY).lower()}
        with log.open("ab") as output:
            running = subprocess.Popen(
                [*_DYING, sys.executable, "-m", f"services.{service}", command],
                env=environment() | self.settings | own,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        child = Child(service, command, port, log, running)
        self.children.setdefault((service, command), []).append(child)
        if command == "api":
            self.balancers[service].add(port)
        return child

    async def come_up(self, children: Sequence[Child]) -> None:
        """Wait until ``children`` are ready, and known to be."""
        for child in children:
            await eventually(child.ready, within=STARTS_WITHIN)
            if child.command == "api":
                balancer = self.balancers[child.service]
                await eventually(lambda child=child, balancer=balancer: _among(child.port, balancer))

    async def retire(self, child: Child) -> float:
        """End one in good order; the seconds that it took."""
        self.children[child.service, child.command].remove(child)
        try:
            return await child.end()
        finally:
            if child.command == "api":
                self.balancers[child.service].remove(child.port)

    async def lose(self, child: Child) -> None:
        """Kill one, as a machine that fails would."""
        self.children[child.service, child.command].remove(child)
        child.running.kill()
        await asyncio.to_thread(child.running.wait)
        if child.command == "api":
            self.balancers[child.service].remove(child.port)

    async def roll(self, service: str, command: str) -> list[float]:
        """Replace every process of a kind, a new one ready before an old one is told to end; what each end took."""
        took = []
        for old in list(self.children[service, command]):
            await self.come_up([self.spawn(service, command)])
            took.append(await self.retire(old))
        return took

    async def close(self) -> None:
        """Kill whatever still runs."""
        await self.clients.close()
        for child in self.all:
            child.running.kill()
        for child in self.all:
            await asyncio.to_thread(child.running.wait)


def patient_transport() -> httpx.AsyncBaseTransport:
    """As a client should be: it keeps no connection idle for as long as a server drains."""
    return httpx.AsyncHTTPTransport(limits=httpx.Limits(keepalive_expiry=1.0), trust_env=False)


async def _among(port: int, balancer: Balancer) -> bool:
    return port in balancer.ready


def environment() -> dict[str, str]:
    """Ours, without what is told to Consilium; modules are found where ours are."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("CONSILIUM_", "OTEL_"))}
    return kept | {"PYTHONPATH": str(Path(__file__).parents[2])}


@asynccontextmanager
async def apart(
    databases: Mapping[str, str],
    amqp_url: str | None,
    data_dir: Path,
    counts: Counts = Counts(),
    settings: Mapping[str, str] | None = None,
) -> AsyncIterator[Apart]:
    """An installation on migrated ``databases``, all of it ready; killed afterwards, whatever still runs."""
    local_key(data_dir)
    referrals = databases[OWNERS[0]]
    assert f"_{OWNERS[0]}" in referrals, "databases are named by service"
    async with AsyncExitStack() as stack:
        balancers = {name: await stack.enter_async_context(Balancer().listening()) for name in (*OWNERS, GATEWAY)}
        told = {
            "CONSILIUM_DATABASE_URL": referrals.replace(f"_{OWNERS[0]}", "_{service}"),
            "CONSILIUM_DATA_DIR": str(data_dir),
            "CONSILIUM_JWKS_FILE": str(jwks_path(data_dir)),
            # many processes share a small server
            "CONSILIUM_POOL_SIZE": "4",
            **{f"CONSILIUM_{name.upper()}_URL": balancers[name].url for name in OWNERS},
            "CONSILIUM_PEER_KEY": "shared by the services of this test alone",
            "CONSILIUM_PEER_URLS": json.dumps({name: balancers[name].url for name in OWNERS}),
        }
        if amqp_url is not None:
            told["CONSILIUM_AMQP_URL"] = amqp_url
        installation = Apart(told | dict(settings or {}), data_dir, databases, amqp_url, balancers)
        stack.push_async_callback(installation.close)
        kinds = [(name, "api", counts.api) for name in OWNERS]
        kinds += [(name, "worker", counts.worker) for name in OWNERS if amqp_url is not None]
        kinds.append((GATEWAY, "api", counts.gateway))
        await installation.come_up(
            [installation.spawn(service, command) for service, command, count in kinds for _ in range(count)]
        )
        yield installation
