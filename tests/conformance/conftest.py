"""The server under conformance test: one service that owns every R4 type, on a real database."""

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.factories.engine import FixedVerifier, client_of, create_tables, every_type, running_engine


@pytest.fixture
def verifier() -> FixedVerifier:
    """Who calls; tests may change ``verifier.caller``."""
    return FixedVerifier()


@pytest.fixture
async def fhir(database_url: str, verifier: FixedVerifier) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the FHIR base."""
    await create_tables(database_url)
    service = every_type()
    async with running_engine(database_url, service) as engine, client_of(engine, service, verifier) as client:
        yield client
