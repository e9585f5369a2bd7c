"""The three services with a gateway before them, on databases that all tests here share, one after the other."""

from collections.abc import AsyncIterator

import pytest

from services.gateway import spanning
from tests.e2e.conftest import templates  # noqa: F401  pytest finds fixtures by name
from tests.factories.edge import fresh_databases
from tests.factories.town import Town, emptied, town


@pytest.fixture(scope="session")
async def lasting_databases(postgres: str, templates: dict[str, str]) -> AsyncIterator[dict[str, str]]:  # noqa: F811
    """A URL per service and for the bus."""
    async with fresh_databases(postgres, templates) as databases:
        yield databases
        await emptied(databases)


@pytest.fixture
async def three(lasting_databases: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Town]:
    """They run; nothing is stored yet."""
    monkeypatch.setattr(spanning, "SOON", 0.5)
    monkeypatch.setattr(spanning, "AGAIN", 0.05)
    await emptied(lasting_databases)
    async with town(lasting_databases) as running:
        yield running
