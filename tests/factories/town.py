"""A gateway over all three services on databases of their own, with lines between that can be cut at any step."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

import asyncpg
import httpx

from consilium.assembly import SERVICES
from services.gateway.asgi import ASGIApp, Message, Receive, Scope, Send, send_answer
from services.gateway.main import Gateway
from services.gateway.outcome import error_answer
from services.gateway.parts import Peer
from services.gateway.recovery import Recovery
from services.gateway.settings import GatewaySettings
from shared.engine import Engine
from shared.errors import Unavailable
from shared.fhir.parts.wire import GATEWAY, PATH
from shared.security.peers import KnownPeers, PeerTokens
from shared.service import engine_of, service_app
from shared.store.database import open_pool
from tests.eventually import eventually
from tests.factories.engine import FixedVerifier
from tests.factories.whole import KEPT

LONGEST = 8.0
"""Seconds that a transaction over services may take here, on a machine that may be busy."""
SECRET = "what the services of this town know"
"""By which they know each other, and their gateway."""
AT_ONCE = 0.01
"""Seconds after which another gateway takes what waits for lost: here it is, and too early does no harm."""


class Killed(BaseException):
    """The gateway is gone in the middle of what it did."""


Fault = Callable[[str, str], Awaitable[None]]
"""``fault(step, when)``: may raise ``Killed`` (of the gateway), or ``Unavailable`` (the service is not there)."""


async def all_well(step: str, when: str) -> None:
    """Nothing happens."""


@dataclass
class Line:
    """Between the gateway and a service. ``fault`` is asked before and after each step."""

    app: ASGIApp
    fault: Fault = all_well
    steps: list[str] = field(default_factory=list)
    """That got through."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        step = scope["path"].removeprefix(f"{PATH}/")
        if step == scope["path"]:
            await self.app(scope, receive, send)
            return
        told: list[Message] = []

        async def keep(message: Message) -> None:
            told.append(message)

        try:
            await self.fault(step, "before")
            await self.app(scope, receive, keep)
            self.steps.append(step)
            await self.fault(step, "after")
        except Unavailable as error:
            await send_answer(error_answer(error, path="/fhir"), send)
        else:
            for message in told:
                await send(message)


@dataclass
class Town:
    """What runs."""

    databases: Mapping[str, str]
    engines: Mapping[str, Engine]
    lines: Mapping[str, Line]
    verifier: FixedVerifier
    peer: Peer
    """The token by which the services know the gateway."""
    client: httpx.AsyncClient
    another: Recovery
    """What another gateway does beside answering."""

    async def recovered(self) -> None:
        """Another gateway looks until nothing waits any more."""

        async def nothing_waits() -> bool:
            await self.another.look()
            return await self.prepared() == 0 and await self.decisions() == 0

        await eventually(nothing_waits, within=LONGEST, every=0.1)

    async def prepared(self) -> int:
        """How many transactions are prepared in all databases."""
        return sum(await self._each("SELECT count(*) FROM pg_prepared_xacts WHERE database = current_database()"))

    async def decisions(self) -> int:
        """How many decisions to commit are remembered."""
        return sum(await self._each("SELECT count(*) FROM transaction_decision WHERE committed"))

    async def stored(self) -> dict[str, int]:
        """Resources by service, without the accounts of who made them."""
        counts = await self._each("SELECT count(*) FROM resource WHERE NOT deleted AND type <> 'Provenance'")
        return dict(zip(self.engines, counts, strict=True))

    async def events(self) -> dict[str, list[str]]:
        """The types of the events in the outboxes, by service, sorted."""
        query = 'SELECT type FROM outbox ORDER BY type COLLATE "C"'
        return {name: [row["type"] for row in await engine.pool.fetch(query)] for name, engine in self.engines.items()}

    async def locks(self) -> int:
        """How many locks prepared transactions hold: they have no process."""
        return sum(await self._each("SELECT count(*) FROM pg_locks WHERE pid IS NULL"))

    async def _each(self, query: str) -> list[int]:
        return [await engine.pool.fetchval(query) for engine in self.engines.values()]

    async def post(self, bundle: object) -> httpx.Response:
        """The gateway's answer."""
        return await self.client.post("/fhir", json=bundle)


@asynccontextmanager
async def town(databases: Mapping[str, str], *, longest: float = LONGEST) -> AsyncIterator[Town]:
    """A town on migrated ``databases``."""
    async with AsyncExitStack() as stack:
        engines: dict[str, Engine] = {}
        lines: dict[str, Line] = {}
        verifier = FixedVerifier()
        peer, known = PeerTokens(GATEWAY, SECRET).header, KnownPeers(SECRET)
        for service in SERVICES:
            pool = await open_pool(databases[service.name], size=8)
            stack.push_async_callback(pool.close)
            engines[service.name] = engine_of(service, pool)
            lines[service.name] = Line(service_app(service, engines[service.name], verifier, peers=known))
        gateway = Gateway(lines, GatewaySettings(prepared_s=longest), peer=peer)
        transport = httpx.ASGITransport(app=gateway)  # type: ignore[arg-type]  # the same protocol under other names
        client = await stack.enter_async_context(httpx.AsyncClient(transport=transport, base_url="http://test"))
        yield Town(databases, engines, lines, verifier, peer, client, Recovery(lines, peer, seconds=AT_ONCE))
        for line in lines.values():
            line.fault = all_well
        await gateway.aclose()


async def emptied(databases: Mapping[str, str]) -> None:
    """Forget everything that is stored or prepared."""
    for name in (service.name for service in SERVICES):
        connection = await asyncpg.connect(databases[name])
        try:
            for row in await connection.fetch("SELECT gid FROM pg_prepared_xacts WHERE database = current_database()"):
                await connection.execute(f"ROLLBACK PREPARED '{row['gid']}'")
            for row in await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"):
                if row["tablename"] not in KEPT:
                    await connection.execute(f'DELETE FROM "{row["tablename"]}"')
        finally:
            await connection.close()
