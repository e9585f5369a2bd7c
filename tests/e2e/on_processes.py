"""The fixtures of the end-to-end tests where ``CONSILIUM_TEST_SCALE`` asks for real processes."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.broker import Broker
from tests.e2e.evidence import Evidence
from tests.eventually import eventually
from tests.factories.apart import Apart, Counts, apart
from tests.factories.edge import fresh_databases
from tests.factories.whole import WholeSystem, empty
from tests.scale import SCALE


@pytest.fixture(scope="session")
async def whole(postgres: str, templates: dict[str, str], own_broker: Broker) -> AsyncIterator[Apart]:
    """``SCALE`` processes of each kind, for all tests."""
    with tempfile.TemporaryDirectory(prefix="consilium-whole-") as folder:
        async with (
            fresh_databases(postgres, templates) as databases,
            apart(
                databases, own_broker.url, Path(folder), Counts(SCALE, SCALE, SCALE), {"CONSILIUM_DRAIN_S": "2"}
            ) as running,
        ):
            yield running


@pytest.fixture
async def clean_broker(whole: Apart, own_broker: Broker) -> AsyncIterator[Broker]:
    """The broker of ``whole``, running before and after."""
    await asyncio.to_thread(own_broker.ensure)
    yield own_broker
    await asyncio.to_thread(own_broker.ensure)


@pytest.fixture
async def databases(whole: Apart, clean_broker: Broker) -> dict[str, str]:
    """The databases of ``whole``, emptied once nothing is under way any more."""
    found = Evidence(whole.databases, whole.amqp_url)
    with suppress(AssertionError):  # what a test left undone on purpose
        await eventually(found.drained, within=20, every=0.2)
    await found.close()
    await empty(whole)
    return dict(whole.databases)


@pytest.fixture
def amqp() -> str | None:
    """Skips: whoever asks for a transport starts an installation beside the one that is tested."""
    pytest.skip("has an installation of its own")


@pytest.fixture
def system(whole: Apart, databases: dict[str, str]) -> WholeSystem:
    """The installation."""
    return WholeSystem(whole)


@pytest.fixture
def plain_system(system: WholeSystem) -> WholeSystem:
    """The installation."""
    return system


@pytest.fixture
def rabbit_system(system: WholeSystem) -> WholeSystem:
    """The installation."""
    return system


@pytest.fixture
async def evidence(whole: Apart, databases: dict[str, str]) -> AsyncIterator[Evidence]:
    """What the installation has stored."""
    found = Evidence(databases, whole.amqp_url)
    yield found
    await found.close()
