"""The whole system in one process: the gateway over its services, workers behind, everything observed.

Tests talk to the gateway's ASGI app; with ``listening`` (``tests/listening.py``) to a socket.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import asyncpg
import httpx
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from consilium.assembly import SERVICES, Assembly, assembled
from shared.ids import uuid7
from shared.process.databases import BUS, database_urls
from shared.security.caller import Caller, Role
from shared.security.jwks import KeySet, RotatingKeys
from shared.security.keys import SigningKey, local_key, new_key
from shared.security.tokens import TokenVerifier, mint
from shared.telemetry.settings import TelemetrySettings
from shared.telemetry.setup import Telemetry, current, start
from tests.factories.observed import MetricsKept, every_log_line
from tests.factories.whole import Logs, over_processes
from tests.listening import listening
from tests.scale import SCALE

SYSTEM = Caller("ehr", Role.SYSTEM)
KEPT_TABLES = ("resource", "resource_history", "outbox")


@dataclass
class Edge:
    """A running system and what it lets one see."""

    client: httpx.AsyncClient
    assembly: Assembly | None
    """None where it runs in other processes."""
    databases: Mapping[str, str]
    key: SigningKey
    telemetry: Telemetry
    metrics: MetricsKept
    recorded: InMemorySpanExporter
    exported: InMemoryLogRecordExporter
    lines: Iterable[str] = field(default_factory=list, repr=False)
    """Every log line, as it would be written."""

    def bearer(self, caller: Caller = SYSTEM, **claims: Any) -> dict[str, str]:
        """The Authorization header of ``caller``."""
        return {"authorization": f"Bearer {mint(caller, timedelta(hours=1), self.key, **claims)}"}

    async def ask(self, method: str, url: str, *, caller: Caller = SYSTEM, **more: Any) -> httpx.Response:
        """One request by ``caller``."""
        headers = self.bearer(caller) | dict(more.pop("headers", {}))
        return await self.client.request(method, url, headers=headers, **more)

    async def put(self, resource: dict[str, Any], *, caller: Caller = SYSTEM, **headers: str) -> httpx.Response:
        """``PUT`` of a resource under its id."""
        url = f"/fhir/{resource['resourceType']}/{resource['id']}"
        return await self.ask("PUT", url, caller=caller, json=resource, headers=headers)

    async def rows(self) -> dict[str, int]:
        """How many rows every database holds of what a refused request must not leave behind."""
        counted: dict[str, int] = {}
        for name in (service.name for service in SERVICES):
            connection = await asyncpg.connect(self.databases[name])
            try:
                for table in KEPT_TABLES:
                    counted[f"{name}.{table}"] = await connection.fetchval(f"SELECT count(*) FROM {table}")
            finally:
                await connection.close()
        return counted

    @asynccontextmanager
    async def served(self) -> AsyncIterator[str]:
        """Its base URL, on a socket."""
        if self.assembly is None:
            yield str(self.client.base_url).rstrip("/")
        else:
            async with listening(self.assembly.app) as url:
                yield url

    def spans(self) -> tuple[ReadableSpan, ...]:
        """Every span that ended."""
        return self.recorded.get_finished_spans()


@asynccontextmanager
async def edge(
    databases: Mapping[str, str], *, amqp_url: str | None = None, background: bool = True, trace_ratio: float = 1.0
) -> AsyncIterator[Edge]:
    """A system on ``databases``; workers run where ``background``."""
    if SCALE and amqp_url is None:
        async with over_processes(databases, background=background) as installation:
            yield Edge(
                # what an in-process system would be looked into for is not to be had
                httpx.AsyncClient(base_url=installation.base, trust_env=False, timeout=30),
                None,
                databases,
                local_key(installation.data_dir),
                current(),
                MetricsKept(),
                InMemorySpanExporter(),
                InMemoryLogRecordExporter(),
                Logs(installation),
            )
        return
    key, recorded, metrics = new_key(), InMemorySpanExporter(), MetricsKept()
    settings = TelemetrySettings(trace_ratio=trace_ratio, trace_per_s=1e6)
    exported = InMemoryLogRecordExporter()
    telemetry = start("test", settings, span_exporter=recorded, metric_exporter=metrics, log_exporter=exported)
    verifier = TokenVerifier(RotatingKeys(_only(key)), issuer="consilium-local", audience="consilium")
    lines: list[str] = []
    async with AsyncExitStack() as stack:
        stack.callback(start, "test", TelemetrySettings())  # what comes next in this process records nothing
        stack.callback(telemetry.shutdown)
        stack.enter_context(every_log_line(lines))
        assembly = await stack.enter_async_context(
            assembled(databases, verifier, telemetry, amqp_url=amqp_url, background=background)
        )
        stop = asyncio.Event()
        running = [asyncio.create_task(assembly.read(stop))]
        if assembly.background is not None:
            running.append(asyncio.create_task(assembly.background.run(stop)))
        stack.push_async_callback(_ended, running, stop)
        transport = httpx.ASGITransport(app=assembly.app)
        client = await stack.enter_async_context(httpx.AsyncClient(transport=transport, base_url="http://test"))
        yield Edge(client, assembly, databases, key, telemetry, metrics, recorded, exported, lines)


def _only(key: SigningKey) -> Callable[[], Awaitable[KeySet]]:
    async def load() -> KeySet:
        return KeySet({"keys": [key.jwk]})

    return load


async def _ended(tasks: list[asyncio.Task[None]], stop: asyncio.Event) -> None:
    stop.set()
    await asyncio.gather(*tasks)


@asynccontextmanager
async def fresh_databases(postgres: str, templates: Mapping[str, str]) -> AsyncIterator[dict[str, str]]:
    """A copy of each of the migrated ``templates`` and a database for the bus, dropped afterwards."""
    base = "edge_" + uuid7().replace("-", "")
    connection = await asyncpg.connect(postgres)
    try:
        for name, template in templates.items():
            await connection.execute(f'CREATE DATABASE "{base}_{name}" TEMPLATE "{template}"')
        await connection.execute(f'CREATE DATABASE "{base}_{BUS}"')
        yield database_urls(postgres, [*templates, BUS], base=base)
        for name in (*templates, BUS):
            await connection.execute(f'DROP DATABASE IF EXISTS "{base}_{name}" WITH (FORCE)')
    finally:
        await connection.close()


@asynccontextmanager
async def quiet_edge(
    postgres: str, templates: Mapping[str, str], *held: dict[str, Any], trace_ratio: float = 1.0
) -> AsyncIterator[Edge]:
    """A system that holds ``held``, without workers, so that nothing but requests changes what is stored."""
    async with (
        fresh_databases(postgres, templates) as databases,
        edge(databases, background=False, trace_ratio=trace_ratio) as running,
    ):
        for resource in held:
            assert (await running.put(resource)).status_code == 201
        yield running
