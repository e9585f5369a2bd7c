"""The server under conformance test: one service that owns every R4 type, on a real database."""

from collections.abc import AsyncIterator

import httpx
import pytest

from shared.engine import Engine
from shared.service import Service
from tests.factories.engine import FixedVerifier, client_of, create_tables, every_type, running_engine


@pytest.fixture
def verifier() -> FixedVerifier:
    """Who calls; tests may change ``verifier.caller``."""
    return FixedVerifier()


@pytest.fixture
def everything() -> Service:
    """The service."""
    return every_type()


@pytest.fixture
async def engine(database_url: str, everything: Service) -> AsyncIterator[Engine]:
    """Its engine, for what happens behind the requests."""
    await create_tables(database_url)
    async with running_engine(database_url, everything) as running:
        yield running


@pytest.fixture
async def fhir(engine: Engine, everything: Service, verifier: FixedVerifier) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the FHIR base."""
    async with client_of(engine, everything, verifier) as client:
        yield client
