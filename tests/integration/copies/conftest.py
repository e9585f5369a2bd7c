"""Two engines on databases of their own: an owner, and one that keeps copies of its patients."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace

import asyncpg
import httpx
import pytest

from shared.copies.keeping import follow
from shared.copies.local import LocalPeers
from shared.engine import Engine
from shared.errors import Unavailable
from shared.ids import uuid7
from shared.messaging.envelope import Event, decode
from shared.service import Service
from tests.conftest import create_database
from tests.factories.engine import FixedVerifier, client_of, create_tables, every_type, running_engine

OWNER, KEEPER = "owner", "keeper"


@dataclass
class Peers:
    """The owner, which can be out of order."""

    real: LocalPeers
    down: bool = False
    asked: list[str] = field(default_factory=list)

    async def get(self, owner: str, path: str, query: str = "") -> bytes | None:
        if self.down:
            raise Unavailable("It does not answer.")
        self.asked.append(path)
        return await self.real.get(owner, path, query)


@dataclass
class Pair:
    """An owner's clients, what it told, and the keeper."""

    owner: Engine
    keeper: Engine
    peers: Peers
    fhir: httpx.AsyncClient
    """The owner's FHIR base."""

    async def told(self) -> list[Event]:
        """All events of the owner, in order."""
        return [decode(row[0]) for row in await self.owner.pool.fetch("SELECT envelope FROM outbox ORDER BY seq")]

    async def follow(self, event: Event) -> None:
        """Let the keeper hear ``event``."""
        await follow(self.keeper, event)

    async def copies(self) -> dict[str, tuple[int, bool, bytes]]:
        """What the keeper has: version, whether it is gone, body; by id."""
        rows = await self.keeper.pool.fetch("SELECT id, version, deleted, body FROM resource WHERE type = 'Patient'")
        return {row["id"]: (row["version"], row["deleted"], row["body"]) for row in rows}


@pytest.fixture
async def keeper_url(postgres: str) -> AsyncIterator[str]:
    """A fresh database beside ``database_url``."""
    name = "k_" + uuid7().replace("-", "")
    yield await create_database(postgres, name)
    connection = await asyncpg.connect(postgres)
    await connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    await connection.close()


@pytest.fixture
async def pair(database_url: str, keeper_url: str) -> AsyncIterator[Pair]:
    """The two."""
    service = every_type()
    telling = replace(service, name=OWNER, tells=frozenset({"Patient"}))
    keeping = Service(KEEPER, service.kinds, service.migrations, copied={"Patient": OWNER})
    async with AsyncExitStack() as stack:
        engines: dict[str, Engine] = {}
        for one, url in ((telling, database_url), (keeping, keeper_url)):
            await create_tables(url)
            engines[one.name] = await stack.enter_async_context(running_engine(url, one))
        peers = Peers(LocalPeers(KEEPER, engines))
        keeper = replace(engines[KEEPER], peers=peers)
        fhir = await stack.enter_async_context(client_of(engines[OWNER], telling, FixedVerifier()))
        yield Pair(engines[OWNER], keeper, peers, fhir)
