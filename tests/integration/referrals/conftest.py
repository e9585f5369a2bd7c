"""The service on a real database, migrated as in production."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from services.referrals.main import SERVICE
from shared.store.migrations import upgrade
from shared.unit_of_work import Engine
from tests.factories.engine import FixedVerifier, client_of, running_engine


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[Engine]:
    """referrals' engine on a fresh database."""
    await asyncio.to_thread(upgrade, database_url, SERVICE.migrations)
    async with running_engine(database_url, SERVICE) as running:
        yield running


@pytest.fixture
def verifier() -> FixedVerifier:
    """Who calls; tests may change ``verifier.caller``."""
    return FixedVerifier()


@pytest.fixture
async def client(engine: Engine, verifier: FixedVerifier) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the service; FHIR paths are relative, REST paths start with ``/api``."""
    async with client_of(engine, SERVICE, verifier) as http:
        yield http
