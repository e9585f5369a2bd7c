"""The CapabilityStatement of the whole is true at the edge (http://hl7.org/fhir/R4/capabilitystatement.html): all that
it claims is tried there, over all services."""

from collections.abc import AsyncIterator

import pytest

from tests.factories.edge import Edge, quiet_edge
from tests.factories.walking import refused_searches, unserved


@pytest.fixture
async def edge(postgres: str, templates: dict[str, str]) -> AsyncIterator[Edge]:
    """An empty system without workers."""
    async with quiet_edge(postgres, templates) as running:
        yield running


async def test_every_search_that_is_claimed_is_carried_out_at_the_edge(edge: Edge) -> None:
    statement = (await edge.ask("GET", "/fhir/metadata")).json()
    assert await refused_searches(edge.client, "/fhir", statement, edge.bearer()) == []


async def test_every_interaction_and_operation_that_is_claimed_is_served_at_the_edge(edge: Edge) -> None:
    statement = (await edge.ask("GET", "/fhir/metadata")).json()
    assert await unserved(edge.client, "/fhir", statement, edge.bearer()) == []


async def test_what_nobody_serves_would_be_found(edge: Edge) -> None:
    """The walk itself bites."""
    statement = (await edge.ask("GET", "/fhir/metadata")).json()
    statement["rest"][0]["resource"] = [{"type": "Cauldron", "interaction": [{"code": "read"}]}]
    assert len(await unserved(edge.client, "/fhir", statement, edge.bearer())) == 1
