"""One service on a real database, migrated as in production; ``service`` in a folder's conftest says which."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from shared.engine import Engine
from shared.service import Service
from shared.store.migrations import upgrade
from tests.factories.engine import FixedVerifier, client_of, running_engine


@pytest.fixture
async def engine(database_url: str, service: Service) -> AsyncIterator[Engine]:
    """The service's engine on a fresh database."""
    await asyncio.to_thread(upgrade, database_url, service.migrations)
    async with running_engine(database_url, service) as running:
        yield running


@pytest.fixture
def verifier() -> FixedVerifier:
    """Who calls; tests may change ``verifier.caller``."""
    return FixedVerifier()


@pytest.fixture
async def client(engine: Engine, service: Service, verifier: FixedVerifier) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the service; FHIR paths are relative, REST paths start with ``/api``."""
    async with client_of(engine, service, verifier) as http:
        yield http
