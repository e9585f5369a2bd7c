"""The system that is fuzzed: all services behind the gateway, on databases of its own."""

from collections.abc import AsyncIterator

import pytest

from tests.e2e.fuzzing.material import HELD
from tests.factories.edge import Edge, quiet_edge


@pytest.fixture
async def fuzzed(postgres: str, templates: dict[str, str]) -> AsyncIterator[Edge]:
    """A system without workers that holds a resource of each type that requests are about."""
    async with quiet_edge(postgres, templates, *HELD, trace_ratio=0) as running:
        yield running
