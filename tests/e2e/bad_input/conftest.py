"""The system that gets the bad input."""

from collections.abc import AsyncIterator

import pytest

from tests.factories.edge import Edge, quiet_edge
from tests.factories.resources import care_plan, patient


@pytest.fixture(scope="package")
async def quiet(postgres: str, templates: dict[str, str]) -> AsyncIterator[Edge]:
    """A system without workers that holds a patient and a plan; nothing in it changes, so all files share it."""
    organization = {"resourceType": "Organization", "id": "o1", "name": "x"}
    held = (patient(id="p1"), care_plan("Patient/p1", id="c1"), organization)
    async with quiet_edge(postgres, templates, *held) as running:
        yield running
